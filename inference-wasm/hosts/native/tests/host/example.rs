//! A model of three inputs and two outputs, written by hand:
//! `p = size / 4 + color / 8`, `label = visits + 1`, `probabilities = {no: 1 - p, yes: p}`.
//! `visits = -7` makes it answer code 3, `-8` makes it trap.

use contract::manifest::{Cost, MANIFEST, VERSION};
use contract::profile::{Bins, Reference, Score};
use contract::{Datatype, Manifest, Profile, TensorSpec};
use host_native::{Batch, Module, seal, sections};

const WAT: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "run") (param $rows i32) (result i32)
    (local $i i32) (local $p f32) (local $visits i64)
    (loop $row
      (local.set $visits (i64.load offset=32 (i32.mul (local.get $i) (i32.const 8))))
      (if (i64.eq (local.get $visits) (i64.const -7)) (then (return (i32.const 3))))
      (if (i64.eq (local.get $visits) (i64.const -8)) (then (unreachable)))
      (local.set $p (f32.add
        (f32.mul (f32.load offset=0 (i32.mul (local.get $i) (i32.const 4))) (f32.const 0.25))
        (f32.mul (f32.convert_i32_s (i32.load offset=16 (i32.mul (local.get $i) (i32.const 4)))) (f32.const 0.125))))
      (i64.store offset=64 (i32.mul (local.get $i) (i32.const 8)) (i64.add (local.get $visits) (i64.const 1)))
      (f32.store offset=96 (i32.mul (local.get $i) (i32.const 8)) (f32.sub (f32.const 1) (local.get $p)))
      (f32.store offset=100 (i32.mul (local.get $i) (i32.const 8)) (local.get $p))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $row (i32.lt_u (local.get $i) (local.get $rows))))
    (i32.const 0)))"#;

pub fn manifest() -> Manifest {
    let strings = |list: &[&str]| Some(list.iter().map(|text| (*text).to_owned()).collect());
    let spec = |name: &str, datatype, shape: &[i64], offset| TensorSpec {
        name: name.to_owned(),
        datatype,
        shape: shape.to_vec(),
        offset,
        strings: None,
        columns: None,
        date: None,
    };
    let mut manifest = Manifest {
        version: VERSION,
        compiler: "by hand".to_owned(),
        onnx_sha256: String::new(),
        opset: Default::default(),
        rows_max: 2,
        inputs: vec![
            spec("size", Datatype::Fp32, &[-1, 1], 0),
            spec("color", Datatype::Bytes, &[-1, 1], 16),
            spec("visits", Datatype::Int64, &[-1, 1], 32),
        ],
        outputs: vec![spec("label", Datatype::Int64, &[-1], 64), spec("probabilities", Datatype::Fp32, &[-1, 2], 96)],
        cost: Cost::default(),
        relaxed: false,
    };
    manifest.inputs[1].strings = strings(&["red", "green"]);
    manifest.outputs[1].columns = strings(&["no", "yes"]);
    manifest
}

pub fn profile() -> Profile {
    let reference =
        |name: &str, bins: Bins| Reference { name: name.to_owned(), counts: vec![0; bins.len()], bins, missing: 0 };
    let mut profile = Profile {
        edges_sha256: String::new(),
        rows: 0,
        features: vec![
            reference("size", Bins::Edges(vec![1.0, 2.0])),
            reference("color", Bins::Categories(vec!["red".to_owned(), "green".to_owned()])),
            reference("visits", Bins::Edges(vec![10.0])),
        ],
        score: Some(Score {
            output: "probabilities".to_owned(),
            element: Some(1),
            bins: Bins::Edges(vec![0.5]),
            counts: vec![0, 0],
            held_out: None,
        }),
    };
    profile.edges_sha256 = monitoring::reference::edges_sha256(&profile);
    profile
}

/// A module of `wat` with `manifest`.
pub fn unsealed(wat: &str, manifest: &Manifest) -> Vec<u8> {
    let mut module = wat::parse_str(wat).unwrap();
    sections::append(&mut module, MANIFEST, &serde_json::to_vec(manifest).unwrap());
    module
}

pub fn example() -> Vec<u8> {
    unsealed(WAT, &manifest())
}

pub fn sealed() -> Vec<u8> {
    seal::seal(&example(), &seal::pseudo_rows(&manifest(), 5), Some(profile())).unwrap()
}

pub fn loaded() -> Module {
    Module::load(&sealed()).unwrap()
}

/// A batch of `(size, color, visits)`.
pub fn batch(rows: &[(f32, i32, i64)]) -> Batch {
    Batch {
        rows: rows.len(),
        inputs: vec![
            rows.iter().flat_map(|row| row.0.to_le_bytes()).collect(),
            rows.iter().flat_map(|row| row.1.to_le_bytes()).collect(),
            rows.iter().flat_map(|row| row.2.to_le_bytes()).collect(),
        ],
    }
}
