//! Chromium: a page on another origin loads the web package and the module from the server.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

/// What a page in Chromium answers for `rows`; its counters are flushed before it closes.
pub fn predict(chromium: &Path, server: &str, model: &str, rows: &[Value]) -> anyhow::Result<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start node")?;
    let request = json!({ "chromium": chromium, "server": server, "model": model, "rows": rows });
    node.stdin.take().context("standard input was piped")?.write_all(request.to_string().as_bytes())?;
    let output = node.wait_with_output()?;
    ensure!(output.status.success(), "the page in Chromium failed");
    serde_json::from_slice(&output.stdout).context("the page's answer is not JSON")
}
