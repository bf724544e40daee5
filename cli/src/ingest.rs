//! `beira ingest`: counters that left as lines of a log, to the server.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use anyhow::{Context, bail};
use contract::telemetry::LogsAnswer;
use server::Secret;

use crate::process;

/// Arguments of `ingest`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A log: lines of Envoy, or entries of Cloud Logging as JSON; `-` reads standard input, on and on.
    log: PathBuf,
    /// Where the counters go.
    #[arg(long, env = "MLFLOW_TRACKING_URI", default_value = "http://127.0.0.1:8080")]
    server: String,
}

/// Most bytes of one request; the server takes four times as many.
const BATCH_BYTES: usize = 1 << 20;

/// Sends the log in batches of whole lines, and says what was new in it.
pub fn ingest(arguments: &Arguments) -> anyhow::Result<()> {
    let name = arguments.log.display();
    let log: Box<dyn Read> = match arguments.log.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(std::fs::File::open(&arguments.log).with_context(|| format!("cannot read {name}"))?),
    };
    let mut log = BufReader::with_capacity(BATCH_BYTES, log);
    let mut total = LogsAnswer::default();
    let (mut batch, mut ended) = (Vec::new(), false);
    while !ended {
        ended = log.read_until(b'\n', &mut batch).with_context(|| format!("cannot read {name}"))? == 0;
        // What comes slowly, through a pipe, is sent at once: a batch ends where one would have to wait.
        if !batch.is_empty() && (ended || batch.len() >= BATCH_BYTES || log.buffer().is_empty()) {
            let answer = send(&arguments.server, &batch)?;
            total.snapshots += answer.snapshots;
            total.counted += answer.counted;
            total.predictions += answer.predictions;
            total.refused.extend(answer.refused);
            batch.clear();
        }
    }
    println!("{} snapshots, {} of them new: {} predictions", total.snapshots, total.counted, total.predictions);
    total.refused.sort();
    total.refused.dedup();
    if !total.refused.is_empty() {
        bail!("{} kinds of snapshots were refused:\n  {}", total.refused.len(), total.refused.join("\n  "));
    }
    Ok(())
}

fn send(server: &str, batch: &[u8]) -> anyhow::Result<LogsAnswer> {
    let url = format!("{}/telemetry/logs", server.trim_end_matches('/'));
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut request = agent.post(&url).content_type("text/plain");
    if let Some(Secret(token)) = process::token() {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut answer = request.send(batch).with_context(|| format!("no answer from {server}"))?;
    if answer.status() != 200 {
        bail!("{url} answered {}: {}", answer.status(), answer.body_mut().read_to_string().unwrap_or_default());
    }
    answer.body_mut().read_json().with_context(|| format!("{url} answered something else than counts"))
}
