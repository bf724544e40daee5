//! Reads a model's case and compares answers with it.

use std::path::{Path, PathBuf};

use contract::{Datatype, TensorSpec};
use beira_inference_wasm::Reference;
use serde_json::Value;

/// Where the models are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

/// The reference's answer to the case is onnxruntime's.
pub fn check(model: &Path, case: &Path) {
    let bytes = std::fs::read(model).unwrap();
    let case: Value = serde_json::from_slice(&std::fs::read(case).unwrap()).unwrap();
    let reference = match Reference::load(&bytes) {
        Ok(reference) => reference,
        Err(error) => panic!("{}: {error}", model.display()),
    };
    let signature = reference.signature();
    let rows = rows(&signature.inputs, &case);
    let inputs: Vec<Vec<u8>> = signature.inputs.iter().map(|s| encode(s, &case["inputs"][&s.name])).collect();
    let outputs = reference.run(rows, &inputs).unwrap_or_else(|e| panic!("{}: {e}", model.display()));
    for (spec, got) in signature.outputs.iter().zip(&outputs) {
        compare(&format!("{}: {}", model.display(), spec.name), spec, got, &case["outputs"][&spec.name]);
    }
}

/// Rows of a case: the length of the axis that the signature leaves free.
pub fn rows(inputs: &[TensorSpec], case: &Value) -> usize {
    let free = inputs.iter().find(|s| s.shape.first() == Some(&-1));
    free.map_or(1, |s| case["inputs"][&s.name]["shape"][0].as_u64().unwrap() as usize)
}

/// A tensor of a case as a region of memory.
pub fn encode(spec: &TensorSpec, tensor: &Value) -> Vec<u8> {
    let data = tensor["data"].as_array().unwrap_or_else(|| panic!("the case has no {:?}", spec.name));
    let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
    let one = |v: &Value| match spec.datatype {
        Datatype::Bytes => {
            let strings = spec.strings.as_ref().unwrap();
            let id = strings.iter().position(|s| Some(s.as_str()) == v.as_str()).map_or(-1, |i| i as i32);
            id.to_le_bytes().to_vec()
        }
        Datatype::Fp32 => (number(v) as f32).to_le_bytes().to_vec(),
        Datatype::Fp64 => number(v).to_le_bytes().to_vec(),
        Datatype::Int64 => v.as_i64().unwrap().to_le_bytes().to_vec(),
        Datatype::Int32 => (v.as_i64().unwrap() as i32).to_le_bytes().to_vec(),
        Datatype::Bool => vec![u8::from(v.as_i64() == Some(1))],
        other => panic!("{other} in a case"),
    };
    data.iter().flat_map(one).collect()
}

/// Numbers to 1e-5 (absolute, or relative above 1), everything else exactly.
pub fn compare(what: &str, spec: &TensorSpec, got: &[u8], expected: &Value) {
    let expected = expected["data"].as_array().unwrap_or_else(|| panic!("{what}: the case has no such output"));
    let size = spec.datatype.bytes();
    assert_eq!(got.len(), expected.len() * size, "{what}: bytes");
    for (i, (got, expected)) in got.chunks_exact(size).zip(expected).enumerate() {
        let float = match spec.datatype {
            Datatype::Fp32 => f64::from(f32::from_le_bytes(got.try_into().unwrap())),
            Datatype::Fp64 => f64::from_le_bytes(got.try_into().unwrap()),
            Datatype::Bytes => {
                let id = i32::from_le_bytes(got.try_into().unwrap());
                let string = usize::try_from(id).ok().and_then(|id| spec.strings.as_ref()?.get(id));
                assert_eq!(string.map(String::as_str), expected.as_str(), "{what}[{i}]");
                continue;
            }
            Datatype::Int64 => {
                assert_eq!(Some(i64::from_le_bytes(got.try_into().unwrap())), expected.as_i64(), "{what}[{i}]");
                continue;
            }
            Datatype::Int32 => {
                assert_eq!(Some(i64::from(i32::from_le_bytes(got.try_into().unwrap()))), expected.as_i64(), "{what}[{i}]");
                continue;
            }
            _ => {
                assert_eq!(Some(i64::from(got[0])), expected.as_i64(), "{what}[{i}]");
                continue;
            }
        };
        let expected = expected.as_f64().unwrap_or(f64::NAN);
        let close = (float - expected).abs() <= 1e-5 * expected.abs().max(1.0);
        assert!(close || (float.is_nan() && expected.is_nan()), "{what}[{i}]: {float}, onnxruntime has {expected}");
    }
}
