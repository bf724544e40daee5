//! Packs the weights of a product with a constant matrix into panels of columns: the emitted loop
//! then reads them one after the other, a vector of columns at a time. A product of many rows becomes a sum over windows,
//! whose tiles have several rows.

use std::sync::Arc;

use super::rebuild::{copy, rebuild};
use crate::Error;
use crate::graph::build::strides;
use crate::graph::{Contract, Dense, Graph, Id, Node, Op, Strided, Type};
use crate::math::Maker;

/// Rows and columns from which on a tile pays.
const ROWS: usize = 4;
const COLUMNS: usize = 4;

pub(super) fn run(graph: &Graph) -> Result<Graph, Error> {
    rebuild(graph, |out, _, node| Ok(packed(out, node).unwrap_or_else(|| copy(out, node))))
}

fn packed(out: &mut Graph, node: &Node) -> Option<Id> {
    if !matches!(node.op, Op::MatMul) || node.ty != Type::F32 {
        return None;
    }
    let (x, w) = (node.inputs[0], out.node(node.inputs[1]).clone());
    let [k, n] = w.shape[..] else { return None };
    let bytes = out.constant_bytes(node.inputs[1])?.to_vec();
    if k == 0 || n == 0 || node.is_empty() {
        return None;
    }
    let mut m = Maker::new();
    let sum = m.param(0, Type::F32);
    let program = Arc::new(m.finish(&[Type::F32], Type::F32, sum));
    if n >= COLUMNS && node.len() / n >= ROWS {
        let of_rows = [&strides(&out.node(x).shape)[..node.shape.len() - 1], &[0]].concat();
        let mut of_columns = vec![0; node.shape.len()];
        of_columns[node.shape.len() - 1] = 1;
        let left = Strided { start: 0, outer: of_rows, inner: vec![1] };
        let right = Strided { start: 0, outer: of_columns, inner: vec![n] };
        let contract = Op::Contract(Arc::new(Contract { inner: vec![k], left, right, program, frame: None }));
        return Some(out.push(contract, &[x, node.inputs[1]], &node.shape, Type::F32, &node.name));
    }
    let panels = panels(n);
    let mut weights = Vec::with_capacity(bytes.len());
    let mut column = 0;
    for width in &panels {
        for row in 0..k {
            let at = (row * n + column) * 4;
            weights.extend_from_slice(&bytes[at..at + width * 4]);
        }
        column += width;
    }
    let weights = out.constant(weights, &[k * n], Type::F32);
    let dense = Op::Dense(Arc::new(Dense { k, n, panels, program }));
    Some(out.push(dense, &[x, weights], &node.shape, Type::F32, &node.name))
}

/// Widths that add up to `n`: as many of 16 as fit, then of 4, then the rest.
fn panels(n: usize) -> Vec<usize> {
    let mut panels = vec![16; n / 16];
    panels.extend(vec![4; n % 16 / 4]);
    panels.extend(Some(n % 4).filter(|rest| *rest > 0));
    panels
}
