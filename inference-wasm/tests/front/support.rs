//! Reads a model's case and compares answers with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use beira_inference_wasm::{Compiled, Options, Reference, compile};
use contract::{Datatype, TensorSpec};
use serde_json::Value;

/// Where the models are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

/// The reference's answer to the case is onnxruntime's, and so is that of the module: in wasmtime
/// (chunk by chunk), in wasmi, with vectors and without, to the bit.
pub fn check(model: &Path, case: &Path) {
    let name = model.display();
    let bytes = std::fs::read(model).unwrap();
    let case: Value = serde_json::from_slice(&std::fs::read(case).unwrap()).unwrap();
    let options = Options { rows_max: Some(32), shapes: shapes(&bytes, &case), ..Options::default() };
    let reference = Reference::load_with(&bytes, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
    let signature = reference.signature();
    let rows = rows(&signature.inputs, &case);
    let inputs: Vec<Vec<u8>> = signature.inputs.iter().map(|s| encode(s, &case["inputs"][&s.name])).collect();

    let truth = reference.run(rows, &inputs).unwrap_or_else(|e| panic!("{name}: {e}"));
    let compiled = compile(&bytes, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
    let answer = wasmtime(&compiled, rows, &inputs);
    for (i, spec) in signature.outputs.iter().enumerate() {
        let expected = &case["outputs"][&spec.name];
        compare(&format!("{name}: {} of the reference", spec.name), spec, &truth[i], expected);
        compare(&format!("{name}: {} of the module", spec.name), spec, &answer[i], expected);
        assert_eq!(compiled.manifest.outputs[i].shape, spec.shape, "{name}: shape of {}", spec.name);
    }
    let scalar = compile(&bytes, &Options { rows_max: Some(3), simd: false, ..options }).unwrap();
    assert_eq!(wasmtime(&scalar, rows, &inputs), answer, "{name}: without vectors, 3 rows a call");
    if rows <= 32 {
        assert_eq!(wasmi(&compiled, rows, &inputs), answer, "{name}: wasmi");
    }
}

/// The case's shapes, for a model that leaves more free than rows.
fn shapes(model: &[u8], case: &Value) -> BTreeMap<String, Vec<Option<usize>>> {
    let told = Reference::load(model).err().is_some_and(|e| e.to_string().contains("--shape"));
    let Some(inputs) = case["inputs"].as_object().filter(|_| told) else { return BTreeMap::new() };
    let size = |v: &Value| v.as_u64().map(|n| n as usize);
    let shape = |tensor: &Value| tensor["shape"].as_array().unwrap().iter().map(size).collect();
    inputs.iter().map(|(name, tensor)| (name.clone(), shape(tensor))).collect()
}

/// In wasmtime, as the native host runs it.
fn wasmtime(compiled: &Compiled, rows: usize, inputs: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let module = host_native::Module::load(&compiled.wasm).unwrap();
    module.run(&host_native::Batch { rows, inputs: inputs.to_vec() }).unwrap()
}

/// In wasmi, one call.
fn wasmi(compiled: &Compiled, rows: usize, inputs: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, &compiled.wasm).unwrap();
    let mut store = wasmi::Store::new(&engine, ());
    let instance = wasmi::Linker::new(&engine).instantiate_and_start(&mut store, &module).unwrap();
    let memory = instance.get_memory(&store, "memory").unwrap();
    for (spec, region) in compiled.manifest.inputs.iter().zip(inputs) {
        memory.write(&mut store, spec.offset as usize, region).unwrap();
    }
    let run = instance.get_typed_func::<i32, i32>(&store, "run").unwrap();
    assert_eq!(run.call(&mut store, rows as i32).unwrap(), 0);
    let region = |spec: &TensorSpec| memory.data(&store)[spec.offset as usize..][..rows * spec.row_bytes()].to_vec();
    compiled.manifest.outputs.iter().map(region).collect()
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
                assert_eq!(
                    Some(i64::from(i32::from_le_bytes(got.try_into().unwrap()))),
                    expected.as_i64(),
                    "{what}[{i}]"
                );
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
