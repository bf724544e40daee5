//! Sizes that a small file can ask for: refused before anything is made of them.
//!
//! What of a model is constant is computed while it is read, so a shape of a few bytes could take all memory of the machine.

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, NodeProto};

use super::{place, tensor};
use crate::Error;
use crate::front::attributes::{Attributes, integers};

/// No tensor has so many axes.
const AXES_MAX: u64 = 64;

/// Refuses operators whose constant operands or attributes ask for more elements than any value may have.
pub fn check(graph: &GraphProto) -> Result<(), Error> {
    let mut constants: HashMap<&str, Vec<i64>> =
        graph.initializer.iter().map(|tensor| (&*tensor.name, integers(tensor))).collect();
    for node in &graph.node {
        let made = match node.op_type.as_str() {
            "Constant" => node.tensor("value").map(integers).or_else(|| Some(node.find("value_ints")?.ints.clone())),
            _ => None,
        };
        if let (Some(made), Some(name)) = (made, node.output.first()) {
            constants.insert(name, made);
        }
        let operand =
            |n: usize| node.input.get(n).and_then(|name| constants.get(&**name)).map_or(&[][..], Vec::as_slice);
        let elements = match node.op_type.as_str() {
            "ConstantOfShape" => product(operand(0)),
            "Expand" | "Reshape" | "Tile" => product(operand(1)),
            "OneHot" | "Pad" => largest(operand(1)),
            "Range" => range(operand(0), operand(1), operand(2)),
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
