//! Models of a few operators and their answers.

use beira_inference_wasm::{Compiled, Options, Reference, compile};
use contract::Datatype;
use prost::Message;
use tract_onnx::pb::{AttributeProto, ModelProto, TensorProto, attribute_proto};

use crate::build::{model, node};

/// The answer to one row (or to the only input), with vectors and without; tract's is close.
pub fn answer(model: &ModelProto, inputs: Vec<Vec<u8>>) -> (Compiled, Vec<u8>) {
    let onnx = model.encode_to_vec();
    let run = |simd: bool| {
        let compiled = compile(&onnx, &Options { simd, ..Options::default() }).unwrap_or_else(|e| panic!("{e}"));
        let module = host_native::Module::load(&compiled.wasm).unwrap();
        let answers = module.run(&host_native::Batch { rows: 1, inputs: inputs.clone() }).unwrap();
        (compiled, answers.into_iter().next().unwrap())
    };
    let (compiled, answer) = run(true);
    assert_eq!(run(false).1, answer, "without vectors");
    // Not every model that compiles can be evaluated by tract.
    let theirs = Reference::load(&onnx).and_then(|reference| reference.run(1, &inputs));
    let Ok(theirs) = theirs.map(|mut all| all.remove(0)) else { return (compiled, answer) };
    match compiled.manifest.outputs[0].datatype {
        Datatype::Fp32 => {
            for (ours, theirs) in floats(&answer).into_iter().zip(floats(&theirs)).filter(|(x, _)| x.is_finite()) {
                assert!((ours - theirs).abs() <= 1e-5 * theirs.abs().max(1.0), "{ours}, tract says {theirs}");
            }
        }
        _ => assert_eq!(answer, theirs, "tract"),
    }
    (compiled, answer)
}

/// A model of floats, and its answer.
#[track_caller]
pub fn check(model: &ModelProto, inputs: &[&[f32]], expected: &[f32]) {
    let got = floats(&answer(model, inputs.iter().map(|i| region(i)).collect()).1);
    let close = |(a, b): (&f32, &f32)| a == b || (a - b).abs() <= 1e-5 * b.abs().max(1.0);
    assert!(got.len() == expected.len() && got.iter().zip(expected).all(close), "{got:?}, not {expected:?}");
}

pub fn region(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

pub fn floats(region: &[u8]) -> Vec<f32> {
    region.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

pub fn number(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: attribute_proto::AttributeType::Float as i32, f, ..Default::default() }
}

pub fn one(
    shape: &[i64],
    constants: Vec<TensorProto>,
    op: &str,
    inputs: &[&str],
    attributes: Vec<AttributeProto>,
) -> ModelProto {
    model(shape, constants, vec![node(op, inputs, "y", attributes)])
}
