//! Forests: every comparison, every aggregate, every record, and a forest of the size that counts.

use beira_inference_wasm::Options;
use beira_inference_wasm::graph::{Aggregate, Child, Graph, Mode, Split, Trees, Type, Weight};

use crate::check::{check, compile, f32s, graph, to_f32s, values};

const MODES: [Mode; 6] = [Mode::LessEqual, Mode::Less, Mode::GreaterEqual, Mode::Greater, Mode::Equal, Mode::NotEqual];

/// Numbers that are the same each time.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
}

/// How a random forest is to be.
pub struct Shape {
    pub trees: usize,
    pub splits: usize,
    pub features: usize,
    pub targets: usize,
    pub modes: usize,
    /// Weights of a leaf: 1 for the tree's own target, else of all targets.
    pub dense: bool,
    pub grid: u64,
}

/// A forest whose splits are added at random leaves.
pub fn forest(shape: &Shape, seed: u64) -> Trees {
    let mut r = Random(seed * 2 + 1);
    let mut t = Trees { features: shape.features, targets: shape.targets, ..Trees::default() };
    for tree in 0..shape.trees {
        let first = t.nodes.len();
        let mut open = vec![None]; // branches that end in a leaf: (node, yes)
        for _ in 0..shape.splits {
            let at = r.below(open.len() as u64) as usize;
            let node = t.nodes.len() as u32;
            let nowhere = Child::Leaf(u32::MAX);
            t.nodes.push(Split {
                feature: r.below(shape.features as u64) as u32,
                mode: MODES[r.below(shape.modes as u64) as usize],
                threshold: r.below(shape.grid) as f64 * 8.0 / shape.grid as f64 - 4.0,
                missing_yes: shape.modes > 1 && r.below(2) == 0,
                yes: nowhere,
                no: nowhere,
            });
            attach(&mut t, open[at], Child::Node(node));
            open[at] = Some((node, true));
            open.push(Some((node, false)));
        }
        let root = if shape.splits == 0 { Child::Leaf(t.leaves.len() as u32) } else { Child::Node(first as u32) };
        t.roots.push(root);
        for branch in open {
            let leaf = Child::Leaf(t.leaves.len() as u32);
            let mut weight =
                |target: usize| Weight { target: target as u32, value: r.below(1000) as f64 / 997.0 - 0.4 };
            t.leaves.push(match shape.dense {
                true => (0..shape.targets).map(&mut weight).collect(),
                false => vec![weight(tree % shape.targets)],
            });
            attach(&mut t, branch, leaf);
        }
    }
    t
}

fn attach(t: &mut Trees, branch: Option<(u32, bool)>, child: Child) {
    match branch {
        Some((node, true)) => t.nodes[node as usize].yes = child,
        Some((node, false)) => t.nodes[node as usize].no = child,
        None => {}
    }
}

fn run(trees: Trees, rows: usize) {
    let mut g = Graph::default();
    let ty = if trees.double { Type::F64 } else { Type::F32 };
    let (features, targets) = (trees.features, trees.targets);
    let x = g.input(&[features], ty, "x");
    let y = g.trees(x, trees);
    let y = g.reshape(y, &[1, targets]);
    g.outputs.push(y);
    check(&g, rows, &vec![values(ty, features * rows, 9)]);
}

#[test]
fn every_comparison_in_both_precisions() {
    for double in [false, true] {
        let shape = Shape { trees: 40, splits: 12, features: 5, targets: 1, modes: 6, dense: false, grid: 8 };
        run(Trees { double, ..forest(&shape, 3) }, 60);
    }
}

#[test]
fn every_aggregate_and_kind_of_leaf() {
    for aggregate in [Aggregate::Sum, Aggregate::Average, Aggregate::Min, Aggregate::Max] {
        for (targets, dense) in [(1, false), (2, true), (3, false), (5, true), (40, true), (40, false)] {
            for double in [false, true] {
                let shape = Shape { trees: 29, splits: 6, features: 4, targets, modes: 1, dense, grid: 50 };
                let mut t = Trees { aggregate, double, ..forest(&shape, 5) };
                t.base = if targets % 2 == 1 { (0..targets).map(|i| i as f64 * 0.25).collect() } else { Vec::new() };
                run(t, 9);
            }
        }
    }
}

#[test]
fn every_record() {
    // More than 255 slots; more than 65,535 distinct thresholds is tried by the size of the grid alone.
    let wide = Shape { trees: 5, splits: 300, features: 400, targets: 1, modes: 1, dense: false, grid: 1 << 20 };
    for double in [false, true] {
        run(Trees { double, ..forest(&wide, 7) }, 5);
    }
    let huge = Shape { trees: 2, splits: 900, features: 70_000, targets: 2, modes: 1, dense: true, grid: 1 << 20 };
    for double in [false, true] {
        run(Trees { double, ..forest(&huge, 8) }, 2);
    }
}

#[test]
fn no_tree_and_single_leaves() {
    run(Trees { features: 2, targets: 2, base: vec![0.5, 1.5], ..Trees::default() }, 2);
    run(forest(&Shape { trees: 6, splits: 0, features: 2, targets: 3, modes: 1, dense: false, grid: 4 }, 1), 2);
}

#[test]
fn a_small_tree_by_hand() {
    let g = graph(
        "%0 = input 0 : f32[2]
         %1 = trees %0 sum features=2 targets=1 base=[100] { (x0 <= 1.5 ? [0: 1] : (x1 > 2 nan ? [0: 2] : [0: 4])), (x1 < 0 ? [0: 10] : [0: 20]) } : f32[1]
         return %1",
    );
    let rows = [1.5, -1.0, 2.0, 3.0, 2.0, f32::NAN, f32::NAN, 2.0];
    assert_eq!(to_f32s(&check(&g, 4, &vec![f32s(&rows)])[0]), [111.0, 122.0, 122.0, 124.0]);
}

#[test]
fn two_hundred_trees_stay_small() {
    let shape = Shape { trees: 200, splits: 17, features: 30, targets: 2, modes: 1, dense: true, grid: 300 };
    let mut g = Graph::default();
    let x = g.input(&[30], Type::F32, "x");
    let mut t = forest(&shape, 11);
    // Leaves of a forest grown to purity: few distinct ones.
    t.leaves.iter_mut().for_each(|l| {
        let value = f64::from(u8::from(l[0].value > 0.1)) / 200.0;
        l[0].value = value;
        l[1].value = 1.0 / 200.0 - value;
    });
    let y = g.trees(x, t);
    g.outputs.push(y);
    check(&g, 7, &vec![values(Type::F32, 30 * 7, 9)]);
    let compiled = compile(&g, &Options::default());
    let cost = compiled.manifest.cost;
    assert!(cost.code_bytes + cost.data_bytes < 40_000, "{cost:?}");
}
