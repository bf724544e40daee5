//! Sums of products over windows (convolutions): a tile of results at a time, held in registers while the window is
//! walked through once for all of them. Each result's own sum runs in the window's order, whatever the tile.
//!
//! A tile has up to four rows along an axis where one operand stands still (its number is loaded once for the row's
//! vectors) and up to eight columns along the last axis, four in a vector.

use wasm_encoder::ValType;

use super::Lower;
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, merge, nest};
use crate::emit::{Address, Code, scalar, vector};
use crate::graph::build::{broadcast_strides, strides};
use crate::graph::{Contract, Id, Type};
use crate::math::{Bin, Kind};

/// Rows of a tile.
const ROWS: usize = 4;
/// Vectors of a tile's row.
const VECTORS: usize = 2;
/// Steps along the window that are written out.
const UNROLL: usize = 9;
/// Lanes of a vector.
const LANES: usize = 4;

/// Lowers [`crate::graph::Op::Contract`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, contract: &Contract) {
    let graph = lower.graph;
    let node = graph.node(id);
    let ty = contract.program.params[0];
    let bytes = ty.bytes();
    let left = lower.at(code, node.inputs[0]).plus((contract.left.start * bytes) as i64);
    let right = lower.at(code, node.inputs[1]).plus((contract.right.start * bytes) as i64);
    let mut walks = vec![
        Walk::new(lower.at(code, id), &strides(&node.shape), node.ty.bytes()),
        Walk::new(left, &contract.left.outer, bytes),
        Walk::new(right, &contract.right.outer, bytes),
    ];
    for operand in &node.inputs[2..] {
        let from = graph.node(*operand);
        let start = lower.at(code, *operand);
        walks.push(Walk::new(start, &broadcast_strides(&from.shape, &node.shape), from.ty.bytes()));
    }
    let (extents, walks) = merge(&node.shape, &walks);
    let inner = [Walk::new(left, &contract.left.inner, bytes), Walk::new(right, &contract.right.inner, bytes)];
    let (window, inner) = merge(&contract.inner, &inner);
    let along = [inner[0].strides.clone(), inner[1].strides.clone()];
    let last = extents.len() - 1;
    let beside = |w: &Walk| [0, 4].contains(&w.strides[last]);
    let near = |w: &Walk| beside(w) || w.strides[last] == 8; // every second number
    let wide = lower.simd
        && ty == Type::F32
        && extents[last] >= LANES
        && walks[0].strides[last] == 4
        && walks[1..3].iter().all(near)
        && walks[3..].iter().all(beside)
        && vector::possible(&contract.program);
    Tiles { contract, ty, row: shared(&extents, &walks), extents, walks, window, along }.lower(code, wide);
}

/// The axis for a tile's rows: the longest but the last along which an operand stands still.
fn shared(extents: &[usize], walks: &[Walk]) -> Option<usize> {
    let still = |d: &usize| walks[1..3].iter().any(|w| w.strides[*d] == 0) && extents[*d] > 1;
    (0..extents.len() - 1).filter(still).max_by_key(|d| extents[*d].min(ROWS))
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

impl Tiles<'_> {
    /// Loops over tiles, then over what is left at the edges.
    fn lower(&self, code: &mut Code, wide: bool) {
        let last = self.extents.len() - 1;
        let n = self.extents[last];
        let mut columns = Vec::new(); // (first, tiles, vectors)
        let mut done = 0;
        if wide {
            for vectors in [VECTORS, 1] {
                let tiles = (n - done) / (vectors * LANES);
                columns.push((done, tiles, vectors));
                done += tiles * vectors * LANES;
            }
        }
        columns.push((done, n - done, 0));
        let count = self.row.map_or(1, |d| self.extents[d]);
        let rows = [(0, count / ROWS, ROWS), (count / ROWS * ROWS, 1, count % ROWS)];
        for (first_column, column_tiles, vectors) in columns {
            for (first_row, row_tiles, rows) in rows {
                if column_tiles == 0 || row_tiles == 0 || rows == 0 {
                    continue;
                }
                let tile = Tile { rows, vectors };
                let (extents, walks) = self.outer(&tile, (first_column, column_tiles), (first_row, row_tiles));
                nest(code, &extents, &walks, 1, &mut |code, at| self.tile(code, &tile, at));
            }
        }
    }

    /// The loops over tiles of one size, rows innermost: the columns' operand then stays in the cache.
    fn outer(&self, tile: &Tile, columns: (usize, usize), rows: (usize, usize)) -> (Vec<usize>, Vec<Walk>) {
        let last = self.extents.len() - 1;
        let mut order: Vec<usize> = (0..=last).filter(|d| Some(*d) != self.row).collect();
        order.extend(self.row);
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
                match (tile.vectors > 0, stride) {
                    (false, _) => code.load(self.ty, from),
                    (true, 0) => code.load_splat(from),
                    (true, 8) => {
                        // Numbers 0 to 3 and 3 to 6: never beyond the last one.
                        code.load_vector(from);
                        code.load_vector(from.plus(12));
                        code.i().i8x16_shuffle([0, 1, 2, 3, 8, 9, 10, 11, 20, 21, 22, 23, 28, 29, 30, 31]);
                    }
                    (true, _) => code.load_vector(from),
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

    /// `body` for each step along the window, in its order; a long last axis is written out a few steps at a time.
    fn along(&self, code: &mut Code, left: Address, right: Address, body: &mut dyn FnMut(&mut Code, Address, Address)) {
        let last = self.window.len() - 1;
        let n = self.window[last];
        let walk = |of: usize, start: Address, done: usize| {
            let strides = &self.along[of];
            let mut split = strides[..last].to_vec();
            split.extend([strides[last] * 4, strides[last]]);
            Walk { start: start.plus(done as i64 * strides[last]), strides: split }
        };
        let mut extents = self.window[..last].to_vec();
        if n <= UNROLL || !extents.is_empty() {
            extents.push(n);
            let walks = [
                Walk { start: left, strides: self.along[0].clone() },
                Walk { start: right, strides: self.along[1].clone() },
            ];
            return nest(code, &extents, &walks, UNROLL, &mut |code, at| body(code, at[0], at[1]));
        }
        let whole = n / 4;
        let walks = [walk(0, left, 0), walk(1, right, 0)];
        nest(code, &[whole, 4], &walks, 4, &mut |code, at| body(code, at[0], at[1]));
        let walks = [walk(0, left, whole * 4), walk(1, right, whole * 4)];
        nest(code, &[1, n - whole * 4], &walks, 4, &mut |code, at| body(code, at[0], at[1]));
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
