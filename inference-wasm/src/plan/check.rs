//! An independent look at a plan: nothing lies over anything that is still needed, or out of bounds.
//!
//! It knows nothing of how the plan was made: it derives from the graph alone who reads what, and
//! compares every two values that are alive together.

use super::{ALIGN, Plan};
use crate::Error;
use crate::graph::{Graph, Id, Op};

/// A stretch of memory and the nodes during which it must stay as it is.
struct Claim {
    what: String,
    from: u64,
    to: u64,
    born: usize,
    dies: usize,
}

/// `Error::Bug` names the two values that are in each other's way.
pub fn check(graph: &Graph, plan: &Plan) -> Result<(), Error> {
    let bug = |what: String| Err(Error::bug(format!("memory plan: {what}")));
    let mut claims: Vec<Claim> = Vec::new();
    let end = graph.nodes.len();
    // A value is needed until the last node that reads it, directly or through what shares its bytes.
    let mut dies: Vec<usize> = (0..end).collect();
    for i in (0..end).rev() {
        let node = &graph.nodes[i];
        for id in &node.inputs {
            let until = match plan.bands[i] {
                Some(band) => band.reader.index(),
                None if matches!(node.op, Op::Reshape) => dies[i],
                None => i,
            };
            dies[id.index()] = dies[id.index()].max(until);
        }
    }
    for (n, id) in graph.outputs.iter().enumerate() {
        if graph.outputs[..n].contains(id) || plan.places[id.index()].map(|p| p.offset) != Some(plan.outputs[n]) {
            return bug(format!("output {n} (%{}) has no region of its own", id.0));
        }
    }
    for (i, node) in graph.nodes.iter().enumerate() {
        let id = Id(i as u32);
        let bytes = (node.len() * node.ty.bytes()) as u64;
        if let Some(place) = plan.kept[i] {
            let from = u64::from(place.offset);
            let to = from + plan.needs[i].kept;
            claims.push(Claim { what: format!("what %{i} keeps"), from, to, born: 0, dies: end });
        }
        if let Some(place) = plan.temporaries[i] {
            let from = u64::from(place.offset);
            let to = from + plan.needs[i].temporary;
            claims.push(Claim { what: format!("temporary of %{i}"), from, to, born: i, dies: i });
        }
        let shared = match node.op {
            Op::Const(_) => continue,
            Op::Reshape if matches!(graph.node(super::root(graph, id)).op, Op::Const(_)) => continue,
            Op::Reshape => {
                if plan.places[i] != plan.places[node.inputs[0].index()] {
                    return bug(format!("%{i} does not lie where its operand lies"));
                }
                true
            }
            _ => false,
        };
        let Some(place) = plan.places[i] else { return bug(format!("%{i} has no place")) };
        if u64::from(place.offset) % ALIGN != 0 {
            return bug(format!("%{i} is not aligned"));
        }
        if shared {
            continue;
        }
        let outside = graph.inputs.contains(&id) || graph.outputs.contains(&id);
        if place.row_bytes.is_some() != (outside && plan.rows_max > 1)
            || place.row_bytes.is_some_and(|b| u64::from(b) != bytes)
        {
            return bug(format!("%{i} has rows of a wrong length"));
        }
        let bytes = plan.bands[i].map_or(bytes, |band| band.bytes);
        let rows = if outside { u64::from(plan.rows_max) } else { 1 };
        let from = u64::from(place.offset);
        // Inputs and outputs live as long as the call: other rows are in them.
        let (born, dies) = if outside { (0, end) } else { (i, dies[i]) };
        claims.push(Claim { what: format!("%{i}"), from, to: from + (rows * bytes).max(1), born, dies });
    }
    claims.sort_by_key(|c| c.from);
    for (n, a) in claims.iter().enumerate() {
        if a.to > u64::from(plan.end) {
            return bug(format!("{} ends beyond the memory", a.what));
        }
        for b in claims[n + 1..].iter().take_while(|b| b.from < a.to) {
            if a.born <= b.dies && b.born <= a.dies {
                return bug(format!("{} and {} lie over each other", a.what, b.what));
            }
        }
    }
    Ok(())
}
