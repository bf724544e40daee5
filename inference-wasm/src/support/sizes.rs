//! Sizes that a small file can ask for: refused before anything is made of them.
//!
//! What of a model is constant is computed while it is read, so a shape of a few bytes could take all memory of the machine.

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::{place, tensor};
use crate::Error;
use crate::front::attributes::{Attributes, integers};

/// No tensor has so many axes.
const AXES_MAX: u64 = 64;

/// Refuses operators whose constant operands or attributes ask for more elements than any value may have.
pub fn check(graph: &GraphProto) -> Result<(), Error> {
    let initializers: HashMap<&str, &TensorProto> = graph.initializer.iter().map(|i| (&*i.name, i)).collect();
    let nodes = graph.node.iter().filter(|node| node.op_type == "Constant");
    let made: HashMap<&str, &NodeProto> = nodes.filter_map(|node| Some((&**node.output.first()?, node))).collect();
    // Numbers of a constant; weights, which may be most of the file, are never read here.
    let numbers = |name: &str| match (initializers.get(name), made.get(name)) {
        (Some(tensor), _) => integers(tensor),
        (None, Some(node)) => node.tensor("value").map_or_else(|| node.ints("value_ints").to_vec(), integers),
        (None, None) => Vec::new(),
    };
    for node in &graph.node {
        let operand = |n: usize| node.input.get(n).map_or_else(Vec::new, |name| numbers(name));
        let elements = match node.op_type.as_str() {
            "ConstantOfShape" => product(&operand(0)),
            "Expand" | "Reshape" | "Tile" => product(&operand(1)),
            "OneHot" | "Pad" => largest(&operand(1)),
            "Range" => range(&operand(0), &operand(1), &operand(2)),
            _ => 0,
        };
        let steps = ["kernel_shape", "dilations", "strides", "pads", "output_shape", "output_padding"];
        let attributes = steps.iter().map(|name| largest(node.ints(name))).max().unwrap_or(0);
        bounded(node, elements.max(attributes))?;
        let axes = node.find("axis").map(|axis| axis.i).into_iter().chain(node.ints("axes").iter().copied());
        if axes.into_iter().any(|axis| axis.unsigned_abs() > AXES_MAX) {
            return Err(Error::invalid(place(node), format!("has an axis beyond {AXES_MAX}")));
        }
        let inputs = node.find("num_scan_inputs").map_or(0, |count| count.i);
        if !(0..=node.input.len() as i64).contains(&inputs) {
            return Err(Error::invalid(place(node), "has more `num_scan_inputs` than inputs"));
        }
        if node.op_type == "Transpose" {
            permutation(node)?;
        }
    }
    Ok(())
}

fn bounded(node: &NodeProto, elements: u64) -> Result<(), Error> {
    if elements > tensor::ELEMENTS_MAX {
        let what = format!("the number of elements that {} asks for", place(node));
        return Err(Error::TooLarge { what, value: elements, limit: tensor::ELEMENTS_MAX });
    }
    Ok(())
}

fn permutation(node: &NodeProto) -> Result<(), Error> {
    let mut axes = node.ints("perm").to_vec();
    axes.sort_unstable();
    if axes.iter().zip(0..).any(|(axis, expected)| *axis != expected) {
        return Err(Error::invalid(place(node), "`perm` does not name each axis once"));
    }
    Ok(())
}

/// Of sizes; a negative one stands for another size, or is refused later.
fn product(sizes: &[i64]) -> u64 {
    sizes.iter().map(|size| if *size < 0 { 1 } else { size.unsigned_abs() }).reduce(u64::saturating_mul).unwrap_or(0)
}

fn largest(sizes: &[i64]) -> u64 {
    sizes.iter().map(|size| size.unsigned_abs()).max().unwrap_or(0)
}

fn range(start: &[i64], limit: &[i64], step: &[i64]) -> u64 {
    let ([start], [limit], [step]) = (start, limit, step) else { return 0 };
    let span = i128::from(*limit) - i128::from(*start);
    let steps = span.checked_div(i128::from(*step)).unwrap_or(0);
    u64::try_from(steps.max(0)).unwrap_or(u64::MAX)
}
