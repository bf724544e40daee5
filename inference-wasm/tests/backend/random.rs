//! Random graphs: the evaluator against an engine, with and without vectors.

use beira_inference_wasm::Options;
use beira_inference_wasm::graph::{Binary, Graph, Id, Reduce, Type, Unary};
use beira_inference_wasm::math::element;
use proptest::prelude::*;

use crate::check::{compile, evaluate, values, wasmi};
use crate::trees::{Shape, forest};

/// Adds the operator that the numbers choose, if there are operands for it.
fn grow(g: &mut Graph, pool: &mut Vec<Id>, [op, a, b, c]: [u16; 4]) -> Option<()> {
    use {Binary::*, Unary::*};
    let pick = |n: u16| pool[n as usize % pool.len()];
    let (x, y) = (pick(a), pick(b));
    let (shape, ty) = (g.node(x).shape.clone(), g.node(x).ty);
    let axis = (!shape.is_empty()).then(|| c as usize % shape.len());
    let new = match op % 16 {
        0 | 1 => {
            let ops = [Abs, Neg, Floor, Ceil, Round, Sqrt, Reciprocal, Exp, Log, Tanh, Erf, Sigmoid, Relu, IsNan, Not];
            let op = ops[c as usize % ops.len()];
            element::unary(op, ty)?;
            g.unary(op, x)
        }
        2..=5 => {
            let ops = [Add, Sub, Mul, Div, Mod, Fmod, Pow, Min, Max, Equal, Less, LessEqual, And, Or, Xor];
            let op = ops[c as usize % ops.len()];
            element::binary(op, ty).filter(|_| g.node(y).ty == ty)?;
            let node = g.binary(op, x, y);
            if g.node(node).len() > 400 || g.node(node).len() < g.node(x).len().max(g.node(y).len()) {
                g.nodes.pop();
                return None;
            }
            node
        }
        6 => g.cast(x, [Type::Bool, Type::I32, Type::I64, Type::F32, Type::F64][c as usize % 5]),
        7 => {
            if ty == Type::Bool {
                return None;
            }
            let ops = [Reduce::Sum, Reduce::Mean, Reduce::Max, Reduce::Min, Reduce::Prod];
            g.reduce(ops[b as usize % 5], x, &[axis?])
        }
        8 => {
            if !matches!(ty, Type::F32 | Type::F64) {
                return None;
            }
            g.softmax(x, axis?)
        }
        9 => {
            let (axis, n) = (axis?, shape[axis?]);
            let start = b as usize % n;
            let back = c % 3 == 0;
            let count = if back { start + 1 } else { (n - start).div_ceil(2) };
            g.slice(x, axis, start, if back { -1 } else { 2 }, count)
        }
        10 => {
            let part = g.node(y).clone();
            let axis = axis?;
            let fits = part.ty == ty && part.shape.len() == shape.len();
            let others = |s: &[usize]| [&s[..axis], &s[axis + 1..]].concat();
            if !fits || others(&part.shape) != others(&shape) || g.node(x).len() > 100 {
                return None;
            }
            g.concat(&[x, y, x], axis)
        }
        11 => {
            let mut perm: Vec<usize> = (0..shape.len()).collect();
            perm.rotate_left(axis?);
            g.transpose(x, &perm)
        }
        12 => {
            let n = g.node(x).len();
            g.reshape(x, [1; 1][c as usize % 2..].iter().copied().chain([n]).collect::<Vec<_>>().as_slice())
        }
        13 => {
            let n = g.node(x).len();
            let columns = c as usize % 21 + 1;
            let weights: Vec<f32> =
                (0..n * columns).map(|i| ((i * 7919 + b as usize) % 101) as f32 * 0.03 - 1.5).collect();
            if ty != Type::F32 || n > 64 {
                return None;
            }
            let left = g.reshape(x, &[1, n]);
            let w = g.f32s(&weights, &[n, columns]);
            g.matmul(left, w)
        }
        14 => {
            let n = g.node(x).len();
            if !matches!(ty, Type::F32 | Type::F64) || n > 64 {
                return None;
            }
            let shape = Shape {
                trees: b as usize % 9,
                splits: a as usize % 6,
                features: n,
                targets: c as usize % 6 + 1,
                modes: 6,
                dense: b % 2 == 0,
                grid: 8,
            };
            let mut trees = forest(&shape, u64::from(c) + 1);
            trees.double = ty == Type::F64;
            g.trees(x, trees)
        }
        _ => {
            let index = g.i64s(&[i64::from(b % 5) - 2, 0, i64::from(c % 9) - 4], &[3]);
            if g.node(x).len() > 100 {
                return None;
            }
            g.gather(x, index, axis?)
        }
    };
    pool.push(new);
    Some(())
}

fn random_graph(steps: &[[u16; 4]]) -> Graph {
    let mut g = Graph::default();
    let mut pool = vec![
        g.input(&[6], Type::F32, ""),
        g.input(&[2, 5], Type::F32, ""),
        g.input(&[5], Type::F64, ""),
        g.input(&[5], Type::I64, ""),
        g.input(&[2, 1], Type::I32, ""),
        g.input(&[1], Type::Bool, ""),
        g.f32s(&[0.5, -1.25, 3.0, 0.0, 9.0], &[5]),
        g.f32s(&[2.0], &[]),
    ];
    for step in steps {
        let _ = grow(&mut g, &mut pool, *step);
    }
    let outputs = pool.len().saturating_sub(4).max(1);
    g.outputs = pool[outputs..].to_vec();
    g
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn random_graphs_give_the_same_bits(steps in prop::collection::vec(any::<[u16; 4]>(), 1..24), seed in any::<u64>()) {
        let g = random_graph(&steps);
        let inputs: Vec<Vec<u8>> = g.inputs.iter().enumerate()
            .map(|(n, id)| values(g.node(*id).ty, g.node(*id).len() * 3, seed.wrapping_add(n as u64)))
            .collect();
        let expected = evaluate(&g, 3, &inputs);
        for simd in [true, false] {
            let compiled = compile(&g, &Options { simd, ..Options::default() });
            let (code, outputs) = wasmi(&compiled, 3, &inputs);
            prop_assert_eq!(code, 0);
            prop_assert_eq!(&outputs, &expected, "simd {}\n{}\n{}", simd, g, compiled.graph);
        }
    }
}
