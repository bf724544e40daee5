//! The main job: fit a pipeline, log the run, package the model, register it.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use contract::mlflow::Metric;

use crate::progress::Terminal;
use crate::store::{self, Folder};
use crate::tracking::{Client, Run, mlmodel, now, requirements};
use crate::{Error, Outcome, Pipeline, Progress, fit, heldout, package, plots, schema, source};

/// What to train, and where to log it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainArgs {
    /// The pipeline; the built-in sample when absent.
    pub pipeline: Option<PathBuf>,
    /// Address of the server, `http://127.0.0.1:8080`.
    pub server: String,
    /// How long to wait at the end for a server that does not answer.
    pub patience: Duration,
}

/// Folder, below the pipeline's, of requests that the server has not taken yet.
const OUTBOX: &str = "data/outbox";

/// Runs a pipeline from data to registered version. A run that fails is marked so on the server, with the
/// reason. The server must be there at the beginning; when it is away later the run goes on, and what it
/// missed is sent when it is back, or kept ([`Error::Kept`]) for [`crate::sync`].
pub fn train(args: &TrainArgs) -> Result<Outcome, Error> {
    let pipeline = args.pipeline.as_deref().map_or_else(|| Ok(Pipeline::default()), Pipeline::load)?;
    let client = Client::new(&args.server)?;
    let source = match &args.pipeline {
        Some(file) => format!("beira train {}", file.display()),
        None => "beira train".to_owned(),
    };
    let folder = Folder::new(pipeline.folder());
    let mut run = Run::begin(&client, pipeline.experiment(), &pipeline.name, &source, &folder.join(OUTBOX))?;
    let url = format!("{}/experiments/{}/runs/{}", client.server(), run.experiment_id, run.id);
    logged(&pipeline, &folder, &mut run, args.patience, url).inspect_err(|error| {
        if !matches!(error, Error::Kept { .. }) {
            run.fail(error);
        }
    })
}

fn logged(
    pipeline: &Pipeline,
    folder: &Folder,
    run: &mut Run,
    patience: Duration,
    url: String,
) -> Result<Outcome, Error> {
    let mut progress = Logged { terminal: Terminal::default(), sender: run.stream().map(|stream| stream.sender()) };
    let json = |value: serde_json::Result<Vec<u8>>| value.unwrap_or_default();
    let raw = source::read(pipeline, &mut progress)?;
    let report = schema::check(&raw, pipeline)?;
    let reports =
        [("data.md", report.markdown().into_bytes()), ("data.json", json(serde_json::to_vec_pretty(&report)))];
    for (name, bytes) in reports {
        folder.write("reports", name, &bytes)?;
        run.artifacts(&[(format!("reports/{name}"), bytes)])?;
    }
    report.passed()?;
    let trained = fit::table(&raw, pipeline, &mut progress)?;
    drop(raw);
    progress.say(&format!("compiling {} ({} bytes of ONNX)", trained.learner, trained.onnx.len()));
    let package = package(&trained)?;
    drop(progress);
    run.flush()?;

    let mut metrics = trained.metrics.clone();
    metrics.extend([
        ("onnx_bytes".to_owned(), trained.onnx.len() as f64),
        ("module_bytes".to_owned(), package.wasm.len() as f64),
        ("flops_per_row".to_owned(), package.manifest.cost.flops_per_row as f64),
        ("module_difference".to_owned(), package.difference),
        ("module_answers_differing".to_owned(), package.differing as f64),
        ("reference_difference".to_owned(), package.difference_to_reference),
    ]);
    let lineage = store::write(folder, pipeline, &trained, &run.id)?;
    let mut parameters = trained.parameters.clone();
    for stage in ["processed", "features"] {
        let sha256 = lineage[stage]["sha256"].as_str().unwrap_or_default();
        parameters.push((format!("{stage}_sha256"), sha256.to_owned()));
    }
    run.parameters(&parameters)?;
    run.metrics(&metrics)?;
    for (key, value) in [
        ("beira.onnx_sha256", &package.manifest.onnx_sha256),
        ("beira.module_sha256", &package.sha256),
        ("beira.edges_sha256", &package.edges_sha256),
    ] {
        run.tag(key, value)?;
    }

    let rows = &trained.parts.test;
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("pipeline.yaml".to_owned(), pipeline.to_yaml().into_bytes()),
        ("data/lineage.json".to_owned(), json(serde_json::to_vec_pretty(&lineage))),
        ("heldout/records.json".to_owned(), json(serde_json::to_vec(&heldout::records(&trained.data, rows)))),
        ("heldout/seen.txt".to_owned(), heldout::seen(&trained.data, &trained.parts).into_bytes()),
        ("heldout/labels.json".to_owned(), json(serde_json::to_vec(&heldout::labels(&trained.data, rows)))),
    ];
    for (name, svg) in plots::plots(&trained) {
        folder.write("reports/plots", name, svg.as_bytes())?;
        files.push((format!("plots/{name}"), svg.into_bytes()));
    }
    let mlmodel = mlmodel(&package.manifest, &run.id, trained.onnx.len(), now());
    files.extend([
        ("model/MLmodel".to_owned(), mlmodel.into_bytes()),
        ("model/requirements.txt".to_owned(), requirements().into_bytes()),
        ("model/python_env.yaml".to_owned(), b"python: '3.11'\ndependencies:\n- -r requirements.txt\n".to_vec()),
        ("model/model.onnx".to_owned(), trained.onnx.clone()),
        ("model/model.wasm".to_owned(), package.wasm.clone()),
    ]);
    run.artifacts(&files)?;
    run.register(pipeline.model())?;
    let registered = run.finish(patience)?;
    Ok(Outcome {
        run_id: run.id.clone(),
        experiment_id: run.experiment_id.clone(),
        model_name: registered.name,
        version: registered.version,
        alias: registered.alias,
        learner: trained.learner.to_owned(),
        task: trained.task.to_owned(),
        metrics,
        module_sha256: package.sha256,
        module_bytes: package.wasm.len(),
        onnx_bytes: trained.onnx.len(),
        heldout_rows: rows.len(),
        url,
    })
}

/// Progress that is shown and sent.
struct Logged {
    terminal: Terminal,
    sender: Option<Sender<Metric>>,
}

impl Progress for Logged {
    fn say(&mut self, sentence: &str) {
        self.terminal.say(sentence);
    }

    fn start(&mut self, learner: &'static str, steps: usize) {
        self.terminal.start(learner, steps);
    }

    fn step(&mut self, learner: &'static str, step: usize, metrics: &[(&str, f64)]) {
        self.terminal.step(learner, step, metrics);
        let Some(sender) = &self.sender else { return };
        let timestamp = now();
        for (key, value) in metrics {
            let point = Metric { key: (*key).to_owned(), value: *value, timestamp, step: step as i64 };
            // A closed stream has an error, which `Run::flush` answers.
            let _ = sender.send(point);
        }
    }

    fn end(&mut self, learner: &'static str) {
        self.terminal.end(learner);
    }
}
