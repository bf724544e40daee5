//! Where every value lies in the module's memory: regions of rows for inputs and outputs, then
//! scratch for one row, shared by values that are not alive at the same time. Constants follow at
//! the end, placed as the code that reads them is written.

pub mod check;
mod live;

use crate::Error;
use crate::emit::{Address, Code};
use crate::graph::{Graph, Id, Op};

/// Where a value begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes of a row for inputs and outputs, of which there are `rows_max`; else absent.
    pub row_bytes: Option<u32>,
    /// Byte offset in memory.
    pub offset: u32,
}

impl Place {
    /// The address for the row that the function works on.
    pub fn address(self, code: &mut Code) -> Address {
        Address { pointer: self.row_bytes.map(|bytes| code.row_pointer(bytes)), offset: i64::from(self.offset) }
    }
}

/// What there is of a node that its reader computes, band by band, together with itself: what the node reads is needed until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The node that computes it.
    pub reader: Id,
    /// Bytes of a band.
    pub bytes: u64,
}

/// The node that `id` computes band by band.
pub fn banded(bands: &[Option<Band>], id: Id) -> Option<Id> {
    let first = bands.iter().position(|band| band.is_some_and(|band| band.reader == id))?;
    Some(Id(first as u32))
}

/// The plan of a graph.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Most rows of one call.
    pub rows_max: u32,
    /// Where each node's value lies; absent for constants and for what nobody reads.
    pub places: Vec<Option<Place>>,
    /// Nodes of which there is one band at a time.
    pub bands: Vec<Option<Band>>,
    /// Memory that a node needs for itself while it runs.
    pub temporaries: Vec<Option<Place>>,
    /// Memory that a node needs for itself and that nothing else may change, between runs neither.
    pub kept: Vec<Option<Place>>,
    /// How many bytes of both.
    pub needs: Vec<Needs>,
    /// Offset of each input's region.
    pub inputs: Vec<u32>,
    /// Offset of each output's region.
    pub outputs: Vec<u32>,
    /// First byte behind all regions and scratch.
    pub end: u32,
}

/// Bytes that a node needs beside its value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// While it runs.
    pub temporary: u64,
    /// Always.
    pub kept: u64,
}

/// Every place is a multiple of it.
pub const ALIGN: u64 = 16;
/// The first region begins here, so that no value's address is 0.
const START: u64 = 16;
/// An input's or output's region holds at most this many bytes, unless one row is longer.
const REGION: u64 = 64 << 10;
/// Rows of one call, unless asked for more.
const ROWS: u64 = 1024;
/// Memory beyond this is refused: no browser tab should be asked for it.
pub const MEMORY_LIMIT: u64 = 1 << 30;

/// Plans `graph`; `needs` says how many bytes a node needs for itself.
pub fn plan(
    graph: &Graph,
    row_wise: bool,
    rows_max: Option<u32>,
    bands: Vec<Option<Band>>,
    needs: impl Fn(&[Option<Band>], Id) -> Needs,
) -> Result<Plan, Error> {
    let bytes = |id: &Id| -> u64 { graph.node(*id).len() as u64 * graph.node(*id).ty.bytes() as u64 };
    let longest = graph.inputs.iter().chain(&graph.outputs).map(bytes).max().unwrap_or(0).max(1);
    let rows = match rows_max {
        Some(0) => return Err(Error::invalid("rows_max", "it is 0; it must be 1 or more")),
        _ if !row_wise => 1,
        Some(rows) => u64::from(rows),
        None => (REGION / longest).clamp(1, ROWS),
    };
    let mut end = START;
    let mut region = |row: u64| -> Result<u32, Error> {
        let offset = end;
        end = align(end + (rows * row).max(1));
        within(end)?;
        Ok(offset as u32)
    };
    let inputs = graph.inputs.iter().map(|id| region(bytes(id))).collect::<Result<Vec<_>, _>>()?;
    let outputs = graph.outputs.iter().map(|id| region(bytes(id))).collect::<Result<Vec<_>, _>>()?;

    let mut places: Vec<Option<Place>> = vec![None; graph.nodes.len()];
    let row = |id: &Id, offset: u32| Place { row_bytes: (rows > 1).then(|| bytes(id) as u32), offset };
    for (id, offset) in graph.inputs.iter().zip(&inputs) {
        places[id.index()] = Some(row(id, *offset));
    }
    for (id, offset) in graph.outputs.iter().zip(&outputs) {
        places[id.index()] = Some(row(id, *offset));
    }
    let needs: Vec<Needs> = (0..graph.nodes.len()).map(|i| needs(&bands, Id(i as u32))).collect();
    let scratch = live::assign(graph, &bands, &mut places, end, &needs);
    let mut end = scratch.end;
    let kept = needs.iter().map(|needs| {
        let offset = end;
        end = align(end + needs.kept);
        (needs.kept > 0).then_some(Place { row_bytes: None, offset: offset as u32 })
    });
    let kept = kept.collect();
    within(end)?;
    let plan = Plan {
        rows_max: rows as u32,
        places,
        bands,
        temporaries: scratch.temporaries,
        kept,
        needs,
        inputs,
        outputs,
        end: end as u32,
    };
    check::check(graph, &plan)?;
    Ok(plan)
}

/// The value whose memory this one shares: a reshape lies where its operand lies.
pub fn root(graph: &Graph, mut id: Id) -> Id {
    while let Op::Reshape = graph.node(id).op {
        id = graph.node(id).inputs[0];
    }
    id
}

/// The next aligned offset.
pub fn align(offset: u64) -> u64 {
    offset.div_ceil(ALIGN) * ALIGN
}

/// Refuses what would not fit.
pub fn within(end: u64) -> Result<(), Error> {
    if end > MEMORY_LIMIT {
        return Err(Error::TooLarge { what: "the memory of the module".into(), value: end, limit: MEMORY_LIMIT });
    }
    Ok(())
}
