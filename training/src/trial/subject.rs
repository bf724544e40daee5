//! One model on trial: its bytes, where it comes from, and what its run knows of its rows.

use std::path::Path;

use contract::Manifest;
use host_native::{Module, sections};
use inference_wasm::Options;

use super::answers;
use super::reference::Reference;
use super::rows::Rows;
use crate::gate::{Labels, Report, Scores};
use crate::pipeline::Pipeline;
use crate::progress::Terminal;
use crate::tracking::{Client, StoredRun, Version, folder, version};
use crate::{Error, Trained, fit, heldout, package};

/// Golden rows of a model that came without data.
const GOLDEN: usize = 4;

/// A model on trial.
pub(super) struct Subject {
    /// Name for the report, `wine-quality/7` or a file.
    pub name: String,
    /// Its version, when it is registered.
    pub version: Option<Version>,
    /// The run it comes from, when one is known.
    pub run: Option<StoredRun>,
    /// The pipeline's data, when it was fitted here.
    pub trained: Option<(Pipeline, Trained)>,
    /// The ONNX file, for the reference.
    pub onnx: Option<Vec<u8>>,
    /// The sealed module, or why there is none.
    wasm: Result<Vec<u8>, String>,
    manifest: Option<Manifest>,
}

/// A model that has run.
pub(super) struct Run {
    /// The loaded module, or why it is refused.
    pub module: Result<Module, String>,
    /// The rows as the module takes them.
    pub batch: host_native::Batch,
    /// What it answered, region by region.
    pub regions: Vec<Vec<u8>>,
    /// The answers beside the labels.
    pub scores: Scores,
}

impl Subject {
    /// Fetches a model; `None` when the registry has no such version or alias. Damage of the model
    /// is no error: it is kept for the verdict.
    pub fn load(client: &Client, reference: &Reference) -> Result<Option<Subject>, Error> {
        match reference {
            Reference::Registered { name, at } => match version(client, name, at)? {
                Some(version) => registered(client, version).map(Some),
                None => Ok(None),
            },
            Reference::Wasm(path) => {
                let wasm = read(path)?;
                // The ONNX file beside the module, when the module says that it was compiled from it.
                let beside = std::fs::read(path.with_extension("onnx")).ok();
                let onnx = beside.filter(|onnx| {
                    sections::read(&wasm).is_ok_and(|found| found.manifest.onnx_sha256 == sections::sha256(onnx))
                });
                Ok(Some(Subject::new(reference.to_string(), Ok(wasm), onnx)))
            }
            Reference::Onnx(path) => {
                let onnx = read(path)?;
                Ok(Some(Subject::new(reference.to_string(), compile(&onnx), Some(onnx))))
            }
            Reference::Pipeline(path) => {
                let pipeline = Pipeline::load(path)?;
                let trained = fit(&pipeline, &mut Terminal::default())?;
                let package = package(&trained)?;
                let onnx = Some(trained.onnx.clone());
                let mut subject = Subject::new(reference.to_string(), Ok(package.wasm), onnx);
                subject.trained = Some((pipeline, trained));
                Ok(Some(subject))
            }
        }
    }

    fn new(name: String, wasm: Result<Vec<u8>, String>, onnx: Option<Vec<u8>>) -> Subject {
        let manifest = wasm.as_ref().ok().and_then(|wasm| Some(sections::read(wasm).ok()?.manifest));
        Subject { name, version: None, run: None, trained: None, onnx, wasm, manifest }
    }

    /// The signature, where it can be read.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// The module's bytes.
    pub fn wasm(&self) -> Option<&[u8]> {
        self.wasm.as_deref().ok()
    }

    /// Loads the module (its golden rows run) and asks it for every row.
    pub fn run(&self, rows: &Rows, labels: &Labels) -> Run {
        let nothing = |module: Result<Module, String>, why: &str| Run {
            module,
            batch: host_native::Batch::default(),
            regions: Vec::new(),
            scores: Scores::Refused(why.to_owned()),
        };
        let loaded = self.wasm.as_ref().map_err(Clone::clone);
        let loaded = loaded.and_then(|wasm| Module::load(wasm).map_err(|error| error.to_string()));
        let module = match loaded {
            Ok(module) => module,
            Err(why) => return nothing(Err(why), ""),
        };
        if let Some(onnx) = &self.onnx
            && sections::sha256(onnx) != module.manifest().onnx_sha256
        {
            return nothing(Err("it was not compiled from the ONNX file beside it (sha256 differs)".to_owned()), "");
        }
        let batch = match rows.batch(module.manifest()) {
            Ok(batch) => batch,
            Err(faults) => {
                let first = faults.first().map(ToString::to_string).unwrap_or_default();
                return nothing(Ok(module), &format!("it does not take the held-out rows: {first}"));
            }
        };
        match module.run(&batch) {
            Ok(regions) => {
                let scores = answers::scores(module.manifest(), &regions, labels);
                Run { module: Ok(module), batch, regions, scores }
            }
            Err(error) => nothing(Err(error.to_string()), ""),
        }
    }

    /// Identities of the rows that its fit has seen; `None` when they are not known.
    pub fn seen(&self) -> Result<Option<Vec<u128>>, Error> {
        let text = match (&self.trained, &self.run) {
            (Some((_, trained)), _) => heldout::seen(&trained.data, &trained.parts),
            (None, Some(run)) => match run.artifact("heldout/seen.txt")? {
                Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                None => return Ok(None),
            },
            (None, None) => return Ok(None),
        };
        // A line that is no hash would hide a leak.
        let hashes: Option<Vec<u128>> = text.lines().map(|line| u128::from_str_radix(line, 16).ok()).collect();
        Ok(hashes.filter(|hashes| !hashes.is_empty()))
    }

    /// Logs a verdict to the run; answers its id.
    pub fn log(&self, report: &Report) -> Result<Option<String>, Error> {
        let Some(run) = &self.run else { return Ok(None) };
        let verdict = report.verdict.to_string();
        let champion = report.champion.clone().unwrap_or_else(|| "none".to_owned());
        let tags = [("gate/verdict", verdict.as_str()), ("gate/reason", &report.reason), ("gate/champion", &champion)];
        let (markdown, json) = (report.markdown(), report.json());
        let files = [("gate/report.md", markdown.as_bytes()), ("gate/report.json", json.as_bytes())];
        run.add(&report.figures(), &tags, &files)?;
        Ok(Some(run.id.clone()))
    }
}

fn registered(client: &Client, version: Version) -> Result<Subject, Error> {
    let root = folder(client, &version)?;
    let onnx = root.read(client, "model.onnx")?;
    let wasm = match (root.read(client, "model.wasm")?, &onnx) {
        (Some(wasm), _) => Ok(wasm),
        (None, Some(onnx)) => compile(onnx),
        (None, None) => Err("its folder holds neither model.wasm nor model.onnx".to_owned()),
    };
    let mut subject = Subject::new(format!("{}/{}", version.name, version.version), wasm, onnx);
    if !version.run_id.is_empty() {
        subject.run = Some(StoredRun::get(client, &version.run_id)?);
    }
    subject.version = Some(version);
    Ok(subject)
}

/// As the server does with a model that came without a module.
fn compile(onnx: &[u8]) -> Result<Vec<u8>, String> {
    let compiled = inference_wasm::compile(onnx, &Options::default()).map_err(|error| error.to_string())?;
    let golden = host_native::seal::pseudo_rows(&compiled.manifest, GOLDEN.min(compiled.manifest.rows_max as usize));
    host_native::seal::seal(&compiled.wasm, &golden, None).map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let wrong = |source| Error::File { action: "read", path: path.to_owned(), source, help: String::new() };
    std::fs::read(path).map_err(wrong)
}
