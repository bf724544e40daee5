//! Scratch: a value's memory is free again after its last reader.

use super::{Band, Needs, Place, align, root};
use crate::graph::{Graph, Id, Op};

/// What was assigned.
pub(super) struct Scratch {
    /// Memory that a node needs for itself.
    pub temporaries: Vec<Option<Place>>,
    /// First byte behind the scratch.
    pub end: u64,
}

/// Gives each value that has no place yet one from `start` on.
pub(super) fn assign(
    graph: &Graph,
    bands: &[Option<Band>],
    places: &mut [Option<Place>],
    start: u64,
    needs: &[Needs],
) -> Scratch {
    let last = last_uses(graph, bands);
    let mut free = Free { gaps: Vec::new(), end: start };
    let mut held: Vec<(usize, u64, u64)> = Vec::new(); // last reader, offset, bytes
    let mut temporaries = vec![None; graph.nodes.len()];
    for (i, node) in graph.nodes.iter().enumerate() {
        let id = Id(i as u32);
        if !matches!(node.op, Op::Const(_) | Op::Reshape) && places[i].is_none() {
            let bytes = bands[i].map_or((node.len() * node.ty.bytes()) as u64, |band| band.bytes);
            let bytes = align(bytes).max(super::ALIGN);
            let offset = free.take(bytes);
            places[i] = Some(Place { row_bytes: None, offset: offset as u32 });
            held.push((last[i].unwrap_or(i), offset, bytes));
        }
        if matches!(node.op, Op::Reshape) {
            places[i] = places[root(graph, id).index()];
        }
        let bytes = align(needs[i].temporary);
        if bytes > 0 {
            let offset = free.take(bytes);
            temporaries[i] = Some(Place { row_bytes: None, offset: offset as u32 });
            free.give(offset, bytes);
        }
        held.retain(|(last, offset, bytes)| {
            if *last <= i {
                free.give(*offset, *bytes);
            }
            *last > i
        });
    }
    Scratch { temporaries, end: free.end }
}

/// The last node that reads each value (through reshapes, for the value they reshape).
fn last_uses(graph: &Graph, bands: &[Option<Band>]) -> Vec<Option<usize>> {
    let mut last = vec![None; graph.nodes.len()];
    for (i, node) in graph.nodes.iter().enumerate() {
        for id in &node.inputs {
            let reader = bands[i].map_or(i, |band| band.reader.index());
            let last = &mut last[root(graph, *id).index()];
            *last = (*last).max(Some(reader));
        }
    }
    last
}

/// Gaps between held stretches of memory, ascending.
struct Free {
    gaps: Vec<(u64, u64)>, // offset, bytes
    end: u64,
}

impl Free {
    /// The smallest gap that is large enough, else new memory at the end.
    fn take(&mut self, bytes: u64) -> u64 {
        let best = (0..self.gaps.len()).filter(|g| self.gaps[*g].1 >= bytes).min_by_key(|g| self.gaps[*g].1);
        if let Some(g) = best {
            let (offset, size) = self.gaps[g];
            if size == bytes {
                self.gaps.remove(g);
            } else {
                self.gaps[g] = (offset + bytes, size - bytes);
            }
            return offset;
        }
        let offset = match self.gaps.last() {
            Some((offset, size)) if offset + size == self.end => {
                let offset = *offset;
                self.gaps.pop();
                offset
            }
            _ => self.end,
        };
        self.end = self.end.max(offset + bytes);
        offset
    }

    fn give(&mut self, offset: u64, bytes: u64) {
        let at = self.gaps.partition_point(|(o, _)| *o < offset);
        self.gaps.insert(at, (offset, bytes));
        if at + 1 < self.gaps.len() && offset + bytes == self.gaps[at + 1].0 {
            self.gaps[at].1 += self.gaps.remove(at + 1).1;
        }
        if at > 0 && self.gaps[at - 1].0 + self.gaps[at - 1].1 == offset {
            self.gaps[at - 1].1 += self.gaps.remove(at).1;
        }
    }
}
