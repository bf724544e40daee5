//! Two contracts of which the second reads the first channel by channel, as a depthwise convolution does behind a pointwise
//! one, with or without a border around what it reads: a few channels go through both before the next ones do, and stay in
//! the cache meanwhile.

use std::sync::Arc;

use super::{SERVED, Tiles, contract, steps, walks};
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code};
use crate::graph::build::strides;
use crate::graph::{Graph, Id, Node, Op};
use crate::lower::elementwise::copy;
use crate::lower::{Lower, pad};
use crate::plan::Band;

/// Channels of a band: the rows of a tile.
const CHANNELS: usize = SERVED.rows;

/// Bytes of what the first one reads for every band: they must stay in the cache of the second level.
const AGAIN: usize = 1 << 20;

/// The nodes that their reader computes together with itself.
pub(in crate::lower) fn bands(graph: &Graph) -> Vec<Option<Band>> {
    let mut readers: Vec<Vec<Id>> = vec![Vec::new(); graph.nodes.len()];
    for (i, node) in graph.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|input| readers[input.index()].push(Id(i as u32)));
    }
    let mut bands: Vec<Option<Band>> = vec![None; graph.nodes.len()];
    let alone = |id: Id| match readers[id.index()][..] {
        [reader] if !graph.outputs.contains(&id) => Some(reader),
        _ => None,
    };
    for i in 0..graph.nodes.len() {
        let first = Id(i as u32);
        let Some(reader) = alone(first).filter(|_| !bands.iter().flatten().any(|band| band.reader == first)) else {
            continue;
        };
        let second = if matches!(graph.node(reader).op, Op::Pad(_)) { alone(reader) } else { Some(reader) };
        let Some((second, pair)) = second.and_then(|second| Some((second, Pair::of(graph, first, second)?))) else {
            continue;
        };
        for id in [Some(first), pair.pad].into_iter().flatten() {
            let node = band(graph.node(id), pair.axes[0]);
            bands[id.index()] = Some(Band { reader: second, bytes: (node.len() * node.ty.bytes()) as u64 });
        }
    }
    bands
}

/// Writes the second node, and the first one with it.
pub(super) fn lower(lower: &mut Lower, code: &mut Code, first: Id, second: Id) {
    let graph = lower.graph;
    let pair = Pair::of(graph, first, second).expect("bands are made of pairs");
    let bands = [band(graph.node(first), pair.axes[0]), band(graph.node(second), pair.axes[1])];
    let contracts = [contract(&bands[0]), contract(&bands[1])];
    let sizes = [contracts[0].results(&bands[0]), contracts[1].results(&bands[1])];
    let from = walks(lower, code, first, &bands[0]);
    let to = walks(lower, code, second, graph.node(second));
    let panel = lower.plan.temporaries[second.index()].filter(|_| lower.simd).map(|panel| panel.address(code));

    let tiles = Tiles::new(contracts[0], sizes[0], from.clone());
    let panels = panel.map(|panel| tiles.panels(panel));
    if let Some(panels) = &panels {
        tiles.for_panels(code, panels, &mut |code, groups, at| tiles.pack_all(code, groups, at));
    }
    let bordered = pair.pad.map(|id| Bordered::of(lower, code, first, id, pair.axes[0]));
    // From band to band; where the band itself is written and read, it stays.
    let down = |walks: &[Walk], axis: usize, still: usize| -> Vec<Walk> {
        let starts: Vec<Address> = walks.iter().map(|walk| walk.start).collect();
        let mut down = steps(walks, &starts, axis, 0, CHANNELS);
        down[still].strides = vec![0];
        down
    };
    let both = [down(&from, pair.axes[0], 0), down(&to, pair.axes[1], pair.operand + 1)].concat();
    nest(code, &[pair.channels / CHANNELS], &both, 1, &mut |code, at| {
        let (at, then) = at.split_at(from.len());
        let tiles = Tiles::new(contracts[0], sizes[0], begin(&from, at));
        match &panels {
            Some(panels) => {
                tiles.for_panels(code, panels, &mut |code, groups, at| tiles.products_of_panels(code, groups, at));
            }
            None => tiles.lower(code, lower.simd && tiles.wide()),
        }
        bordered.iter().for_each(|bordered| bordered.fill(code, lower.simd));
        let tiles = Tiles::new(contracts[1], sizes[1], begin(&to, then));
        tiles.lower(code, lower.simd && tiles.wide());
    });
}

/// A band with a border around it, which is written once for all bands.
struct Bordered {
    node: Node,
    from: Walk,
    to: Walk,
}

impl Bordered {
    /// Writes the border that `id` puts around a band of `first`.
    fn of(lower: &mut Lower, code: &mut Code, first: Id, id: Id, axis: usize) -> Bordered {
        let (node, whole) = (band(lower.graph.node(first), axis), band(lower.graph.node(id), axis));
        let all = Walk::new(lower.at(code, id), &strides(&whole.shape), whole.ty.bytes());
        let Op::Pad(pad) = &whole.op else { unreachable!("only a pad puts a border around a band") };
        let to = pad::around(code, lower.simd, &whole, all, &node.shape, pad);
        let from = Walk::new(lower.at(code, first), &strides(&node.shape), node.ty.bytes());
        Bordered { node, from, to }
    }

    /// Copies a band into it.
    fn fill(&self, code: &mut Code, simd: bool) {
        copy(code, simd, &self.node.shape, self.to.clone(), self.from.clone(), self.node.ty);
    }
}

/// Two contracts that can go band by band.
struct Pair {
    /// What puts a border around the first one's value before the second one reads it.
    pad: Option<Id>,
    /// The axis of channels in the results of each.
    axes: [usize; 2],
    channels: usize,
    /// Which operand of the second one is the first one's value.
    operand: usize,
}

impl Pair {
    fn of(graph: &Graph, first: Id, second: Id) -> Option<Pair> {
        let (a, b) = (graph.node(first), graph.node(second));
        let (Op::Contract(writes), Op::Contract(reads)) = (&a.op, &b.op) else { return None };
        let through = |input: &Id| *input == first || graph.node(*input).inputs.first() == Some(&first);
        let operand = b.inputs.iter().take(2).position(through)?;
        let read = graph.node(b.inputs[operand]);
        let pad = match &read.op {
            _ if b.inputs[operand] == first => None,
            Op::Pad(pad) if pad.between.iter().all(|n| *n == 0) => Some(b.inputs[operand]),
            _ => return None,
        };
        let axes = [outermost(&a.shape)?, outermost(&b.shape)?];
        let channels = a.shape[axes[0]];
        let same = [writes.results(a)[axes[0]], b.shape[axes[1]], reads.results(b)[axes[1]]] == [channels; 3];
        let whole = outermost(&read.shape) == Some(axes[0]) && read.shape[axes[0]] == channels;

        let channel = |node: &Node| node.shape[axes[0] + 1..].iter().product::<usize>();
        let view = if operand == 0 { &reads.left } else { &reads.right };
        let mut results = reads.results(b).to_vec();
        results[axes[1]] = 1;
        let extents = results.iter().zip(&view.outer).chain(reads.inner.iter().zip(&view.inner));
        let last = view.start + extents.map(|(n, stride)| n.saturating_sub(1) * stride).sum::<usize>();
        let apart = view.outer[axes[1]] == channel(read) && last < channel(read);

        let tiles = Tiles::nowhere(graph, first);
        let rows = tiles.row.is_some_and(|d| {
            tiles.extents[d] == channels && tiles.walks[0].strides[d] == (channel(a) * a.ty.bytes()) as i64
        });
        let pays = tiles.side_by_side() && tiles.bytes(tiles.operands().0) <= AGAIN;
        let many = channels.is_multiple_of(CHANNELS) && channels > CHANNELS;
        (same && whole && apart && rows && pays && many).then_some(Pair { pad, axes, channels, operand })
    }
}

/// The first axis that is longer than 1.
fn outermost(shape: &[usize]) -> Option<usize> {
    shape.iter().position(|n| *n > 1)
}

/// The node, with the channels of one band.
fn band(node: &Node, axis: usize) -> Node {
    let mut band = node.clone();
    band.shape[axis] = CHANNELS;
    if let Op::Contract(contract) = &mut band.op
        && let Some(frame) = &mut Arc::make_mut(contract).frame
    {
        frame.shape[axis] = CHANNELS;
    }
    band
}

/// The walks from where they have come to.
fn begin(walks: &[Walk], at: &[Address]) -> Vec<Walk> {
    walks.iter().zip(at).map(|(walk, at)| Walk { start: *at, strides: walk.strides.clone() }).collect()
}
