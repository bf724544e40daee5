//! Columns that many rows read and that do not lie one after the other: each tile's are put side by side once, for all rows.

use super::{LANES, SERVED, Tile, Tiles, load};
use crate::emit::nest::{Walk, merge, nest};
use crate::emit::{Address, Code};
use crate::graph::build::strides;
use crate::graph::{Contract, Graph, Node};

/// Rows from which on it pays to pack what the columns read.
const PACKED: usize = 16;

/// Bytes of the panel that the columns of a tile are packed into; 0 where they are read where they lie.
pub(in crate::lower) fn temporary(graph: &Graph, node: &Node, contract: &Contract) -> u64 {
    let nowhere = Address { pointer: None, offset: 0 };
    let whole = Walk::new(nowhere, &strides(&node.shape), node.ty.bytes());
    let tiles = Tiles::new(graph, node, contract, whole, &vec![nowhere; node.inputs.len()]);
    if tiles.packs() { (contract.inner.iter().product::<usize>() * SERVED.vectors * 16) as u64 } else { 0 }
}

impl Tiles<'_> {
    /// Whether many rows read the same columns, and not one after the other.
    fn packs(&self) -> bool {
        let last = self.extents.len() - 1;
        let scattered = self.window.len() > 1 || self.walks[2].strides[last] == 8;
        let many = self.row.is_some_and(|d| self.extents[d] >= PACKED && self.walks[2].strides[d] == 0);
        self.wide() && many && scattered && self.walks[1].strides[last] == 0 && !self.rows_outside()
    }

    /// Loops over tiles whose columns are first put side by side in `panel`, one step along the window after the other.
    pub(super) fn packed(&self, code: &mut Code, panel: Address) {
        let last = self.extents.len() - 1;
        let row = self.row.expect("there are rows to pack for");
        let others: Vec<usize> = (0..=last).filter(|d| *d != row).collect();
        for (first, count, vectors) in self.columns(&SERVED, true) {
            let step = (vectors * 4 * LANES) as i64;
            let mut lines = vec![step; self.contract.inner.len()];
            for d in (0..lines.len().saturating_sub(1)).rev() {
                lines[d] = lines[d + 1] * self.contract.inner[d + 1] as i64;
            }
            let packed = |strides: Vec<i64>, start: Address| Walk { start, strides };
            let (window, along) = merge(&self.contract.inner, &[self.inner(0), packed(lines.clone(), panel)]);
            let mut walks = self.walks.clone();
            walks[2] = packed((0..=last).map(|d| if d == last { 4 } else { 0 }).collect(), panel);
            let along = [along[0].strides.clone(), along[1].strides.clone()];
            let tiles = Tiles {
                contract: self.contract,
                ty: self.ty,
                row: self.row,
                extents: self.extents.clone(),
                walks,
                window,
                along,
            };

            let (extents, outer) = self.over(&others, &Tile { rows: 1, vectors }, (first, count), (0, 1));
            nest(code, &extents, &outer, 1, &mut |code, at| {
                let from = Walk { start: at[2], ..self.inner(1) };
                let (steps, copies) = merge(&self.contract.inner, &[from, packed(lines.clone(), panel)]);
                nest(code, &steps, &copies, 4, &mut |code, at| {
                    let stride = self.walks[2].strides[last];
                    for v in 0..vectors as i64 {
                        let store = code.begin_store(at[1].plus(16 * v));
                        load(code, stride, at[0].plus(v * LANES as i64 * stride));
                        code.store_vector(store);
                    }
                });
                for (first, count, rows) in tiles.rows(&SERVED) {
                    let walks: Vec<Walk> = tiles
                        .walks
                        .iter()
                        .zip(at)
                        .enumerate()
                        .map(|(n, (w, at))| {
                            let start = if n == 2 { panel } else { at.plus(first as i64 * w.strides[row]) };
                            packed(vec![w.strides[row] * rows as i64], start)
                        })
                        .collect();
                    let tile = Tile { rows, vectors };
                    nest(code, &[count], &walks, 1, &mut |code, at| tiles.tile(code, &tile, at));
                }
            });
        }
    }

    /// How operand `n` is walked through along the window, from its start.
    fn inner(&self, n: usize) -> Walk {
        let of = if n == 0 { &self.contract.left } else { &self.contract.right };
        Walk::new(self.walks[n + 1].start, &of.inner, self.ty.bytes())
    }
}
