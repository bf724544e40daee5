//! One case: what the compiler made of a file, and whether that may be.

use std::panic::{AssertUnwindSafe, catch_unwind};

use contract::{Datatype, Manifest};
use host_native::{Module, seal};
use inference_wasm::{Error, Options, Reference, compile};

/// What became of a case.
pub enum Verdict {
    /// It compiled, and its answers are right as far as they were asked for.
    Compiled,
    /// It was refused with a reason.
    Refused,
    /// Something that must not be.
    Finding(String),
}

/// Rows that are asked for.
const ROWS: usize = 3;
/// tract sums in another order and has other exponentials.
const RELATIVE: f64 = 1e-3;
const ABSOLUTE: f64 = 1e-4;

/// Compiles, and with `answers` compares with tract and with the scalar module.
pub fn judge(bytes: &[u8], answers: bool) -> Verdict {
    match catch_unwind(AssertUnwindSafe(|| tried(bytes, answers))) {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(what)) => Verdict::Finding(what),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Verdict::Finding(format!("panic: {}", text.unwrap_or_default()))
        }
    }
}

fn tried(bytes: &[u8], answers: bool) -> Result<Verdict, String> {
    let options = Options { rows_max: Some(ROWS as u32), ..Options::default() };
    let compiled = match compile(bytes, &options) {
        Ok(compiled) => compiled,
        Err(Error::Bug(what)) => return Err(format!("a mistake of the compiler: {what}")),
        Err(_) => return Ok(Verdict::Refused),
    };
    let module = Module::load(&compiled.wasm).map_err(|error| format!("the module does not load: {error}"))?;
    if !answers {
        return Ok(Verdict::Compiled);
    }
    let rows = ROWS.min(module.manifest().rows_max as usize);
    let batch = seal::pseudo_rows(module.manifest(), rows);
    let run = |module: &Module| module.run(&batch).map_err(|error| format!("the module does not run: {error}"));
    let ours = run(&module)?;
    let scalar = compile(bytes, &Options { simd: false, ..options.clone() })
        .map_err(|error| format!("without SIMD: {error}"))?;
    let scalar = Module::load(&scalar.wasm).map_err(|error| format!("without SIMD: {error}"))?;
    if run(&scalar)? != ours {
        return Err("other bits without SIMD".to_owned());
    }
    // tract may refuse to run what it has read: then there is nothing to compare with. It reads the remainder of a float
    // otherwise than ONNX's own evaluator and this compiler.
    if compiled.graph.contains("fmod") {
        return Ok(Verdict::Compiled);
    }
    let Ok(reference) = Reference::load_with(bytes, &options) else { return Ok(Verdict::Compiled) };
    let Ok(Ok(theirs)) = catch_unwind(AssertUnwindSafe(|| reference.run(rows, &batch.inputs))) else {
        return Ok(Verdict::Compiled);
    };
    compare(module.manifest(), &ours, &theirs)?;
    Ok(Verdict::Compiled)
}

/// Numbers beyond this are often quotients by almost nothing, in which rounding is all there is.
const LARGE: f64 = 100.0;

/// Both finite and apart: a finding. Where a number is not finite or large, the two may reach it by other ways.
fn compare(manifest: &Manifest, ours: &[Vec<u8>], theirs: &[Vec<u8>]) -> Result<(), String> {
    for (spec, (a, b)) in manifest.outputs.iter().zip(ours.iter().zip(theirs)) {
        if a.len() != b.len() {
            return Err(format!("output {:?} has {} bytes, tract's {}", spec.name, a.len(), b.len()));
        }
        if spec.datatype != Datatype::Fp32 {
            continue;
        }
        let numbers = |region: &[u8]| -> Vec<f64> {
            region.as_chunks::<4>().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
        };
        let (a, b) = (numbers(a), numbers(b));
        if a.iter().chain(&b).any(|x| !x.is_finite() || x.abs() > LARGE) {
            continue;
        }
        let most = b.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        if let Some(i) = (0..a.len()).find(|i| (a[*i] - b[*i]).abs() > ABSOLUTE + RELATIVE * most) {
            return Err(format!("output {:?}, element {i}: {:e}, tract says {:e}", spec.name, a[i], b[i]));
        }
    }
    Ok(())
}
