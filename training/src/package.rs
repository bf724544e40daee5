//! From ONNX to a sealed module, and the proof that both answer what the trained model does.

use contract::{Datatype, Manifest};
use host_native::{Batch, Module, records, seal};
use inference_wasm::{Options, Reference};

use crate::fit::Trained;
use crate::heldout;
use crate::profile::{floats, profile};
use crate::{Error, data::Data};

/// Golden rows: the first rows held out.
const GOLDEN: usize = 8;
/// Greatest accepted difference of a probability or number, relative to 1 + |value|.
const TOLERANCE: f64 = 1e-5;
/// Beyond this difference an answer is counted as another one.
const SAME: f64 = 1e-6;

/// A module ready for any host.
pub struct Package {
    /// The module with golden rows and profile.
    pub wasm: Vec<u8>,
    /// Signature and cost.
    pub manifest: Manifest,
    /// Identity.
    pub sha256: String,
    /// Identity of the edges that hosts count on.
    pub edges_sha256: String,
    /// Greatest difference on all rows between the module and the trained model.
    pub difference: f64,
    /// Answers, of all rows, in which they differ by more than 1e-6.
    pub differing: usize,
    /// Greatest difference on the test rows between the module and tract on the ONNX file.
    pub difference_to_reference: f64,
}

/// Compiles, checks on all rows, and seals with golden rows and the profile of the training rows.
pub fn package(trained: &Trained) -> Result<Package, Error> {
    let (data, parts) = (&trained.data, &trained.parts);
    let compiled = inference_wasm::compile(&trained.onnx, &Options::default())?;
    let manifest = compiled.manifest;
    let module = Module::load(&compiled.wasm)?;
    let all: Vec<usize> = (0..data.rows).collect();
    let answers = numbers(&manifest, &module.run(&encode(&manifest, data, &all)?)?);
    let learnt = trained.answer(data, &all)?.values;
    let difference = difference(&answers, &learnt);
    within("the compiled module", difference)?;
    let differing = answers.iter().zip(&learnt).filter(|pair| off(*pair) > SAME).count();
    let test = encode(&manifest, data, &parts.test)?;
    let reference = numbers(&manifest, &Reference::load(&trained.onnx)?.run(test.rows, &test.inputs)?);
    let served = numbers(&manifest, &module.run(&test)?);
    let difference_to_reference = self::difference(&served, &reference);
    within("the reference evaluator", self::difference(&reference, &trained.answers.values))?;

    let golden: Vec<usize> = parts.test.iter().copied().take(GOLDEN).collect();
    let held: Vec<usize> = parts.validation.iter().chain(&parts.test).copied().collect();
    let scores = module.run(&encode(&manifest, data, &held)?)?;
    let train = encode(&manifest, data, &parts.train)?;
    let profile = profile(data, &manifest, (&parts.train, &train), (&held, &scores))?;
    let edges_sha256 = profile.edges_sha256.clone();
    let wasm = seal::seal(&compiled.wasm, &encode(&manifest, data, &golden)?, Some(profile))?;
    let sha256 = Module::load(&wasm)?.sha256().to_owned();
    Ok(Package { wasm, manifest, sha256, edges_sha256, difference, differing, difference_to_reference })
}

/// Rows through the same door that a request takes.
fn encode(manifest: &Manifest, data: &Data, rows: &[usize]) -> Result<Batch, Error> {
    records::encode(manifest, &heldout::records(data, rows)).map_err(|faults| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        Error::data(&data.place, format!("the model does not take its own rows: {first}"))
    })
}

/// The output of floats: probabilities, or the predicted number.
fn numbers(manifest: &Manifest, regions: &[Vec<u8>]) -> Vec<f32> {
    let output = manifest.outputs.iter().position(|spec| spec.datatype == Datatype::Fp32);
    output.map_or_else(Vec::new, |output| floats(&regions[output]))
}

/// Greatest difference; infinite when the lengths differ.
fn difference(got: &[f32], wanted: &[f32]) -> f64 {
    if got.len() != wanted.len() {
        return f64::INFINITY;
    }
    got.iter().zip(wanted).map(off).fold(0.0, f64::max)
}

/// Difference relative to 1 + |value|; infinite when one is not a number.
fn off((got, wanted): (&f32, &f32)) -> f64 {
    let (got, wanted) = (f64::from(*got), f64::from(*wanted));
    let off = (got - wanted).abs() / (1.0 + wanted.abs());
    if off.is_nan() { f64::INFINITY } else { off }
}

fn within(who: &'static str, difference: f64) -> Result<(), Error> {
    if difference <= TOLERANCE { Ok(()) } else { Err(Error::Parity { who, difference, tolerance: TOLERANCE }) }
}
