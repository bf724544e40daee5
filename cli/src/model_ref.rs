//! Which model a command means: a module, an ONNX file, or a registered version.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::compile;

/// `--model` and `--server` of the commands that take a model to production.
#[derive(clap::Args, Clone, Debug)]
pub struct ModelRef {
    /// FILE.wasm, FILE.onnx, models:/NAME@ALIAS or models:/NAME/VERSION.
    #[arg(long)]
    pub model: String,
    /// Where `models:/…` is registered.
    #[arg(long, env = "MLFLOW_TRACKING_URI", default_value = "http://127.0.0.1:8080")]
    pub server: String,
}

/// A sealed module, and what it is called.
pub struct Resolved {
    /// Registered name, or the file's.
    pub name: String,
    /// The module.
    pub wasm: Vec<u8>,
}

/// How long a version that is being compiled is waited for.
const COMPILING: Duration = Duration::from_secs(60);

impl ModelRef {
    /// Reads, compiles or fetches the module. Whether it is a good one is for the host to say.
    pub fn resolve(&self) -> anyhow::Result<Resolved> {
        if let Some(reference) = self.model.strip_prefix("models:/") {
            return registered(&self.server, reference).with_context(|| format!("--model {}", self.model));
        }
        let path = Path::new(&self.model);
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).with_context(|| format!("cannot read --model {}", self.model))?;
        let wasm = match path.extension().and_then(|extension| extension.to_str()) {
            Some("wasm") => bytes,
            Some("onnx") => compile::sealed(&bytes, &Default::default()).with_context(|| self.model.clone())?.1,
            _ => bail!("--model {}: expected FILE.wasm, FILE.onnx or models:/NAME@ALIAS", self.model),
        };
        Ok(Resolved { name, wasm })
    }
}

/// `NAME@ALIAS` and `NAME/VERSION` as the server's `GET /modules/{name}/{reference}` has them.
fn split(reference: &str) -> Option<(&str, &str)> {
    let at = reference.rfind(['@', '/'])?;
    let (name, rest) = reference.split_at(at);
    let version = if rest.starts_with('@') { rest } else { &rest[1..] };
    (!name.is_empty() && rest.len() > 1).then_some((name, version))
}

fn registered(server: &str, reference: &str) -> anyhow::Result<Resolved> {
    let (name, reference) = split(reference).context("expected models:/NAME@ALIAS or models:/NAME/VERSION")?;
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let url = format!("{}/modules/{}/{}", server.trim_end_matches('/'), encoded(name), encoded(reference));
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let start = Instant::now();
    loop {
        let mut request = agent.get(&url);
        if let Some(token) = std::env::var("MLFLOW_TRACKING_TOKEN").ok().filter(|token| !token.is_empty()) {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().with_context(|| format!("no answer from {server}"))?;
        match answer.status().as_u16() {
            200 => {
                let wasm =
                    answer.body_mut().with_config().limit(64 << 20).read_to_vec().context("the module broke off")?;
                return Ok(Resolved { name: name.to_owned(), wasm });
            }
            503 if start.elapsed() < COMPILING => std::thread::sleep(Duration::from_millis(500)),
            status => {
                let body: serde_json::Value = answer.body_mut().read_json().unwrap_or_default();
                bail!("{server} answered {status}: {}", body["detail"].as_str().unwrap_or("no reason given"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        assert_eq!(split("wine@champion"), Some(("wine", "@champion")));
        assert_eq!(split("wine/7"), Some(("wine", "7")));
        assert_eq!(split("a team's/wine/7"), Some(("a team's/wine", "7")));
        for bad in ["wine", "wine@", "@champion", "/7", ""] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
