//! Open Inference Protocol tensors: by name, with shape and datatype, flat or nested.

use contract::manifest::{TensorSpec, UNSEEN};
use contract::oip::{InferRequest, InferTensor};
use contract::{Fault, Loc, Manifest};
use host_rows::Batch;
use host_rows::element::{self, Element, Writer};
use serde_json::{Value, json};

use crate::Module;

/// Encodes a request. Datatypes must be the model's, all inputs must have the same number of rows.
/// On an error: every fault, at `["body", "inputs", index, field]`.
pub fn encode(manifest: &Manifest, request: &InferRequest) -> Result<Batch, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut regions: Vec<Option<(usize, Vec<u8>)>> = vec![None; manifest.inputs.len()];
    for (index, tensor) in request.inputs.iter().enumerate() {
        let loc = |field: &str| -> Vec<Loc> { vec!["body".into(), "inputs".into(), index.into(), field.into()] };
        match manifest.inputs.iter().position(|spec| spec.name == tensor.name) {
            None => faults.push(Fault::new("extra_forbidden", loc("name"), "The model has no input of this name")),
            Some(slot) if regions[slot].is_some() => {
                faults.push(Fault::new("duplicate", loc("name"), "This input stands twice"));
            }
            Some(slot) => {
                let before = faults.len();
                let region = encode_tensor(&manifest.inputs[slot], tensor, &loc, &mut faults);
                regions[slot] = Some(if faults.len() == before { region } else { (0, Vec::new()) });
            }
        }
    }
    for (spec, _) in manifest.inputs.iter().zip(&regions).filter(|(_, region)| region.is_none()) {
        let loc = vec!["body".into(), "inputs".into(), spec.name.as_str().into()];
        faults.push(Fault::new("missing", loc, "Field required"));
    }
    for (index, wanted) in request.outputs.iter().enumerate() {
        if !manifest.outputs.iter().any(|spec| spec.name == wanted.name) {
            let loc = vec!["body".into(), "outputs".into(), index.into(), "name".into()];
            faults.push(Fault::new("extra_forbidden", loc, "The model has no output of this name"));
        }
    }
    let regions: Vec<(usize, Vec<u8>)> = regions.into_iter().flatten().collect();
    let rows = regions.first().map_or(0, |(rows, _)| *rows);
    if faults.is_empty() && regions.iter().any(|(other, _)| *other != rows) {
        let loc = vec!["body".into(), "inputs".into()];
        faults.push(Fault::new("value_error", loc, "All inputs should have the same number of rows"));
    }
    let inputs = regions.into_iter().map(|(_, region)| region).collect();
    if faults.is_empty() { Ok(Batch { rows, inputs }) } else { Err(faults) }
}

/// The golden rows of a seal as a request and the outputs that must come back, to the bit: numbers are
/// printed shortest, so equal JSON is equal bits. `None` for a module that was not sealed.
pub fn golden(module: &Module) -> Option<(InferRequest, Vec<InferTensor>)> {
    let (manifest, golden) = (module.manifest(), &module.seal()?.golden);
    let rows = golden.rows as usize;
    let given = golden.inputs(manifest)?;
    let mut inputs = tensors(&manifest.inputs, rows, &given);
    for ((spec, region), tensor) in manifest.inputs.iter().zip(&given).zip(&mut inputs) {
        let Some(strings) = &spec.strings else { continue };
        let unseen = (0..).map(|i| format!("unseen {i}")).find(|text| !strings.contains(text))?;
        for (id, text) in region.chunks_exact(4).zip(tensor.data.as_array_mut()?) {
            if element::number(spec.datatype, id) as i32 == UNSEEN {
                *text = json!(unseen);
            }
        }
    }
    let request = InferRequest { id: None, parameters: None, inputs, outputs: Vec::new() };
    Some((request, decode(manifest, rows, &golden.outputs()?)))
}

/// All outputs as tensors with flat data, from the regions that [`Module::run`](crate::Module::run)
/// answered for `rows` rows.
pub fn decode(manifest: &Manifest, rows: usize, outputs: &[Vec<u8>]) -> Vec<InferTensor> {
    tensors(&manifest.outputs, rows, outputs)
}

fn tensors(specs: &[TensorSpec], rows: usize, regions: &[Vec<u8>]) -> Vec<InferTensor> {
    let tensor = |(spec, region): (&TensorSpec, &Vec<u8>)| InferTensor {
        name: spec.name.clone(),
        shape: shape(spec, rows),
        datatype: spec.datatype,
        parameters: None,
        data: region.chunks_exact(spec.datatype.bytes()).map(|bytes| json!(Element(spec, bytes))).collect(),
    };
    specs.iter().zip(regions).map(tensor).collect()
}

/// The manifest's shape with the rows filled in. Where the model has no rows axis, more than one
/// row is a stack of answers.
fn shape(spec: &TensorSpec, rows: usize) -> Vec<u64> {
    let fixed = spec.shape.iter().filter(|axis| **axis >= 0).map(|axis| *axis as u64);
    let has_rows = spec.shape.first() == Some(&-1) || rows != 1;
    has_rows.then_some(rows as u64).into_iter().chain(fixed).collect()
}

fn encode_tensor(
    spec: &TensorSpec,
    tensor: &InferTensor,
    loc: &dyn Fn(&str) -> Vec<Loc>,
    faults: &mut Vec<Fault>,
) -> (usize, Vec<u8>) {
    if tensor.datatype != spec.datatype {
        let message = format!("Input should be of datatype {}", spec.datatype);
        faults.push(Fault::new("datatype", loc("datatype"), message));
    }
    let fixed: Vec<u64> = spec.shape.iter().filter(|axis| **axis >= 0).map(|axis| *axis as u64).collect();
    let rows = match (spec.shape.first(), tensor.shape.split_first()) {
        (Some(-1), Some((rows, rest))) if rest == fixed => usize::try_from(*rows).ok(),
        (Some(-1), _) => None,
        _ => (tensor.shape == fixed).then_some(1),
    };
    let Some((rows, elements)) = rows.and_then(|rows| Some((rows, rows.checked_mul(spec.row_elements())?))) else {
        let wanted: Vec<String> =
            spec.shape.iter().map(|axis| if *axis < 0 { "rows".to_owned() } else { axis.to_string() }).collect();
        faults.push(Fault::new("shape", loc("shape"), format!("Input should be of shape [{}]", wanted.join(", "))));
        return (0, Vec::new());
    };
    let mut values = Vec::new();
    flatten(&tensor.data, &mut values);
    if values.len() != elements {
        let message = format!("Input should hold the {elements} elements of its shape, not {}", values.len());
        faults.push(Fault::new("length", loc("data"), message));
        return (rows, Vec::new());
    }
    let (writer, width) = (Writer::new(spec), spec.datatype.bytes());
    let mut region = vec![0; elements * width];
    for (i, (value, element)) in values.into_iter().zip(region.chunks_exact_mut(width)).enumerate() {
        if let Err(refused) = writer.write(value.into(), element) {
            let mut at = loc("data");
            at.push(i.into());
            faults.push(refused.at(at));
        }
    }
    (rows, region)
}

fn flatten<'a>(data: &'a Value, values: &mut Vec<&'a Value>) {
    match data {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, values)),
        value => values.push(value),
    }
}
