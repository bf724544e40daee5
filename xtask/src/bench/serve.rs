//! `cargo xtask bench serve`: `beira infer` beside FastAPI and onnxruntime, the same model, the two in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};

use crate::house::House;
use crate::server::{Server, free_port};
use crate::step::{run, step};
use crate::{http, image, product, setup};

/// Connections of the load.
const CONNECTIONS: u32 = 16;

/// Arguments of `bench serve`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Rounds; each measures both.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of load in each round and for each.
    #[arg(long, default_value_t = 8)]
    seconds: u32,
    /// Starts of the cold-start measurement.
    #[arg(long, default_value_t = 15)]
    starts: usize,
}

/// One load.
#[derive(Clone, Copy)]
struct Load {
    requests_per_second: f64,
    p99_ms: f64,
}

/// Builds, makes the model, measures, prints the table.
pub fn serve(house: &House, arguments: &Arguments) -> anyhow::Result<()> {
    setup::wrk()?;
    let python = setup::peers(house)?;
    let binary = image::binary(house)?;
    let folder = house.target.join("bench-serve");
    super::models(house, &folder)?;
    let onnx = folder.join("gradient_boosting/model.onnx");
    let module = folder.join("model.wasm");
    run(Command::new(product::beira(house)?).arg("compile").arg(&onnx).arg("--output").arg(&module))?;
    let (ours_body, theirs_body) = bodies(&folder)?;

    let theirs = served(
        Command::new(python)
            .args(["-m", "uvicorn", "peer:app", "--no-access-log", "--workers", "1", "--log-level", "error"])
            .current_dir(house.path("server/benches"))
            .env("MODEL", &onnx)
            .env("PYTHONDONTWRITEBYTECODE", "1"),
        &theirs_body,
    )?;
    let ours = served(Command::new(&binary).args(["infer", "--model"]).arg(&module), &ours_body)?;
    let script = house.path("server/benches/post.lua");
    let (mut a, mut b) = (Vec::new(), Vec::new());
    step("Measuring, in turns", || {
        for round in 0..arguments.rounds {
            for (name, peer, body, loads) in
                [("beira", &ours, &ours_body, &mut a), ("fastapi", &theirs, &theirs_body, &mut b)]
            {
                let load = load(peer.port, &script, body, arguments.seconds)?;
                println!(
                    "  round {round} {name:<8} {:>9.0} requests/s   p99 {:>8.2} ms",
                    load.requests_per_second, load.p99_ms
                );
                loads.push(load);
            }
        }
        Ok(())
    })?;
    drop((ours, theirs));
    let cold = cold_start(&binary, &module, &ours_body, arguments.starts)?;

    let (ours, theirs) = (median(&a), median(&b));
    println!(
        "\n                         beira infer   FastAPI + onnxruntime   ratio   (medians of {} rounds)",
        arguments.rounds
    );
    let ratio = ours.requests_per_second / theirs.requests_per_second;
    println!(
        "  requests per second   {:>12.0}   {:>21.0}   {ratio:>4.1}×",
        ours.requests_per_second, theirs.requests_per_second
    );
    println!(
        "  p99, ms               {:>12.2}   {:>21.2}   1/{:.1}",
        ours.p99_ms,
        theirs.p99_ms,
        theirs.p99_ms / ours.p99_ms
    );
    println!(
        "  exec to first answer  {:>9.0} ms   (median of {}, slowest {:.0} ms)",
        cold[cold.len() / 2],
        cold.len(),
        cold[cold.len() - 1]
    );
    Ok(())
}

/// One record for ours (features by the names of the signature) and the same values for the peer.
fn bodies(folder: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let rows = fs::read_to_string(folder.join("gradient_boosting/rows.json"))?;
    let rows: Vec<Vec<f64>> = serde_json::from_str(&rows).context("rows.json")?;
    let row = rows.first().context("rows.json is empty")?;
    let record = |name: &dyn Fn(usize) -> String| {
        let fields: Vec<String> = row.iter().enumerate().map(|(i, value)| format!("\"{}\":{value}", name(i))).collect();
        format!("{{{}}}", fields.join(","))
    };
    let (ours, theirs) = (folder.join("ours.json"), folder.join("gradient_boosting/record.json"));
    fs::write(&ours, record(&|i| format!("X[{i}]")))?;
    fs::write(&theirs, record(&|i| format!("f{i}")))?;
    Ok((ours, theirs))
}

/// Starts a server of the measurement on a free port and waits for its first prediction.
fn served(command: &mut Command, body: &Path) -> anyhow::Result<Server> {
    let (port, body) = (free_port()?, fs::read_to_string(body)?);
    Server::run(command.args(["--port", &port.to_string()]), port, || http::post(port, "/predict/model", &body))
}

fn load(port: u16, script: &Path, body: &Path, seconds: u32) -> anyhow::Result<Load> {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", &CONNECTIONS.to_string(), "--latency"])
        .args(["--duration", &format!("{seconds}s"), "--script"])
        .arg(script)
        .arg(format!("http://127.0.0.1:{port}/predict/model"))
        .env("BODY", body)
        .output()
        .context("cannot start wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("wrk had requests that failed:\n{text}");
    }
    let field = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let requests_per_second = field("Requests/sec:").and_then(|text| text.parse().ok());
    let p99_ms = field("99%").and_then(milliseconds);
    match (requests_per_second, p99_ms) {
        (Some(requests_per_second), Some(p99_ms)) => Ok(Load { requests_per_second, p99_ms }),
        _ => bail!("wrk said something else than expected:\n{text}"),
    }
}

/// `1.23ms`, `456.00us` or `1.02s` in milliseconds.
fn milliseconds(text: &str) -> Option<f64> {
    [("us", 1e-3), ("ms", 1.0), ("s", 1e3)]
        .into_iter()
        .find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor))
}

/// Milliseconds from exec to the first answer, ascending.
fn cold_start(binary: &Path, module: &Path, body: &Path, starts: usize) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..starts.max(1) {
        let start = Instant::now();
        let peer = served(Command::new(binary).args(["infer", "--model"]).arg(module).env("RUST_LOG", "error"), body)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        drop(peer);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn median(loads: &[Load]) -> Load {
    let middle = |of: fn(&Load) -> f64| {
        let mut values: Vec<f64> = loads.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Load { requests_per_second: middle(|load| load.requests_per_second), p99_ms: middle(|load| load.p99_ms) }
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn durations_of_wrk() {
        for (text, expected) in [("1.23ms", Some(1.23)), ("500.00us", Some(0.5)), ("1.50s", Some(1500.0)), ("x", None)]
        {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
