//! Packs a forest: nodes by level, thresholds deduplicated, the smallest record that holds them.

use std::collections::HashMap;

use super::leaves::Leaves;
use super::sweep::Sweep;
use crate::Error;
use crate::graph::{Child, Mode, Split, Trees};

/// Trees that are walked together.
pub const GROUP: usize = 8;

/// What a slot holds for the row. Every comparison becomes `slot <= threshold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// The feature.
    Plain(u32),
    /// The feature, negated: turns `>=` into `<=`.
    Negated(u32),
    /// 0 if the feature equals the value (its bits), or is NaN when `nan`; else 1.
    Equal { feature: u32, value: u64, nan: bool },
}

/// The record of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Ahead u8, slot u8, place of the threshold among the distinct ones u16.
    Four,
    /// Ahead u16, slot u16, threshold (f32, or its place for f64) u32.
    Eight,
    /// Ahead u32, slot u32, threshold (likewise) u32, nothing u32.
    Sixteen,
}

impl Record {
    /// Bytes of a record.
    pub fn bytes(self) -> usize {
        match self {
            Record::Four => 4,
            Record::Eight => 8,
            Record::Sixteen => 16,
        }
    }

    /// Bytes of ahead and of slot, and of the threshold behind them.
    pub fn field_bytes(self) -> (usize, usize) {
        match self {
            Record::Four => (1, 2),
            Record::Eight => (2, 4),
            Record::Sixteen => (4, 4),
        }
    }
}

/// How far each field of a record has yet to be shifted to be an offset in bytes: by nothing where the field has room
/// for the offset itself, which then is all that a step has to load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shifts {
    /// Of ahead.
    pub ahead: u32,
    /// Of slot.
    pub slot: u32,
    /// Of the threshold's place.
    pub place: u32,
}

/// A packed forest.
#[derive(Clone, Debug)]
pub struct Forest {
    /// What the slots hold; the slot behind them holds NaN.
    pub slots: Vec<Slot>,
    /// Nodes and leaves.
    pub nodes: Nodes,
    /// Bytes of one threshold: 4 or 8.
    pub value_bytes: usize,
    /// Longest path of each tree, in comparisons.
    pub depths: Vec<u32>,
    /// What the leaves mean.
    pub leaves: Leaves,
    /// Targets.
    pub targets: usize,
    /// Comparisons on the longest paths, plus the sums.
    pub flops: u64,
}

/// How nodes and leaves are written down.
#[derive(Clone, Debug)]
pub enum Nodes {
    /// One after the other.
    Records(Records),
    /// By what they compare.
    Sweep(Sweep),
}

/// A record for each node and leaf.
#[derive(Clone, Debug)]
pub struct Records {
    /// Their layout.
    pub record: Record,
    /// What its fields lack to be offsets.
    pub shifts: Shifts,
    /// All of them.
    pub bytes: Vec<u8>,
    /// Distinct thresholds (and leaf values), when the records hold places.
    pub values: Vec<u8>,
    /// Offset of each tree's first record, in bytes.
    pub roots: Vec<u32>,
}

/// A node before it is written.
pub struct Entry {
    /// What it compares; absent for a leaf.
    pub slot: Option<u32>,
    /// Bits of the threshold or of the leaf's number, or the leaf's row.
    pub value: u64,
    /// How many entries on the first of its two children stands.
    pub ahead: u32,
}

impl Forest {
    /// Bytes of the slots and of the sums of the targets.
    pub fn temporary_bytes(&self) -> u64 {
        (self.sums_offset() + self.targets.next_multiple_of(4) * self.value_bytes) as u64
    }

    /// Where the sums begin behind the slots.
    pub fn sums_offset(&self) -> usize {
        ((self.slots.len() + 1) * self.value_bytes).next_multiple_of(16)
    }

    /// Bytes that must stay as they are between runs.
    pub fn kept_bytes(&self) -> u64 {
        match &self.nodes {
            Nodes::Records(_) => 0,
            Nodes::Sweep(sweep) => sweep.leads_bytes(),
        }
    }

    /// Packs `trees`, for vectors or without them; `name` is the node's, for the error.
    pub fn pack(trees: &Trees, name: &str, simd: bool) -> Result<Forest, Error> {
        let leaves = Leaves::of(trees);
        let mut slots: Vec<Slot> = trees.nodes.iter().map(|split| comparison(trees, split).0).collect();
        slots.sort_unstable();
        slots.dedup();
        let at: HashMap<Slot, u32> = slots.iter().enumerate().map(|(i, s)| (*s, i as u32)).collect();

        let mut entries: Vec<Entry> = Vec::new();
        let (mut roots, mut depths) = (Vec::new(), Vec::new());
        for root in &trees.roots {
            roots.push(entries.len() as u32);
            depths.push(tree(trees, *root, &leaves, &at, &mut entries));
        }
        let too_many = |what: &str, value: usize| Error::TooLarge {
            what: format!("the number of {what} of the forest {name:?}"),
            value: value as u64,
            limit: 1 << 27,
        };
        if entries.len() > 1 << 27 {
            return Err(too_many("nodes", entries.len()));
        }
        let per_leaf = leaves.additions() as u64;
        let flops = depths.iter().map(|d| u64::from(*d) + per_leaf).sum();
        let levels = depths.iter().map(|depth| u64::from(*depth)).sum();
        let swept = simd && !trees.double;
        let sweep = swept.then(|| Sweep::of(&entries, &roots, slots.len(), levels, leaves.is_table())).flatten();
        let nodes = match sweep {
            Some(sweep) => Nodes::Sweep(sweep),
            None => Nodes::Records(Records::of(&entries, &roots, slots.len(), trees.double, leaves.is_table())),
        };
        let value_bytes = if trees.double { 8 } else { 4 };
        Ok(Forest { slots, nodes, value_bytes, depths, leaves, targets: trees.targets, flops })
    }
}

impl Records {
    /// Chooses the record and writes the tables; `rows` says that leaves hold rows, not numbers.
    fn of(entries: &[Entry], roots: &[u32], slots: usize, double: bool, rows: bool) -> Records {
        let (places, distinct) = distinct(entries.iter().filter(|e| e.slot.is_some() || !rows).map(|e| e.value));
        let ahead = entries.iter().map(|e| e.ahead).max().unwrap_or(0);
        let row = entries.iter().filter(|e| e.slot.is_none() && rows).map(|e| e.value).max().unwrap_or(0);
        let value_bytes = if double { 8 } else { 4 };
        let four = ahead < 1 << 8 && slots < 1 << 8 && distinct.len() <= 1 << 16 && row < 1 << 16;
        let eight = ahead < 1 << 16 && slots < 1 << 16;
        let cheaper = double || entries.len() * 4 + distinct.len() * 4 <= entries.len() * 8;
        let record = match () {
            () if four && cheaper => Record::Four,
            () if eight => Record::Eight,
            () => Record::Sixteen,
        };
        let by_place = double || record == Record::Four;
        let (small, large) = record.field_bytes();
        let offset = |of_one: usize, max: usize, bytes: usize| {
            let fits = (max as u64 * of_one as u64) < 1 << (8 * bytes);
            let shift = of_one.trailing_zeros();
            if fits { (shift, 0) } else { (0, shift) } // shifted here, or when it is walked
        };
        let (ahead_by, ahead_left) = offset(record.bytes(), ahead as usize, small);
        let (slot_by, slot_left) = offset(value_bytes, slots, small);
        let (place_by, place_left) = offset(value_bytes, distinct.len(), large);
        let shifts = Shifts { ahead: ahead_left, slot: slot_left, place: place_left };
        let mut bytes = Vec::new();
        for entry in entries {
            let value = match entry.slot {
                None if rows => entry.value as u32,
                _ if by_place => places[&entry.value] << place_by,
                _ => entry.value as u32,
            };
            let slot = entry.slot.unwrap_or(slots as u32) << slot_by; // the slot behind all others holds NaN
            let start = bytes.len();
            for (field, size) in [(entry.ahead << ahead_by, small), (slot, small), (value, large)] {
                bytes.extend(&field.to_le_bytes()[..size]);
            }
            bytes.resize(start + record.bytes(), 0);
        }
        let values =
            distinct.iter().filter(|_| by_place).flat_map(|v| v.to_le_bytes()[..value_bytes].to_vec()).collect();
        let roots = roots.iter().map(|root| root * record.bytes() as u32).collect();
        Records { record, shifts, bytes, values, roots }
    }

    /// Whether records hold places of thresholds rather than the thresholds.
    pub fn by_place(&self) -> bool {
        !self.values.is_empty()
    }
}

/// The place of each value among the distinct ones, and these in the order of their first use: neighbours in a tree stay
/// neighbours.
pub fn distinct(values: impl Iterator<Item = u64>) -> (HashMap<u64, u32>, Vec<u64>) {
    let (mut places, mut distinct) = (HashMap::new(), Vec::new());
    for value in values {
        places.entry(value).or_insert_with(|| {
            distinct.push(value);
            distinct.len() as u32 - 1
        });
    }
    (places, distinct)
}

/// Adds a tree level by level; its depth.
fn tree(trees: &Trees, root: Child, leaves: &Leaves, at: &HashMap<Slot, u32>, entries: &mut Vec<Entry>) -> u32 {
    let mut depth = 0;
    let mut queue = std::collections::VecDeque::from([(root, 0)]);
    let mut next = entries.len() + 1; // where the next pair of children goes
    while let Some((child, level)) = queue.pop_front() {
        let here = entries.len();
        match child {
            Child::Leaf(leaf) => entries.push(Entry { slot: None, value: leaves.value(trees, leaf), ahead: 0 }),
            Child::Node(node) => {
                let split = &trees.nodes[node as usize];
                let (slot, threshold, yes_second) = comparison(trees, split);
                let (first, second) = if yes_second { (split.no, split.yes) } else { (split.yes, split.no) };
                entries.push(Entry { slot: Some(at[&slot]), value: threshold, ahead: (next - here) as u32 });
                queue.extend([(first, level + 1), (second, level + 1)]);
                next += 2;
                depth = depth.max(level + 1);
            }
        }
    }
    depth
}

/// A split as `slot <= threshold` (its bits): whether the side that it leads to is `yes`. The other
/// side is also where a NaN goes, for nothing is true of it.
fn comparison(trees: &Trees, split: &Split) -> (Slot, u64, bool) {
    let t = if trees.double { split.threshold } else { f64::from(split.threshold as f32) };
    let (below, number): (fn(f64) -> f64, fn(f64) -> u64) =
        if trees.double { (below64, f64::to_bits) } else { (below32, |x| u64::from((x as f32).to_bits())) };
    let (plain, negated) = (Slot::Plain(split.feature), Slot::Negated(split.feature));
    // `x < t` is `x <= the number below t`; `x >= t` is `-x <= -t`.
    match (split.mode, split.missing_yes) {
        (Mode::LessEqual, false) => (plain, number(t), true),
        (Mode::Less, false) => (plain, number(below(t)), true),
        (Mode::GreaterEqual, false) => (negated, number(-t), true),
        (Mode::Greater, false) => (negated, number(below(-t)), true),
        // A NaN is to go to `yes`: ask the opposite.
        (Mode::LessEqual, true) => (negated, number(below(-t)), false),
        (Mode::Less, true) => (negated, number(-t), false),
        (Mode::GreaterEqual, true) => (plain, number(below(t)), false),
        (Mode::Greater, true) => (plain, number(t), false),
        (Mode::Equal, nan) => (Slot::Equal { feature: split.feature, value: number(t), nan }, number(0.0), true),
        (Mode::NotEqual, _) => {
            (Slot::Equal { feature: split.feature, value: number(t), nan: false }, number(0.0), false)
        }
    }
}

/// The greatest f32 below `t`; NaN (below which nothing is) for -inf and NaN.
fn below32(t: f64) -> f64 {
    if t == f64::NEG_INFINITY { f64::NAN } else { f64::from((t as f32).next_down()) }
}

fn below64(t: f64) -> f64 {
    if t == f64::NEG_INFINITY { f64::NAN } else { t.next_down() }
}
