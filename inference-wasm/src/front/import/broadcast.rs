//! To a greater shape.

use super::{Context, Stop};
use crate::graph::{Id, Op};

/// As numpy broadcasts: axes are compared from the last one on.
pub fn broadcast(c: &mut Context) -> Result<Id, Stop> {
    let x = c.inputs[0].clone();
    let missing = c.out.rank() - x.layout.rank();
    let id = match (x.layout.rows, c.out.rows) {
        _ if x.layout.merged || c.out.merged => return Err(Stop::Mixes),
        (Some(from), Some(to)) if from + missing == to => x.id,
        (None, None) => x.id,
        // Without rows: the axis that becomes the rows is of length 1, or not there yet.
        (None, Some(to)) if to < missing => x.id,
        (None, Some(to)) if x.layout.shape[to - missing] == 1 => {
            let mut shape = x.layout.shape;
            shape.remove(to - missing);
            c.reshape(x.id, &shape)
        }
        _ => return Err(Stop::Mixes),
    };
    if c.importer.graph.nodes[id.index()].shape == c.out.shape {
        return Ok(id);
    }
    Ok(c.result(Op::Broadcast, vec![id]))
}
