//! The code that walks a packed forest.

use wasm_encoder::{BlockType, ValType};

use super::leaves::Leaves;
use super::pack::{Forest, GROUP, Nodes, Slot};
use super::ty;
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code, scalar};
use crate::graph::eval_trees::{bits, start};
use crate::graph::{Aggregate, Trees, Type};
use crate::lower::Lower;
use crate::lower::elementwise::copy;
use crate::math::{Bin, Kind};

/// Sums that are kept in locals; more are kept in memory.
const LOCALS: usize = 8;

/// Fills the slots for the row at `x`.
pub(super) fn slots(lower: &Lower, code: &mut Code, ty: Type, forest: &Forest, x: Address, scratch: Address) {
    let (kind, bytes) = (Kind::from(ty), ty.bytes());
    let mut n = 0;
    while n < forest.slots.len() {
        let to = scratch.plus((n * bytes) as i64);
        match forest.slots[n] {
            Slot::Plain(feature) => {
                // Features side by side in one go.
                let run = (n..forest.slots.len())
                    .take_while(|m| forest.slots[*m] == Slot::Plain(feature + (*m - n) as u32))
                    .count();
                let from = x.plus((feature as usize * bytes) as i64);
                copy(code, lower.simd, &[run], Walk::new(to, &[1], bytes), Walk::new(from, &[1], bytes), ty);
                n += run;
                continue;
            }
            Slot::Negated(feature) => {
                let store = code.begin_store(to);
                code.load(ty, x.plus((feature as usize * bytes) as i64));
                match kind {
                    Kind::F32 => code.i().f32_neg(),
                    _ => code.i().f64_neg(),
                };
                code.store(ty, store);
            }
            Slot::Equal { feature, value, nan } => {
                let store = code.begin_store(to);
                let from = x.plus((feature as usize * bytes) as i64);
                code.load(ty, from);
                code.constant(kind, value);
                scalar::bin(code, Bin::Ne, kind);
                if nan {
                    code.load(ty, from);
                    code.load(ty, from);
                    scalar::bin(code, Bin::Eq, kind);
                    code.i().i32_and();
                }
                match kind {
                    Kind::F32 => code.i().f32_convert_i32_s(),
                    _ => code.i().f64_convert_i32_s(),
                };
                code.store(ty, store);
            }
        }
        n += 1;
    }
    let store = code.begin_store(scratch.plus((n * bytes) as i64));
    code.constant(kind, if ty == Type::F32 { 0x7fc0_0000 } else { 0x7ff8_0000_0000_0000 });
    code.store(ty, store);
}

/// Where the tables lie.
struct Tables {
    /// Records or leads, which walks go through.
    nodes: i64,
    /// What leaves of a sweep say.
    told: i64,
    values: i64,
    leaves: i64,
    slots: i64,
    sums: Address,
}

/// Where the sums are kept.
enum Sums {
    Scalars(Vec<u32>),
    Vectors(Vec<u32>),
    Memory,
}

/// Walks all trees and writes the result to `to`; `kept` is where the forest keeps its leads, if it has any.
pub(super) fn walk(
    lower: &mut Lower,
    code: &mut Code,
    to: Address,
    trees: &Trees,
    forest: &Forest,
    scratch: Address,
    kept: i64,
) {
    let ty = ty(trees);
    let kind = Kind::from(ty);
    let leaves: Vec<u8> = match &forest.leaves {
        Leaves::Table { numbers, .. } => numbers.iter().flat_map(|n| n.to_le_bytes()[..ty.bytes()].to_vec()).collect(),
        Leaves::Inline { .. } => Vec::new(),
    };
    let (nodes, told, values) = match &forest.nodes {
        Nodes::Records(records) => (i64::from(lower.table(&records.bytes)), 0, lower.table(&records.values)),
        Nodes::Sweep(sweep) => {
            let (of_blocks, blocks) = (lower.table(&sweep.slots), lower.table(&sweep.blocks));
            sweep.decide(code, scratch.offset, i64::from(of_blocks), i64::from(blocks), kept);
            (kept, i64::from(lower.table(&sweep.told)), lower.table(&sweep.values))
        }
    };
    let tables = Tables {
        nodes,
        told,
        values: i64::from(values),
        leaves: i64::from(lower.table(&leaves)),
        slots: scratch.offset,
        sums: scratch.plus(forest.sums_offset() as i64),
    };
    let sums = begin(lower, code, trees, forest, &tables);
    let trees_in_group = GROUP.min(trees.roots.len());
    if let Some(whole) = trees.roots.len().checked_div(trees_in_group) {
        let rest = trees.roots.len() - whole * trees_in_group;
        groups(lower, code, trees, forest, &tables, &sums, 0, trees_in_group, whole);
        if rest > 0 {
            groups(lower, code, trees, forest, &tables, &sums, whole * trees_in_group, rest, 1);
        }
    }
    // Average, absent values, base.
    let spread = code.local(val_type(kind));
    for target in 0..trees.targets {
        let store = code.begin_store(to.plus((target * ty.bytes()) as i64));
        match &sums {
            Sums::Scalars(locals) => {
                code.i().local_get(locals[target]);
            }
            Sums::Vectors(locals) => {
                code.i().local_get(locals[target / 4]).f32x4_extract_lane(target as u8 % 4);
            }
            Sums::Memory => code.load(ty, tables.sums.plus((target * ty.bytes()) as i64)),
        }
        match trees.aggregate {
            Aggregate::Sum => {}
            Aggregate::Average => {
                code.constant(kind, bits(trees, trees.roots.len().max(1) as f64));
                scalar::bin(code, Bin::Div, kind);
            }
            Aggregate::Min | Aggregate::Max => {
                code.i().local_set(spread);
                code.constant(kind, 0);
                code.i().local_get(spread).local_get(spread);
                code.constant(kind, start(trees));
                scalar::bin(code, Bin::Eq, kind);
                code.i().select();
            }
        }
        if let Some(base) = trees.base.get(target) {
            code.constant(kind, bits(trees, *base));
            scalar::bin(code, Bin::Add, kind);
        }
        code.store(ty, store);
    }
    code.release(spread);
    if let Sums::Scalars(locals) | Sums::Vectors(locals) = sums {
        locals.into_iter().for_each(|local| code.release(local));
    }
}

fn begin(lower: &Lower, code: &mut Code, trees: &Trees, forest: &Forest, tables: &Tables) -> Sums {
    let ty = ty(trees);
    let kind = Kind::from(ty);
    let table = forest.leaves.is_table();
    let vectors = trees.targets.div_ceil(4);
    if table && lower.simd && !trees.double && trees.targets >= 3 && vectors <= LOCALS {
        let locals: Vec<u32> = (0..vectors).map(|_| code.local(ValType::V128)).collect();
        for local in &locals {
            code.constant(kind, start(trees));
            code.i().f32x4_splat().local_set(*local);
        }
        return Sums::Vectors(locals);
    }
    if trees.targets == 1 || (table && trees.targets <= LOCALS) {
        let locals: Vec<u32> = (0..trees.targets).map(|_| code.local(val_type(kind))).collect();
        for local in &locals {
            code.constant(kind, start(trees));
            code.i().local_set(*local);
        }
        return Sums::Scalars(locals);
    }
    let walk = Walk { start: tables.sums, strides: vec![ty.bytes() as i64] };
    nest(code, &[trees.targets], &[walk], 8, &mut |code, at| {
        let store = code.begin_store(at[0]);
        code.constant(kind, start(trees));
        code.store(ty, store);
    });
    Sums::Memory
}

/// Walks `count` groups of `width` trees each, from tree `first` on.
#[allow(clippy::too_many_arguments)] // tables and place, all needed by the innermost step
fn groups(
    lower: &mut Lower,
    code: &mut Code,
    trees: &Trees,
    forest: &Forest,
    tables: &Tables,
    sums: &Sums,
    first: usize,
    width: usize,
    count: usize,
) {
    let targets = match (&forest.leaves, sums) {
        (Leaves::Inline { targets }, Sums::Memory) => Some(targets),
        _ => None,
    };
    // A row of the groups' table: byte offset of each root, the greatest depth, the sums' offsets.
    let mut table: Vec<u8> = Vec::new();
    let roots = match &forest.nodes {
        Nodes::Records(records) => &records.roots,
        Nodes::Sweep(sweep) => &sweep.roots,
    };
    for group in 0..count {
        let these = first + group * width..first + (group + 1) * width;
        let depth = these.clone().map(|t| forest.depths[t]).max().unwrap_or(0).max(1);
        let mut words: Vec<u32> = these.clone().map(|t| roots[t]).collect();
        words.push(depth);
        if let Some(targets) = targets {
            words.extend(these.map(|t| targets[t] * ty(trees).bytes() as u32));
        }
        table.extend(words.into_iter().flat_map(u32::to_le_bytes));
    }
    let row = (table.len() / count) as i64;
    let start = Address { pointer: None, offset: i64::from(lower.table(&table)) };
    let at: Vec<u32> = (0..width).map(|_| code.local(ValType::I32)).collect();
    let left = code.local(ValType::I32);
    nest(code, &[count], &[Walk { start, strides: vec![row] }], 1, &mut |code, group| {
        for (t, local) in at.iter().enumerate() {
            code.load(Type::I32, group[0].plus(4 * t as i64));
            code.i().local_set(*local);
        }
        code.load(Type::I32, group[0].plus(4 * width as i64));
        code.i().local_set(left).loop_(BlockType::Empty);
        for local in &at {
            step(code, forest, tables, *local);
        }
        code.i().local_get(left).i32_const(1).i32_sub().local_tee(left).br_if(0).end();
        for (t, local) in at.iter().enumerate() {
            let sum = group[0].plus(4 * (width + 1 + t) as i64);
            arrive(code, trees, forest, tables, sums, *local, sum);
        }
    });
    at.into_iter().chain([left]).for_each(|local| code.release(local));
}

/// `at += (ahead + (slot <= threshold)) * record`, or what that came to in the sweep.
fn step(code: &mut Code, forest: &Forest, tables: &Tables, at: u32) {
    let Nodes::Records(records) = &forest.nodes else {
        code.load(Type::U16, Address { pointer: Some(at), offset: tables.nodes });
        code.i().local_set(at);
        return;
    };
    let (ty, kind) = if forest.value_bytes == 4 { (Type::F32, Kind::F32) } else { (Type::F64, Kind::F64) };
    let pointer = code.local(ValType::I32);
    let by_pointer = |offset: i64| Address { pointer: Some(pointer), offset };
    let (small, large) = records.record.field_bytes();
    let node = |offset: usize| Address { pointer: Some(at), offset: tables.nodes + offset as i64 };
    // Where the first child stands, then whether it is the second.
    field(code, node(0), small, records.shifts.ahead);
    code.i().local_get(at).i32_add();
    field(code, node(small), small, records.shifts.slot);
    code.i().local_set(pointer);
    code.load(ty, by_pointer(tables.slots));
    if records.by_place() {
        field(code, node(2 * small), large, records.shifts.place);
        code.i().local_set(pointer);
        code.load(ty, by_pointer(tables.values));
    } else {
        code.load(ty, node(2 * small));
    }
    scalar::bin(code, Bin::Le, kind);
    let record = records.record.bytes().trailing_zeros() as i32;
    code.i().i32_const(record).i32_shl().i32_add().local_set(at);
    code.release(pointer);
}

/// A field of a record, as an offset.
fn field(code: &mut Code, at: Address, bytes: usize, shift: u32) {
    let ty = match bytes {
        1 => Type::U8,
        2 => Type::U16,
        _ => Type::I32,
    };
    code.load(ty, at);
    if shift > 0 {
        code.i().i32_const(shift as i32).i32_shl();
    }
}

/// Adds what the leaf at `at` says.
fn arrive(code: &mut Code, trees: &Trees, forest: &Forest, tables: &Tables, sums: &Sums, at: u32, sum: Address) {
    let ty = ty(trees);
    let (kind, bytes) = (Kind::from(ty), ty.bytes());
    let op = match trees.aggregate {
        Aggregate::Sum | Aggregate::Average => Bin::Add,
        Aggregate::Min => Bin::Min,
        Aggregate::Max => Bin::Max,
    };
    let pointer = code.local(ValType::I32);
    // Where the leaf says it, in how many bytes, and by what that is to be shifted when it is a place.
    let (here, large, place) = match &forest.nodes {
        Nodes::Records(records) => {
            let (small, large) = records.record.field_bytes();
            let offset = tables.nodes + 2 * small as i64;
            (offset, large, (records.by_place()).then_some(records.shifts.place))
        }
        Nodes::Sweep(sweep) => (tables.told, 2, Some(sweep.shift)),
    };
    let here = Address { pointer: Some(at), offset: here };
    match &forest.leaves {
        Leaves::Inline { .. } => {
            let number = |code: &mut Code| {
                if let Some(shift) = place {
                    field(code, here, large, shift);
                    code.i().local_set(pointer);
                    code.load(ty, Address { pointer: Some(pointer), offset: tables.values });
                } else {
                    code.load(ty, here);
                }
            };
            match sums {
                Sums::Scalars(locals) => {
                    code.i().local_get(locals[0]);
                    number(code);
                    scalar::bin(code, op, kind);
                    code.i().local_set(locals[0]);
                }
                _ => {
                    let target = code.local(ValType::I32);
                    code.load(Type::I32, sum);
                    code.i().local_set(target);
                    let there = Address { pointer: Some(target), offset: tables.sums.offset };
                    let store = code.begin_store(there);
                    code.load(ty, there);
                    number(code);
                    scalar::bin(code, op, kind);
                    code.store(ty, store);
                    code.release(target);
                }
            }
        }
        Leaves::Table { width, .. } => {
            field(code, here, large, 0);
            code.i().i32_const((width * bytes) as i32).i32_mul().local_set(pointer);
            let row = Address { pointer: Some(pointer), offset: tables.leaves };
            match sums {
                Sums::Scalars(locals) => {
                    for (n, local) in locals.iter().enumerate() {
                        code.i().local_get(*local);
                        code.load(ty, row.plus((n * bytes) as i64));
                        scalar::bin(code, op, kind);
                        code.i().local_set(*local);
                    }
                }
                Sums::Vectors(locals) => {
                    for (n, local) in locals.iter().enumerate() {
                        code.i().local_get(*local);
                        code.load_vector(row.plus(16 * n as i64));
                        match op {
                            Bin::Add => code.i().f32x4_add(),
                            Bin::Min => code.i().f32x4_min(),
                            _ => code.i().f32x4_max(),
                        };
                        code.i().local_set(*local);
                    }
                }
                Sums::Memory => {
                    let walks = [
                        Walk { start: tables.sums, strides: vec![bytes as i64] },
                        Walk { start: row, strides: vec![bytes as i64] },
                    ];
                    nest(code, &[trees.targets], &walks, 4, &mut |code, at| {
                        let store = code.begin_store(at[0]);
                        code.load(ty, at[0]);
                        code.load(ty, at[1]);
                        scalar::bin(code, op, kind);
                        code.store(ty, store);
                    });
                }
            }
        }
    }
    code.release(pointer);
}
