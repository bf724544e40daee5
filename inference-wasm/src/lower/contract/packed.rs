//! Columns that many rows read: they are put side by side once, for all rows, tile by tile or many tiles at once.

use std::rc::Rc;

use super::{LANES, SERVED, Tile, Tiles, load, steps};
use crate::emit::nest::{Walk, merge, nest};
use crate::emit::{Address, Code};
use crate::graph::build::strides;

/// Rows from which on it pays to pack what the columns read.
const PACKED: usize = 16;

/// Bytes of panels that are packed at once, where that spares reading much of rows again and again: they stay in the cache
/// of the second level.
const PANELS: usize = 512 << 10;

/// Bytes of what all rows read up to which it stays in the cache of the second level by itself.
const ROWS: usize = 256 << 10;

/// Tiles of one width, and where the panel of the first one is.
#[derive(Clone)]
pub(super) struct Group<'a> {
    tiles: Rc<Tiles<'a>>,
    first: usize,
    count: usize,
    vectors: usize,
    panel: Address,
    /// From one tile's panel to the next one's.
    bytes: i64,
}

impl<'a> Tiles<'a> {
    /// Bytes of the panels that are packed at once; 0 where columns are read where they lie.
    pub(super) fn panel_bytes(&self) -> usize {
        let tiles =
            |(_, count, vectors): &(usize, usize, usize)| self.block(*count, *vectors) * self.tile_bytes(*vectors);
        match self.packs() {
            true if self.whole() => self.all_bytes(),
            true => self.columns(&SERVED, true).iter().map(tiles).max().unwrap_or(0),
            false => 0,
        }
    }

    /// Bytes of the panels of everything that columns read, where they stay in the cache: for what goes band by band.
    pub(super) fn panels_bytes(&self) -> usize {
        let bytes = if self.packs() { self.all_bytes() * self.others().0.iter().product::<usize>() } else { 0 };
        if bytes <= PANELS { bytes } else { 0 }
    }

    /// Where those panels are, along all axes but that of rows and the last one.
    pub(super) fn panels(&self, start: Address) -> Walk {
        Walk::new(start, &strides(&self.others().0), self.all_bytes())
    }

    /// `body` along those axes: the panels there, and where the operands begin.
    pub(super) fn for_panels(
        &self,
        code: &mut Code,
        panels: &Walk,
        body: &mut dyn FnMut(&mut Code, &[Group], &[Address]),
    ) {
        let (extents, mut walks) = self.others();
        walks.push(panels.clone());
        nest(code, &extents, &walks, 1, &mut |code, at| {
            let (panel, at) = at.split_last().expect("the panels were put last");
            body(code, &self.groups(*panel, true), at);
        });
    }

    /// Whether the columns of all tiles are packed at once.
    fn whole(&self) -> bool {
        self.packs() && self.reads_much() && self.all_bytes() <= PANELS
    }

    /// How many of `count` tiles of so many vectors are packed at once, when not all are.
    fn block(&self, count: usize, vectors: usize) -> usize {
        if self.reads_much() { (PANELS / self.tile_bytes(vectors)).clamp(1, count) } else { 1 }
    }

    /// Whether all rows read more than stays in the cache beside the panels.
    fn reads_much(&self) -> bool {
        self.bytes(self.operands().1) > ROWS
    }

    fn tile_bytes(&self, vectors: usize) -> usize {
        self.contract.inner.iter().product::<usize>() * vectors * 16
    }

    fn all_bytes(&self) -> usize {
        self.columns(&SERVED, true).iter().map(|(_, count, vectors)| count * self.tile_bytes(*vectors)).sum()
    }

    /// Whether many rows read the same columns.
    fn packs(&self) -> bool {
        let last = self.extents.len() - 1;
        let many = self.row.is_some_and(|d| self.extents[d] >= PACKED && self.walks[2].strides[d] == 0);
        self.wide() && many && self.walks[1].strides[last] == 0
    }

    /// Whether the columns lie one after the other, each step along the window.
    pub(super) fn side_by_side(&self) -> bool {
        self.window.len() == 1 && self.walks[2].strides[self.extents.len() - 1] == 4
    }

    /// Loops over tiles whose columns are first put side by side in `panel`, one step along the window after the other:
    /// those of all tiles, or of as many as the cache holds, or of one.
    pub(super) fn packed(&self, code: &mut Code, panel: Address) {
        let whole = self.whole();
        let groups = self.groups(panel, whole);
        let (extents, walks) = self.others();
        nest(code, &extents, &walks, 1, &mut |code, at| {
            if whole {
                self.pack_all(code, &groups, at);
                return self.products_of_panels(code, &groups, at);
            }
            for group in &groups {
                self.blocks(code, group, at);
            }
        });
    }

    /// The tiles of a group, a block of them packed at once.
    fn blocks(&self, code: &mut Code, group: &Group, at: &[Address]) {
        let last = self.extents.len() - 1;
        let block = self.block(group.count, group.vectors);
        let full = group.count / block;
        for (first, count, tiles) in [(0, full, block), (full * block, 1, group.count % block)] {
            if count * tiles == 0 {
                continue;
            }
            let columns = |tiles: usize| tiles * group.vectors * LANES;
            let walks = steps(&self.walks, at, last, group.first + columns(first), columns(tiles));
            let group = [Group { first: 0, count: tiles, ..group.clone() }];
            nest(code, &[count], &walks, 1, &mut |code, at| {
                self.pack_all(code, &group, at);
                self.products_of_panels(code, &group, at);
            });
        }
    }

    /// The loops over all axes but that of rows and the last one.
    fn others(&self) -> (Vec<usize>, Vec<Walk>) {
        let others: Vec<usize> = (0..self.extents.len() - 1).filter(|d| Some(*d) != self.row).collect();
        self.over(&others, &Tile { rows: 1, vectors: 1 }, (0, 1), (0, 1))
    }

    /// Packs the columns of all tiles.
    pub(super) fn pack_all(&self, code: &mut Code, groups: &[Group], at: &[Address]) {
        for group in groups {
            self.columns_of(code, group, at, &mut |code, at, panel| self.pack(code, group, at[2], panel));
        }
    }

    /// Computes all tiles, rows outside, from columns that are packed.
    pub(super) fn products_of_panels(&self, code: &mut Code, groups: &[Group], at: &[Address]) {
        self.rows_of(code, at, &mut |code, at, rows| {
            for group in groups {
                self.columns_of(code, group, at, &mut |code, at, panel| group.tile(code, rows, at, panel));
            }
        });
    }

    /// The tiles by their width, whose panels lie one after the other (`whole`), or in the same place.
    fn groups(&self, mut panel: Address, whole: bool) -> Vec<Group<'a>> {
        let last = self.extents.len() - 1;
        let mut groups = Vec::new();
        for (first, count, vectors) in self.columns(&SERVED, true) {
            let lines = self.lines(vectors);
            let (window, along) = merge(&self.contract.inner, &[self.inner(0), Walk { start: panel, strides: lines }]);
            let mut walks = self.walks.clone();
            walks[2] = Walk { start: panel, strides: (0..=last).map(|d| if d == last { 4 } else { 0 }).collect() };
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
            let bytes = self.tile_bytes(vectors) as i64;
            groups.push(Group { tiles: Rc::new(tiles), first, count, vectors, panel, bytes });
            if whole {
                panel = panel.plus(bytes * count as i64);
            }
        }
        groups
    }

    /// `body` for each tile of a group: where its operands begin, and its panel.
    fn columns_of(
        &self,
        code: &mut Code,
        group: &Group,
        at: &[Address],
        body: &mut dyn FnMut(&mut Code, &[Address], Address),
    ) {
        let last = self.extents.len() - 1;
        let mut walks = steps(&self.walks, at, last, group.first, group.vectors * LANES);
        walks.push(Walk { start: group.panel, strides: vec![group.bytes] });
        nest(code, &[group.count], &walks, 1, &mut |code, at| {
            let (panel, at) = at.split_last().expect("the panel was put last");
            body(code, at, *panel);
        });
    }

    /// `body` for each tile's rows: where its operands begin, and how many rows.
    fn rows_of(&self, code: &mut Code, at: &[Address], body: &mut dyn FnMut(&mut Code, &[Address], usize)) {
        let row = self.row.expect("there are rows to pack for");
        for (first, count, rows) in self.rows(&SERVED) {
            let walks = steps(&self.walks, at, row, first, rows);
            nest(code, &[count], &walks, 1, &mut |code, at| body(code, at, rows));
        }
    }

    /// Puts a tile's columns, which begin at `from`, side by side.
    fn pack(&self, code: &mut Code, group: &Group, from: Address, panel: Address) {
        let stride = self.walks[2].strides[self.extents.len() - 1];
        let from = Walk { start: from, ..self.inner(1) };
        let to = Walk { start: panel, strides: self.lines(group.vectors) };
        let (steps, copies) = merge(&self.contract.inner, &[from, to]);
        nest(code, &steps, &copies, 4, &mut |code, at| {
            for v in 0..group.vectors as i64 {
                let store = code.begin_store(at[1].plus(16 * v));
                load(code, stride, at[0].plus(v * LANES as i64 * stride));
                code.store_vector(store);
            }
        });
    }

    /// Bytes from one step along the window to the next one in a panel of so many vectors.
    fn lines(&self, vectors: usize) -> Vec<i64> {
        strides(&self.contract.inner).iter().map(|s| (s * vectors * 4 * LANES) as i64).collect()
    }

    /// How operand `n` is walked through along the window, from its start.
    fn inner(&self, n: usize) -> Walk {
        let of = if n == 0 { &self.contract.left } else { &self.contract.right };
        Walk::new(self.walks[n + 1].start, &of.inner, self.ty.bytes())
    }
}

impl Group<'_> {
    /// Computes the tile of so many rows whose columns are in `panel`.
    fn tile(&self, code: &mut Code, rows: usize, at: &[Address], panel: Address) {
        let mut at = at.to_vec();
        at[2] = panel;
        self.tiles.tile(code, &Tile { rows, vectors: self.vectors }, &at);
    }
}
