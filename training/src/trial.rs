//! The gate as a job: both models are fetched, run on the same held-out rows, judged, and the
//! verdict is logged and acted upon.
//!
//! ```text
//! reference (models:/NAME/7, FILE.wasm, FILE.onnx, FILE.yaml) → subject (bytes, run, held-out rows)
//!   → rows and labels → answers, parity, latency → gate::decide → report → run, alias
//! ```

mod actions;
mod answers;
mod comment;
mod hosts;
mod latency;
mod promotion;
mod reference;
mod rows;
mod subject;

use std::path::{Path, PathBuf};

use crate::Error;
use crate::gate::{self, Comparison, Contender, Module, Policy, Report, RowHashes, Verdict};
use crate::tracking::Client;

pub use comment::{Comment, comment};
pub use promotion::roll_back;

use reference::Reference;
use subject::Subject;

/// What to compare.
#[derive(Clone, Debug)]
pub struct GateArgs {
    /// `models:/NAME/7`, `models:/NAME@challenger`, FILE.wasm, FILE.onnx, or FILE.yaml: a pipeline that is fitted here.
    pub candidate: String,
    /// The same, or `none`; absent: the alias `champion` of the candidate's model.
    pub champion: Option<String>,
    /// A CSV or Parquet file with labels; `run:heldout` are the rows held out by the candidate's run.
    pub data: String,
    /// Column of the labels in that file; the one that the candidate's run names when absent.
    pub target: Option<String>,
    /// `gate.yaml`; the default policy when absent.
    pub policy: Option<PathBuf>,
    /// Address of the server, `http://127.0.0.1:8080`.
    pub server: String,
    /// Folder of the npm package `beira`: Node is then one of the hosts that are compared.
    pub web_package: Option<PathBuf>,
    /// Whether PROMOTE moves the alias `champion`.
    pub promote: bool,
}

/// A verdict, and what followed from it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict with all that led to it.
    pub report: Report,
    /// Run that it was logged to.
    pub run_id: Option<String>,
    /// Version that is champion now, when the alias was moved.
    pub promoted: Option<String>,
}

/// Compares, decides, logs the verdict to the candidate's run, and with [`GateArgs::promote`] moves
/// the alias. A fault of a model is a verdict; an error is a wrong question, and promotes nothing.
pub fn gate(args: &GateArgs) -> Result<Judged, Error> {
    let policy = read_policy(args.policy.as_deref())?;
    let client = Client::new(&args.server)?;
    let reference = Reference::parse(&args.candidate)?;
    let champion = match (args.champion.as_deref(), &reference) {
        (Some("none"), _) => None,
        (Some(champion), _) => Some(Reference::parse(champion)?),
        (None, Reference::Registered { name, .. }) => Some(Reference::champion(name)),
        (None, _) => {
            let what = "say which model it is compared with: --champion models:/NAME@champion, a file, or none";
            return Err(Error::Model { reference: args.candidate.clone(), what: what.to_owned() });
        }
    };
    let candidate = Subject::load(&client, &reference)?.ok_or_else(|| reference.missing())?;
    if args.promote && candidate.version.is_none() {
        let what = "only a registered version can be promoted; register it, or leave --promote out";
        return Err(Error::Model { reference: args.candidate.clone(), what: what.to_owned() });
    }
    let champion = match champion {
        // A model whose alias `champion` nobody has: the first deployment.
        Some(reference) => match Subject::load(&client, &reference)? {
            None if !reference.is_champion() => return Err(reference.missing()),
            // The first training has made its model champion: there is nothing else to compare it with.
            Some(found) if found.version.is_some() && found.version == candidate.version => None,
            found => found,
        },
        None => None,
    };
    let report = gate::decide(&comparison(args, policy, &candidate, champion.as_ref())?)?;
    let run_id = candidate.log(&report)?;
    let promoted = match &candidate.version {
        Some(version) if args.promote && report.verdict == Verdict::Promote => {
            promotion::promote(&client, version, champion.as_ref().and_then(|champion| champion.version.as_ref()))?;
            Some(version.version.clone())
        }
        _ => None,
    };
    Ok(Judged { report, run_id, promoted })
}

impl Judged {
    /// Writes `report.md` and `report.json` into a folder, which is made.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let wrong = |path: &Path, source| {
            let help = "; --out names a folder that can be written".to_owned();
            Error::File { action: "write", path: path.to_owned(), source, help }
        };
        std::fs::create_dir_all(folder).map_err(|error| wrong(folder, error))?;
        for (name, text) in [("report.md", self.report.markdown()), ("report.json", self.report.json())] {
            let (path, temporary) = (folder.join(name), folder.join(format!(".{name}")));
            std::fs::write(&temporary, text).map_err(|error| wrong(&path, error))?;
            std::fs::rename(&temporary, &path).map_err(|error| wrong(&path, error))?;
        }
        Ok(())
    }

    /// Inside of GitHub Actions: appends the report to the job's summary, and hands `verdict` and
    /// `reason` to later steps. Elsewhere nothing happens.
    pub fn tell_actions(&self) -> Result<(), Error> {
        actions::tell(&self.report)
    }
}

fn read_policy(file: Option<&Path>) -> Result<Policy, Error> {
    let Some(file) = file else { return Ok(Policy::default()) };
    let text = std::fs::read_to_string(file).map_err(|source| {
        let help = "; --policy names a gate.yaml".to_owned();
        Error::File { action: "read", path: file.to_owned(), source, help }
    })?;
    Ok(Policy::parse(&text, &file.display().to_string())?)
}

/// Runs both models, and gathers what is known of them.
fn comparison(
    args: &GateArgs,
    policy: Policy,
    candidate: &Subject,
    champion: Option<&Subject>,
) -> Result<Comparison, Error> {
    let rows = rows::read(args, candidate)?;
    let manifests: Vec<_> = [Some(candidate), champion].into_iter().flatten().filter_map(Subject::manifest).collect();
    let labels = answers::labels(&rows, &manifests)?;
    let runs: Vec<_> = [Some(candidate), champion].into_iter().flatten().map(|s| s.run(&rows, &labels)).collect();
    let latency = latency::paired(&runs);
    let mut contenders = [Some(candidate), champion].into_iter().flatten().zip(&runs).zip(latency).map(
        |((subject, run), latency_us)| Contender {
            name: subject.name.clone(),
            scores: run.scores.clone(),
            module: run.module.as_ref().map_err(Clone::clone).map(|module| Module {
                manifest: module.manifest().clone(),
                bytes: module.bytes_len() as u64,
                latency_us,
            }),
        },
    );
    let Some(judged) = contenders.next() else { unreachable!("the candidate comes first") };
    let row_hashes = candidate.seen()?.map(|seen| {
        Ok::<_, Error>(RowHashes {
            seen,
            champion: champion.map_or(Ok(None), Subject::seen)?.unwrap_or_default(),
            held_out: rows.hashes(candidate.manifest()),
        })
    });
    Ok(Comparison {
        labels,
        champion: contenders.next(),
        candidate: judged,
        parity: hosts::parity(candidate, &runs[0], &rows, args.web_package.as_deref()),
        row_hashes: row_hashes.transpose()?,
        slices: Vec::new(),
        policy,
    })
}
