//! From the graph's operators to code: one file each.

mod arg;
mod contract;
mod cost;
mod coupling;
mod cumulate;
mod dense;
mod elementwise;
pub(crate) mod fmod;
mod gather;
mod lookup;
mod matmul;
mod movement;
mod pad;
mod reduce;
mod scatter;
mod softmax;
mod top_k;
mod trees;

use std::collections::HashMap;

use crate::Error;
use crate::emit::{Address, Code};
use crate::graph::{Graph, Id, Op};
use crate::plan::{ALIGN, Band, Place, Plan, root};

pub use cost::flops;
pub use trees::Forest;

/// What is worked out before the plan is made: how forests are packed.
pub type Forests = HashMap<Id, Forest>;

/// Packs the forests of a graph, for vectors or without them.
pub fn forests(graph: &Graph, simd: bool) -> Result<Forests, Error> {
    let mut forests = Forests::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        if let Op::Trees(trees) = &node.op {
            forests.insert(Id(i as u32), Forest::pack(trees, &node.name, simd)?);
        }
    }
    Ok(forests)
}

/// The nodes that their reader computes together with itself, band by band.
pub fn bands(graph: &Graph) -> Vec<Option<Band>> {
    contract::bands(graph)
}

/// Bytes that a node needs for itself while it runs.
pub fn temporary(graph: &Graph, forests: &Forests, bands: &[Option<Band>], id: Id) -> u64 {
    match &graph.node(id).op {
        Op::Trees(_) => forests.get(&id).map_or(0, Forest::temporary_bytes),
        Op::Contract(_) if !graph.node(id).is_empty() => contract::temporary(graph, bands, id),
        _ => 0,
    }
}

/// Writes operators.
pub struct Lower<'a> {
    /// The graph after the passes.
    pub graph: &'a Graph,
    /// Where its values lie.
    pub plan: &'a Plan,
    /// Its forests.
    pub forests: &'a Forests,
    /// Whether to use vectors.
    pub simd: bool,
    /// Constants and tables, from [`Plan::end`] on.
    pub data: Vec<u8>,
    constants: HashMap<Id, u32>,
}

impl<'a> Lower<'a> {
    /// Nothing written yet.
    pub fn new(graph: &'a Graph, plan: &'a Plan, forests: &'a Forests, simd: bool) -> Lower<'a> {
        Lower { graph, plan, forests, simd, data: Vec::new(), constants: HashMap::new() }
    }

    /// Writes the code of one node.
    pub fn node(&mut self, code: &mut Code, id: Id) -> Result<(), Error> {
        let node = self.graph.node(id);
        if node.is_empty() || self.plan.bands[id.index()].is_some() {
            return Ok(()); // the reader of a band computes it
        }
        match &node.op {
            Op::Input(_) | Op::Const(_) | Op::Reshape => {}
            Op::Map(program) => elementwise::map(self, code, id, program),
            Op::Dense(dense) => dense::lower(self, code, id, dense),
            Op::MatMul => matmul::lower(self, code, id),
            Op::Reduce(op, axes) => reduce::lower(self, code, id, *op, axes),
            Op::ArgExtreme { axis, least, last } => arg::lower(self, code, id, *axis, *least, *last),
            Op::Softmax { axis } => softmax::lower(self, code, id, *axis),
            Op::Gather { axis } => gather::lower(self, code, id, *axis),
            Op::Slice { axis, start, step } => movement::slice(self, code, id, *axis, *start, *step),
            Op::Concat { axis } => movement::concat(self, code, id, *axis),
            Op::Transpose { perm } => movement::transpose(self, code, id, perm),
            Op::Broadcast => movement::broadcast(self, code, id),
            Op::Pad(pad) => pad::lower(self, code, id, pad),
            Op::Contract(contract) => contract::lower(self, code, id, contract),
            Op::Pool(op, pool) => reduce::pool(self, code, id, *op, pool),
            Op::Scatter(how) => scatter::lower(self, code, id, *how),
            Op::TopK { axis, least } => top_k::lower(self, code, id, *axis, *least),
            Op::Cumulate(how) => cumulate::lower(self, code, id, *how),
            Op::Coupling => coupling::lower(self, code, id),
            Op::Trees(trees) => trees::lower(self, code, id, trees)?,
            Op::Lookup(table) => lookup::lower(self, code, id, table),
            Op::Unary(_) | Op::Binary(_) | Op::Select | Op::Cast | Op::OneHot { .. } => {
                return Err(Error::bug(format!("{:?} at {:?} was not expanded", node.op, node.name)));
            }
        }
        Ok(())
    }

    /// Where a value begins. A constant is put into the data the first time.
    fn at(&mut self, code: &mut Code, id: Id) -> Address {
        let root = root(self.graph, id);
        if let Some(bytes) = self.graph.constant_bytes(root) {
            let known = self.constants.get(&root).copied();
            let offset = known.unwrap_or_else(|| self.table(bytes));
            self.constants.insert(root, offset);
            return Place { row_bytes: None, offset }.address(code);
        }
        self.plan.places[root.index()].expect("the plan has a place for every value").address(code)
    }

    /// Adds a table to the data; its offset in memory.
    fn table(&mut self, bytes: &[u8]) -> u32 {
        self.data.resize(self.data.len().next_multiple_of(ALIGN as usize), 0);
        let offset = self.plan.end as usize + self.data.len();
        self.data.extend_from_slice(bytes);
        offset as u32
    }
}
