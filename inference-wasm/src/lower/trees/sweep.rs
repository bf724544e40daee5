//! A forest of few nodes for each level: all its comparisons at once, eight a step, thresholds of one slot side by side.
//! What comes out is where each node leads, so that a walk has one load for each level, where records have four or five.

use wasm_encoder::{BlockType, ValType};

use super::pack::{Entry, distinct};
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code};
use crate::graph::Type;

/// Nodes of a block.
const BLOCK: usize = 8;
/// Blocks of a round.
const ROUND: usize = 4;
/// Fewest levels of all walks: fewer take no time to speak of, and the tables of a sweep are larger.
const LEVELS: u64 = 64;
/// Most comparisons for each level of all walks: with about eight, both ways take the same time (V8, x86-64).
const NODES_PER_LEVEL: u64 = 7;

/// The tables. A place is a byte offset among the leads, two bytes each: leaves first, which lead to themselves, then the
/// blocks.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The slot of each block as a byte offset (u16).
    pub slots: Vec<u8>,
    /// Of each block the thresholds (f32), the places led to by what is above them, and what differs (exclusive or) in those
    /// led to by what is not (u16).
    pub blocks: Vec<u8>,
    /// Place of the root of each tree.
    pub roots: Vec<u32>,
    /// What each leaf says (u16): a row, or the place of its number among `values`.
    pub told: Vec<u8>,
    /// Distinct numbers of leaves (f32).
    pub values: Vec<u8>,
    /// What `told` has yet to be shifted by to be an offset in bytes among `values`.
    pub shift: u32,
    /// Leaves, rounded up to a block.
    leaves: usize,
}

impl Sweep {
    /// The tables of a forest with `slots` slots and `levels` levels in all its trees, where they pay. `rows` says that leaves
    /// hold rows, not numbers.
    pub fn of(entries: &[Entry], roots: &[u32], slots: usize, levels: u64, rows: bool) -> Option<Sweep> {
        let (mut nodes, leaves): (Vec<usize>, Vec<usize>) =
            (0..entries.len()).partition(|entry| entries[*entry].slot.is_some());
        nodes.sort_by_key(|node| entries[*node].slot);
        let of_slots = nodes.chunk_by(|a, b| entries[*a].slot == entries[*b].slot);
        let mut blocks: Vec<&[usize]> = of_slots.flat_map(|nodes| nodes.chunks(BLOCK)).collect();
        blocks.resize(blocks.len().next_multiple_of(ROUND), &[]);
        let whole = leaves.len().next_multiple_of(BLOCK);
        let pays = levels >= LEVELS && (BLOCK * blocks.len()) as u64 <= NODES_PER_LEVEL * levels;
        if !pays || 2 * (whole + BLOCK * blocks.len()) > 1 << 16 || 4 * slots > 1 << 16 {
            return None;
        }
        let mut places = vec![0u16; entries.len()];
        leaves.iter().enumerate().for_each(|(n, leaf)| places[*leaf] = 2 * n as u16);
        for (b, block) in blocks.iter().enumerate() {
            block.iter().enumerate().for_each(|(n, node)| places[*node] = 2 * (whole + BLOCK * b + n) as u16);
        }
        let mut sweep = Sweep {
            slots: Vec::new(),
            blocks: Vec::new(),
            roots: roots.iter().map(|root| u32::from(places[*root as usize])).collect(),
            told: Vec::new(),
            values: Vec::new(),
            shift: 0,
            leaves: whole,
        };
        for block in blocks {
            let children = |node: usize| node + entries[node].ahead as usize;
            let padded = |of: &dyn Fn(usize) -> u16| {
                let given = block.iter().map(|node| of(*node)).chain(std::iter::repeat(0));
                given.take(BLOCK).flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
            };
            let thresholds = block.iter().map(|node| entries[*node].value as u32).chain(std::iter::repeat(0));
            let slot = block.first().and_then(|node| entries[*node].slot).unwrap_or(0);
            sweep.slots.extend((4 * slot as u16).to_le_bytes());
            sweep.blocks.extend(thresholds.take(BLOCK).flat_map(u32::to_le_bytes));
            sweep.blocks.extend(padded(&|node| places[children(node)]));
            sweep.blocks.extend(padded(&|node| places[children(node)] ^ places[children(node) + 1]));
        }
        let said = leaves.iter().map(|leaf| entries[*leaf].value);
        let told: Vec<u64> = if rows {
            said.collect()
        } else {
            let (places, distinct) = distinct(said.clone());
            sweep.values = distinct.iter().flat_map(|value| (*value as u32).to_le_bytes()).collect();
            sweep.shift = if sweep.values.len() <= 1 << 16 { 0 } else { 2 };
            said.map(|value| u64::from(places[&value]) << (2 - sweep.shift)).collect()
        };
        for place in told {
            sweep.told.extend(u16::try_from(place).ok()?.to_le_bytes());
        }
        Some(sweep)
    }

    /// Bytes of the leads, which keep what leaves lead to from one run to the next.
    pub fn leads_bytes(&self) -> u64 {
        (2 * self.leaves + self.blocks.len() / 4) as u64
    }

    /// Has each leaf lead to itself, when it does not yet: memory begins as zeros.
    pub fn leaves(&self, code: &mut Code, leads: i64) {
        let end = 2 * self.leaves as i64;
        code.load(Type::U16, Address { pointer: None, offset: leads + end - 2 });
        code.i().i32_eqz().if_(BlockType::Empty);
        let place = code.local(ValType::I32);
        code.i().i32_const(0).local_set(place).loop_(BlockType::Empty);
        let store = code.begin_store(Address { pointer: Some(place), offset: leads });
        code.i().local_get(place);
        code.store(Type::U16, store);
        code.advance(place, 2);
        code.i().local_get(place).i32_const(end as i32).i32_lt_u().br_if(0).end().end();
        code.release(place);
    }

    /// Decides every comparison of the row whose slots are at `slots`; the tables are at `of_blocks` and `blocks`.
    pub fn decide(&self, code: &mut Code, slots: i64, of_blocks: i64, blocks: i64, leads: i64) {
        let fixed = |offset: i64| Address { pointer: None, offset };
        let walk = |start: i64, bytes: usize| Walk::new(fixed(start), &[ROUND, 1], bytes);
        let walks = [walk(of_blocks, 2), walk(blocks, 8 * BLOCK), walk(leads + 2 * self.leaves as i64, 2 * BLOCK)];
        let (slot, x) = (code.local(ValType::I32), code.local(ValType::V128));
        nest(code, &[self.slots.len() / 2 / ROUND, ROUND], &walks, ROUND, &mut |code, at| {
            code.load(Type::U16, at[0]);
            code.i().local_set(slot);
            code.load_splat(Address { pointer: Some(slot), offset: slots });
            code.i().local_set(x);
            let store = code.begin_store(at[2]);
            for half in 0..2 {
                code.i().local_get(x);
                code.load_vector(at[1].plus(16 * half));
                code.i().f32x4_le();
            }
            code.i().i16x8_narrow_i32x4_s();
            code.load_vector(at[1].plus(48));
            code.i().v128_and();
            code.load_vector(at[1].plus(32));
            code.i().v128_xor();
            code.store_vector(store);
        });
        code.release(slot);
        code.release(x);
    }
}
