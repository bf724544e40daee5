//! Do hosts agree on the candidate? wasmtime beside the reference evaluator, and Node where its
//! package is at hand.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use contract::Manifest;
use host_native::{Batch, records};
use inference_wasm::Reference;
use serde_json::{Map, Value, json};

use super::rows::Rows;
use super::subject::{Run, Subject};
use crate::gate::Parity;

/// Most rows that the hosts are compared on: the reference is slow.
const ROWS: usize = 2000;

/// Greatest difference of each host. Without the ONNX file there is no reference to evaluate, and
/// Node alone stands beside wasmtime; with neither nothing is measured.
pub(super) fn parity(candidate: &Subject, run: &Run, rows: &Rows, web_package: Option<&Path>) -> Vec<Parity> {
    let Ok(module) = &run.module else { return Vec::new() };
    let count = run.batch.rows.min(ROWS);
    if run.regions.is_empty() || count == 0 {
        return Vec::new();
    }
    let manifest = module.manifest();
    let batch = first(&run.batch, manifest, count);
    let wasmtime = records::decode(manifest, count, &run.regions);
    let mut found = Vec::new();
    let truth = match &candidate.onnx {
        Some(onnx) => {
            let reference = reference(onnx, &batch);
            let truth = reference.map(|regions| records::decode(manifest, count, &regions));
            let off = truth.as_ref().map_or(f64::NAN, |truth| difference(truth, &wasmtime));
            found.push(Parity { host: "wasmtime beside tract".to_owned(), max_difference: off });
            truth
        }
        None => None,
    };
    if let (Some(package), Some(wasm)) = (web_package, candidate.wasm()) {
        let beside = if truth.is_some() { "tract" } else { "wasmtime" };
        let sent = rows.records(manifest);
        let off = node(package, wasm, &sent[..count])
            .map_or(f64::NAN, |answers| difference(truth.as_ref().unwrap_or(&wasmtime), &answers));
        found.push(Parity { host: format!("Node beside {beside}"), max_difference: off });
    }
    found
}

/// The first rows of a batch.
fn first(batch: &Batch, manifest: &Manifest, rows: usize) -> Batch {
    let cut = |(region, spec): (&Vec<u8>, &contract::TensorSpec)| region[..rows * spec.row_bytes()].to_vec();
    Batch { rows, inputs: batch.inputs.iter().zip(&manifest.inputs).map(cut).collect() }
}

/// tract's answers; `None` when it does not evaluate the model.
fn reference(onnx: &[u8], batch: &Batch) -> Option<Vec<Vec<u8>>> {
    let reference = Reference::load(onnx).ok()?;
    if reference.signature().row_wise {
        return reference.run(batch.rows, &batch.inputs).ok();
    }
    let mut all: Vec<Vec<u8>> = vec![Vec::new(); reference.signature().outputs.len()];
    for row in 0..batch.rows {
        let one: Vec<Vec<u8>> = (batch.inputs.iter())
            .map(|region| {
                let width = region.len() / batch.rows;
                region[row * width..][..width].to_vec()
            })
            .collect();
        let answers = reference.run(1, &one).ok()?;
        all.iter_mut().zip(answers).for_each(|(all, answer)| all.extend(answer));
    }
    Some(all)
}

/// What `node` answers with the package `beira`; `None` when anything fails on the way.
fn node(package: &Path, wasm: &[u8], records: &[Map<String, Value>]) -> Option<Vec<Value>> {
    const SCRIPT: &str = include_str!("hosts/node.mjs");
    let mut child = Command::new("node")
        .args(["--input-type=module", "--eval", SCRIPT, "--"])
        .arg(std::path::absolute(package).ok()?.join("node.js"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .ok()?;
    let request = json!({"module": contract::hex::encode(wasm), "records": records}).to_string();
    let mut stdin = child.stdin.take()?;
    // From a thread of its own: both pipes may fill.
    let writer = std::thread::spawn(move || stdin.write_all(request.as_bytes()));
    let output = child.wait_with_output().ok()?;
    let written = writer.join().is_ok_and(|result| result.is_ok());
    (written && output.status.success()).then(|| serde_json::from_slice(&output.stdout).ok())?
}

/// Greatest difference of the numbers in two lists of answers, relative to 1 + |truth|; labels are
/// compared where there is no number with a fraction to compare. NaN where the shapes differ.
fn difference(truth: &[Value], answers: &[Value]) -> f64 {
    if truth.len() > answers.len() {
        return f64::NAN;
    }
    truth.iter().zip(answers).map(|(truth, answer)| off(truth, answer)).fold(0.0, worse)
}

fn off(truth: &Value, answer: &Value) -> f64 {
    match (truth, answer) {
        (Value::Object(truth), Value::Object(answer)) => {
            // A label follows from the probabilities: on a tie it may be either.
            let scored = |value: &Value| matches!(value, Value::Object(_) | Value::Array(_)) || value.is_f64();
            let floats = truth.values().any(scored);
            let each = truth.iter().filter(|(_, value)| !floats || scored(value));
            each.map(|(key, truth)| answer.get(key).map_or(f64::NAN, |answer| off(truth, answer))).fold(0.0, worse)
        }
        (Value::Array(truth), Value::Array(answer)) if truth.len() == answer.len() => {
            truth.iter().zip(answer).map(|(truth, answer)| off(truth, answer)).fold(0.0, worse)
        }
        (truth, answer) if truth == answer => 0.0,
        (truth, answer) => match (truth.as_f64(), answer.as_f64()) {
            (Some(truth), Some(answer)) => (answer - truth).abs() / (1.0 + truth.abs()),
            _ => f64::NAN,
        },
    }
}

/// The greater one; NaN is the greatest.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(truth: Value, answer: Value, expected: f64) {
        let found = difference(&[truth], &[answer]);
        assert!(found == expected || (found.is_nan() && expected.is_nan()), "{found}");
    }

    #[test]
    fn differences() {
        let answer = |label: i64, yes: Value| json!({"label": label, "p": {"no": 0.5, "yes": yes}});
        check(answer(1, json!(1.0)), answer(1, json!(1.0)), 0.0);
        check(answer(1, json!(1.0)), answer(0, json!(1.5)), 0.25);
        check(answer(1, json!(1.0)), answer(1, Value::Null), f64::NAN);
        check(json!({"label": 1}), json!({"label": 1}), 0.0);
        check(json!({"label": "a"}), json!({"label": "b"}), f64::NAN);
        check(json!({"p": [0.5]}), json!({"p": [0.5, 0.5]}), f64::NAN);
        assert!(difference(&[json!(1)], &[]).is_nan());
    }
}
