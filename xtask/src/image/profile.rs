//! What the static binary does under load, recorded for the compiler that builds it once more: profile-guided
//! optimization, <https://doc.rust-lang.org/rustc/profile-guided-optimization.html>.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use crate::house::House;
use crate::http::Connection;
use crate::server::{Server, free_port};
use crate::step::{run, step};
use crate::{http, product, setup};

/// Models of the compiler's tests that are served meanwhile: numbers, and strings beside numbers.
const MODELS: [&str; 2] = ["gradient_boosting_binary", "mixed_columns"];
/// Requests to each.
const REQUESTS: usize = 20_000;

/// The profile, recorded anew whenever the binary that records has changed.
pub fn of_load(house: &House) -> anyhow::Result<PathBuf> {
    let merge = setup::profdata()?;
    let folder = house.target.join("profile");
    // With the very same settings: functions have other names when Cargo's profile is another.
    let recorder = step("Building the static binary that records what it does", || {
        super::build(house, &folder, "-Cprofile-generate".as_ref())
    })?;
    let (profile, stamp) = (folder.join("load.profdata"), folder.join("beira-stamp"));
    let wanted = setup::sha256(&recorder)?;
    if profile.exists() && fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(profile);
    }
    let beira = product::beira(house)?;
    step("Recording what it does under load", || {
        let raw = folder.join("raw");
        fs::remove_dir_all(&raw).ok();
        for model in MODELS {
            load(&recorder, &beira, &house.path("inference-wasm/tests/models").join(model), &raw)?;
        }
        run(Command::new(&merge).arg("merge").arg("--output").arg(&profile).arg(&raw))?;
        Ok(fs::write(&stamp, &wanted)?)
    })?;
    Ok(profile)
}

/// Serves `model`.onnx and asks for the rows of `model`.json: mostly one by one, sometimes all, sometimes wrongly.
fn load(recorder: &Path, beira: &Path, model: &Path, raw: &Path) -> anyhow::Result<()> {
    let module = raw.with_extension("wasm");
    run(Command::new(beira).arg("compile").arg(model.with_extension("onnx")).arg("--output").arg(&module))?;
    let rows = rows(&model.with_extension("json"))?;
    let all = Value::from(rows.clone()).to_string();
    let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    let port = free_port()?;
    let server = Server::run(
        Command::new(recorder)
            .args(["infer", "--port", &port.to_string(), "--model"])
            .arg(&module)
            .env("LLVM_PROFILE_FILE", raw.join("%p.profraw"))
            .env("RUST_LOG", "error"),
        port,
        || http::get(port, "/health"),
    )?;
    let path = format!("/predict/{}", module.file_stem().unwrap_or_default().to_string_lossy());
    let mut connection = Connection::open(port)?;
    for (i, row) in rows.iter().cycle().take(REQUESTS).enumerate() {
        let (body, expected) = match i % 100 {
            0 => (all.as_str(), 200),
            1 => ("{}", 422),
            _ => (row.as_str(), 200),
        };
        let status = connection.post(&path, body)?;
        if status != expected {
            bail!("POST {path} answered {status}, not {expected}, while the load was recorded");
        }
    }
    http::get(port, "/metrics")?;
    server.end()
}

/// The rows of a model's test as records, as they come in production.
fn rows(file: &Path) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let test: Value = serde_json::from_str(&text)?;
    let inputs = test["inputs"].as_object().with_context(|| format!("{}: no inputs", file.display()))?;
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    for (name, input) in inputs {
        let (columns, data) = (input["shape"][1].as_u64().unwrap_or(1) as usize, input["data"].as_array());
        for (i, row) in data.into_iter().flat_map(|data| data.chunks(columns)).enumerate() {
            if rows.len() == i {
                rows.push(Map::new());
            }
            rows[i].extend(row.iter().enumerate().map(|(column, value)| {
                let name = if columns == 1 { name.clone() } else { format!("{name}[{column}]") };
                (name, value.clone())
            }));
        }
    }
    Ok(rows.into_iter().map(Value::Object).collect())
}
