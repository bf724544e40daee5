//! Sums of products over windows (convolutions): a tile of results at a time, held in registers while the window is
//! walked through once for all of them. Each result's own sum runs in the window's order, whatever the tile.
//!
//! A tile has up to four rows along an axis where one operand stands still (its number is loaded once for the row's
//! vectors) and up to eight columns along the last axis, four in a vector.

mod bands;
mod packed;

use wasm_encoder::ValType;

pub(super) use bands::bands;

use super::{Lower, pad};
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, merge, nest};
use crate::emit::{Address, Code, scalar, vector};
use crate::graph::build::{broadcast_strides, strides};
use crate::graph::{Contract, Graph, Id, Node, Op, Strided, Type};
use crate::math::{Bin, Kind};
use crate::plan::{Band, banded};

/// The largest tile whose rows use the same vectors: 8 sums, 4 numbers and 2 vectors in 16 registers.
const SERVED: Tile = Tile { rows: 4, vectors: 2 };
/// The largest tile whose rows have vectors of their own: 4 sums, 4 vectors (8 where they are put together of two) and 1 number.
const ALONE: Tile = Tile { rows: 2, vectors: 2 };
/// Lanes of a vector.
const LANES: usize = 4;

/// Lowers [`crate::graph::Op::Contract`], and with it the one that it computes band by band.
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, contract: &Contract) {
    if let Some(first) = banded(&lower.plan.bands, id) {
        return bands::lower(lower, code, first, id);
    }
    let node = lower.graph.node(id);
    let walks = walks(lower, code, id, node);
    let tiles = Tiles::new(contract, contract.results(node), walks);
    match lower.plan.temporaries[id.index()] {
        Some(panel) if lower.simd => {
            let panel = panel.address(code);
            tiles.packed(code, panel);
        }
        _ => tiles.lower(code, lower.simd && tiles.wide()),
    }
}

/// Bytes that a contract needs for panels while it runs, its own or those of the one that it computes band by band.
pub(super) fn temporary(graph: &Graph, bands: &[Option<Band>], id: Id) -> u64 {
    let bytes = match banded(bands, id) {
        _ if bands[id.index()].is_some() => 0,
        Some(first) => Tiles::nowhere(graph, first).panels_bytes(),
        None => Tiles::nowhere(graph, id).panel_bytes(),
    };
    bytes as u64
}

/// The contract of a node that is one.
fn contract(node: &Node) -> &Contract {
    match &node.op {
        Op::Contract(contract) => contract,
        op => unreachable!("{op:?} is no contract"),
    }
}

/// How results, operands and what the program takes are walked through along the axes of the results; the frame is written.
/// `node` is the node of `id`, or of as much of it as there is memory for.
fn walks(lower: &mut Lower, code: &mut Code, id: Id, node: &Node) -> Vec<Walk> {
    let contract = contract(node);
    let mut whole = Walk::new(lower.at(code, id), &strides(&node.shape), node.ty.bytes());
    if let Some(frame) = &contract.frame {
        pad::border(code, lower.simd, node, &whole, &frame.before, contract.results(node), &frame.value);
        let first: i64 = frame.before.iter().zip(&whole.strides).map(|(b, s)| *b as i64 * s).sum();
        whole.start = whole.start.plus(first);
    }
    let operands: Vec<Address> = node.inputs.iter().map(|operand| lower.at(code, *operand)).collect();
    operands_along(lower.graph, node, whole, &operands)
}

/// The same, where the results are walked through as `whole` says and operands begin at `operands`.
fn operands_along(graph: &Graph, node: &Node, whole: Walk, operands: &[Address]) -> Vec<Walk> {
    let contract = contract(node);
    let bytes = contract.program.params[0].bytes();
    let mut walks = vec![whole];
    for (from, view) in operands.iter().zip([&contract.left, &contract.right]) {
        walks.push(Walk::new(from.plus((view.start * bytes) as i64), &view.outer, bytes));
    }
    for (operand, start) in node.inputs.iter().zip(operands).skip(2) {
        let from = graph.node(*operand);
        walks.push(Walk::new(*start, &broadcast_strides(&from.shape, contract.results(node)), from.ty.bytes()));
    }
    walks
}

/// The walks along one axis, `step` elements at a time, from the `first` one behind `at`.
fn steps(walks: &[Walk], at: &[Address], axis: usize, first: usize, step: usize) -> Vec<Walk> {
    let walk = |(walk, at): (&Walk, &Address)| {
        let stride = walk.strides[axis];
        Walk { start: at.plus(first as i64 * stride), strides: vec![stride * step as i64] }
    };
    walks.iter().zip(at).map(walk).collect()
}

/// The axis for a tile's rows: one but the last along which an operand stands still; best the one that moves along the
/// last axis, whose vectors then serve all rows.
fn shared(extents: &[usize], walks: &[Walk]) -> Option<usize> {
    let still = |d: &usize| walks[1..3].iter().any(|w| w.strides[*d] == 0) && extents[*d] > 1;
    (0..extents.len() - 1).filter(still).max_by_key(|d| (serves(walks, *d), extents[*d].min(SERVED.rows)))
}

/// Whether the operand that moves along the last axis stands still along axis `d`.
fn serves(walks: &[Walk], d: usize) -> bool {
    walks[1..3].iter().any(|w| w.strides[d] == 0 && w.strides.last() != Some(&0))
}

struct Tiles<'a> {
    contract: &'a Contract,
    ty: Type,
    row: Option<usize>,
    extents: Vec<usize>,
    walks: Vec<Walk>,
    window: Vec<usize>,
    along: [Vec<i64>; 2],
}

/// One size of tile.
struct Tile {
    rows: usize,
    /// Vectors in a row; none: one number.
    vectors: usize,
}

impl<'a> Tiles<'a> {
    /// Tiles of `results`; `walks` go along their axes.
    fn new(contract: &'a Contract, results: &[usize], walks: Vec<Walk>) -> Tiles<'a> {
        let ty = contract.program.params[0];
        let (extents, walks) = merge(results, &walks);
        let along = |n: usize, view: &Strided| Walk::new(walks[n].start, &view.inner, ty.bytes());
        let (window, inner) = merge(&contract.inner, &[along(1, &contract.left), along(2, &contract.right)]);
        let along = [inner[0].strides.clone(), inner[1].strides.clone()];
        Tiles { contract, ty, row: shared(&extents, &walks), extents, walks, window, along }
    }

    /// The tiles of a node, wherever it and its operands may come to lie.
    fn nowhere(graph: &'a Graph, id: Id) -> Tiles<'a> {
        let node = graph.node(id);
        let nowhere = Address { pointer: None, offset: 0 };
        let whole = Walk::new(nowhere, &strides(&node.shape), node.ty.bytes());
        let walks = operands_along(graph, node, whole, &vec![nowhere; node.inputs.len()]);
        let contract = contract(node);
        Tiles::new(contract, contract.results(node), walks)
    }

    /// Whether results can be computed four at a time.
    fn wide(&self) -> bool {
        let last = self.extents.len() - 1;
        let beside = |w: &Walk| [0, 4].contains(&w.strides[last]);
        let near = |w: &Walk| beside(w) || w.strides[last] == 8; // every second number
        self.ty == Type::F32
            && self.extents[last] >= LANES
            && self.walks[0].strides[last] == 4
            && self.walks[1..3].iter().all(near)
            && self.walks[3..].iter().all(beside)
            && vector::possible(&self.contract.program)
    }

    /// The tiles along the last axis: the first column, how many tiles, vectors of each.
    fn columns(&self, most: &Tile, wide: bool) -> Vec<(usize, usize, usize)> {
        let n = self.extents[self.extents.len() - 1];
        if !wide {
            return vec![(0, n, 0)];
        }
        let (mut columns, mut done) = (Vec::new(), 0);
        for vectors in [most.vectors, 1] {
            let tiles = (n - done) / (vectors * LANES);
            columns.push((done, tiles, vectors));
            done += tiles * vectors * LANES;
        }
        if done < n {
            columns.push((n - LANES, 1, 1)); // some results a second time, and the same
        }
        columns.retain(|(_, tiles, _)| *tiles > 0);
        columns
    }

    /// The tiles along the axis of rows: the first row, how many tiles, rows of each.
    fn rows(&self, most: &Tile) -> Vec<(usize, usize, usize)> {
        let count = self.row.map_or(1, |d| self.extents[d]);
        let mut rows = vec![(0, count / most.rows, most.rows), (count / most.rows * most.rows, 1, count % most.rows)];
        rows.retain(|(_, tiles, rows)| *tiles > 0 && *rows > 0);
        rows
    }

    /// Loops over tiles, then over what is left at the edges.
    fn lower(&self, code: &mut Code, wide: bool) {
        let most = if self.row.is_some_and(|d| serves(&self.walks, d)) { SERVED } else { ALONE };
        for (first_column, column_tiles, vectors) in self.columns(&most, wide) {
            for (first_row, row_tiles, rows) in self.rows(&most) {
                let tile = Tile { rows, vectors };
                let (extents, walks) = self.outer(&tile, (first_column, column_tiles), (first_row, row_tiles));
                nest(code, &extents, &walks, 1, &mut |code, at| self.tile(code, &tile, at));
            }
        }
    }

    /// Bytes of operand `n`.
    fn bytes(&self, n: usize) -> usize {
        let outer = self.extents.iter().zip(&self.walks[n].strides).filter(|(_, s)| **s != 0).map(|(e, _)| e);
        outer.chain(&self.window).product::<usize>() * self.ty.bytes()
    }

    /// Which operand the columns read, and which the rows.
    fn operands(&self) -> (usize, usize) {
        if self.walks[1].strides[self.extents.len() - 1] != 0 { (1, 2) } else { (2, 1) }
    }

    /// Whether what the rows read is more than what the columns read.
    fn rows_outside(&self) -> bool {
        let (of_columns, of_rows) = self.operands();
        self.bytes(of_rows) > self.bytes(of_columns)
    }

    /// The loops over tiles of one size. Innermost are rows, so that what the columns read stays in the cache, or columns
    /// where what the rows read is more.
    fn outer(&self, tile: &Tile, columns: (usize, usize), rows: (usize, usize)) -> (Vec<usize>, Vec<Walk>) {
        let last = self.extents.len() - 1;
        let mut order: Vec<usize> = (0..=last).filter(|d| Some(*d) != self.row).collect();
        let still = order.iter().position(|d| self.walks[self.operands().1].strides[*d] == 0);
        let outside = still.filter(|_| self.rows_outside());
        self.row.iter().for_each(|d| order.insert(outside.unwrap_or(order.len()), *d));
        self.over(&order, tile, columns, rows)
    }

    /// The loops over tiles of one size along the axes of `order`: the first one and how many, of columns and of rows.
    fn over(
        &self,
        order: &[usize],
        tile: &Tile,
        columns: (usize, usize),
        rows: (usize, usize),
    ) -> (Vec<usize>, Vec<Walk>) {
        let last = self.extents.len() - 1;
        let width = (tile.vectors * LANES).max(1);
        let extent = |d: usize| match d {
            d if d == last => columns.1,
            d if Some(d) == self.row => rows.1,
            d => self.extents[d],
        };
        let walk = |w: &Walk| {
            let mut start = w.start.plus(columns.0 as i64 * w.strides[last]);
            start = self.row.map_or(start, |d| start.plus(rows.0 as i64 * w.strides[d]));
            let stride = |d: usize| match d {
                d if d == last => w.strides[d] * width as i64,
                d if Some(d) == self.row => w.strides[d] * tile.rows as i64,
                d => w.strides[d],
            };
            Walk { start, strides: order.iter().map(|d| stride(*d)).collect() }
        };
        (order.iter().map(|d| extent(*d)).collect(), self.walks.iter().map(walk).collect())
    }

    fn tile(&self, code: &mut Code, tile: &Tile, at: &[Address]) {
        let kind = Kind::from(self.ty);
        let wide = tile.vectors > 0;
        let local = if wide { ValType::V128 } else { val_type(kind) };
        let (rows, columns) = (tile.rows, tile.vectors.max(1));
        let sums: Vec<u32> = (0..rows * columns).map(|_| code.local(local)).collect();
        for sum in &sums {
            if wide {
                code.i().v128_const(0);
            } else {
                code.constant(kind, 0);
            }
            code.i().local_set(*sum);
        }
        self.along(code, at[1], at[2], &mut |code, left, right| {
            let left = self.operand(code, tile, 1, left);
            let right = self.operand(code, tile, 2, right);
            for row in 0..rows {
                for column in 0..columns {
                    let sum = sums[row * columns + column];
                    code.i().local_get(sum).local_get(left.at(row, column)).local_get(right.at(row, column));
                    if wide {
                        code.i().f32x4_mul().f32x4_add();
                    } else {
                        scalar::bin(code, Bin::Mul, kind);
                        scalar::bin(code, Bin::Add, kind);
                    }
                    code.i().local_set(sum);
                }
            }
            left.locals.into_iter().chain(right.locals).for_each(|local| code.release(local));
        });
        for row in 0..rows {
            for column in 0..columns {
                self.store(code, tile, at, (row, column), sums[row * columns + column]);
            }
        }
        sums.into_iter().for_each(|local| code.release(local));
    }

    /// Byte distance of operand `n`'s element for a row and a column of the tile.
    fn distance(&self, n: usize, (row, column): (usize, usize)) -> i64 {
        let last = self.extents.len() - 1;
        let down = self.row.map_or(0, |d| self.walks[n].strides[d]);
        row as i64 * down + (column * LANES) as i64 * self.walks[n].strides[last]
    }

    /// Loads what a step along the window needs of operand `n`, each number once.
    fn operand(&self, code: &mut Code, tile: &Tile, n: usize, at: Address) -> Loaded {
        let stride = self.walks[n].strides[self.extents.len() - 1];
        let rows = if self.row.is_some_and(|d| self.walks[n].strides[d] != 0) { tile.rows } else { 1 };
        let columns = if stride != 0 { tile.vectors.max(1) } else { 1 };
        let mut locals = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let from = at.plus(self.distance(n, (row, column)));
                if tile.vectors > 0 {
                    load(code, stride, from);
                } else {
                    code.load(self.ty, from);
                }
                let local = code.local(if tile.vectors > 0 { ValType::V128 } else { val_type(self.ty.into()) });
                code.i().local_set(local);
                locals.push(local);
            }
        }
        Loaded { locals, rows, columns }
    }

    fn store(&self, code: &mut Code, tile: &Tile, at: &[Address], place: (usize, usize), sum: u32) {
        let program = &self.contract.program;
        let store = code.begin_store(at[0].plus(self.distance(0, place)));
        let from = |p: usize| at[p + 2].plus(self.distance(p + 2, place));
        if tile.vectors > 0 {
            let last = self.extents.len() - 1;
            vector::emit(code, program, &mut |code, p| match p {
                0 => {
                    code.i().local_get(sum);
                }
                _ if self.walks[p + 2].strides[last] == 0 => code.load_splat(from(p)),
                _ => code.load_vector(from(p)),
            });
            return code.store_vector(store);
        }
        scalar::emit(code, program, &mut |code, p| match p {
            0 => {
                code.i().local_get(sum);
            }
            _ => code.load(program.params[p], from(p)),
        });
        code.store(program.ty, store);
    }

    /// `body` for each step along the window, in its order. Steps are never written out side by side: V8 loads for all of
    /// them before it computes, which takes more registers than there are (24 against 45 GFLOP/s of a pointwise one).
    fn along(&self, code: &mut Code, left: Address, right: Address, body: &mut dyn FnMut(&mut Code, Address, Address)) {
        let walks = [
            Walk { start: left, strides: self.along[0].clone() },
            Walk { start: right, strides: self.along[1].clone() },
        ];
        nest(code, &self.window, &walks, 1, &mut |code, at| body(code, at[0], at[1]));
    }
}

/// Pushes a vector of numbers that lie `stride` bytes apart.
fn load(code: &mut Code, stride: i64, from: Address) {
    match stride {
        0 => code.load_splat(from),
        8 => {
            // Numbers 0 to 3 and 3 to 6: never beyond the last one.
            code.load_vector(from);
            code.load_vector(from.plus(12));
            code.i().i8x16_shuffle([0, 1, 2, 3, 8, 9, 10, 11, 20, 21, 22, 23, 28, 29, 30, 31]);
        }
        _ => code.load_vector(from),
    }
}

/// Locals with an operand's numbers for one step along the window.
struct Loaded {
    locals: Vec<u32>,
    rows: usize,
    columns: usize,
}

impl Loaded {
    fn at(&self, row: usize, column: usize) -> u32 {
        let row = if self.rows == 1 { 0 } else { row };
        let column = if self.columns == 1 { 0 } else { column };
        self.locals[row * self.columns + column]
    }
}
