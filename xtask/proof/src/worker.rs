//! workerd, the runtime of Cloudflare Workers: the shipped worker with the model beside it.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::ask;

/// What a worker in workerd answers for `rows`, each in a request of its own.
pub fn predict(dist: &Path, server: &str, wasm: &[u8], rows: &[Value]) -> anyhow::Result<Vec<Value>> {
    let folder = std::env::temp_dir().join(format!("beira-worker-{}", std::process::id()));
    copy(&dist.join("cloudflare"), &folder)?;
    std::fs::write(folder.join("model.wasm"), wasm)?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let config =
        std::fs::read_to_string(folder.join("workerd.capnp")).context("dist/cloudflare has no workerd.capnp")?;
    let config =
        config.replace("127.0.0.1:8787", &format!("127.0.0.1:{port}")).replace("http://127.0.0.1:8080", server);
    std::fs::write(folder.join("workerd.capnp"), config)?;
    let child = Command::new("workerd")
        .args(["serve", "workerd.capnp"])
        .current_dir(&folder)
        .spawn()
        .context("cannot start workerd")?;
    let worker = Worker(child);
    let url = format!("http://127.0.0.1:{port}");
    wait(&url)?;
    let mut answers = Vec::with_capacity(rows.len());
    for row in rows {
        answers.extend(ask(&format!("{url}/predict"), std::slice::from_ref(row))?);
    }
    // The worker flushes what is left two seconds after the last flush, on the next request.
    std::thread::sleep(Duration::from_millis(2500));
    ureq::get(&format!("{url}/health")).call()?;
    std::thread::sleep(Duration::from_millis(500));
    drop(worker);
    std::fs::remove_dir_all(&folder).ok();
    Ok(answers)
}

struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn wait(url: &str) -> anyhow::Result<()> {
    let start = Instant::now();
    while ureq::get(&format!("{url}/health")).call().is_err() {
        if start.elapsed() > Duration::from_secs(20) {
            bail!("workerd does not answer");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
