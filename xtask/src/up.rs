//! `cargo xtask up`: from a fresh clone to a served dashboard with a model trained on real data.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::house::House;
use crate::server::{Server, check_free, free_port};
use crate::step::{run, step};
use crate::{http, product, setup};

/// Arguments of `up`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Port on 127.0.0.1.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Where the database and the artifacts live; delete the folder to start afresh. [default: state]
    #[arg(long)]
    state: Option<PathBuf>,
    /// On a free port with a fresh state: train, prove that every executor answers the same, end.
    #[arg(long)]
    check: bool,
}

/// Model that the sample pipeline registers.
const MODEL: &str = "wine-quality";

/// Sets up, builds, serves, trains.
pub fn up(house: &House, arguments: &Arguments) -> anyhow::Result<()> {
    if !arguments.check {
        check_free(arguments.port)?;
    }
    product::build(house)?;
    if arguments.check {
        return check(house);
    }
    let state = arguments.state.clone().unwrap_or_else(|| house.path("state"));
    let server = Server::start(house, arguments.port, &state)?;
    println!("\n  Beira is at {}\n  State is in {}; Ctrl-C ends it\n", server.url(), state.display());
    if registered(&server).is_none() {
        train(house, &server)?;
        step("Sending the held-out rows to the server, as live traffic", || traffic(&server))?;
    }
    println!("▸ Serving {} until Ctrl-C", server.url());
    server.wait()
}

/// The loop from CSV to equal bits, on a fresh state.
pub fn check(house: &House) -> anyhow::Result<()> {
    let chromium = setup::chromium()?;
    step("Building the proof", || {
        run(Command::new("cargo").args(["build", "--workspace", "--bin", "proof"]).current_dir(&house.root))
    })?;
    let state = house.target.join("check").join(std::process::id().to_string());
    let server = Server::start(house, free_port()?, &state)?;
    let proof = train(house, &server).and_then(|()| {
        step("Asking every executor for the same 200 held-out rows", || {
            run(Command::new(house.binary("proof"))
                .args(["--server", &server.url(), "--model", MODEL, "--rows", "200"])
                .arg("--chromium")
                .arg(chromium)
                .arg("--dist")
                .arg(house.path("dist"))
                .current_dir(&house.root)
                .env("PATH", house.tool_path()?))
        })
    });
    drop(server);
    std::fs::remove_dir_all(&state).ok();
    proof
}

/// `beira train` on the built-in sample.
pub fn train(house: &House, server: &Server) -> anyhow::Result<()> {
    step("Training on the built-in sample (red wine quality)", || {
        run(Command::new(house.beira()).args(["train", "--server", &server.url()]).current_dir(&house.root))
    })
}

/// Run that the champion comes from, when there is one.
fn registered(server: &Server) -> Option<String> {
    let detail = http::get(server.port, &format!("/api/beira/models/{MODEL}")).ok()?;
    let detail: Value = serde_json::from_str(&detail).ok()?;
    detail["versions"].as_array()?.iter().find_map(|version| version["version"]["run_id"].as_str().map(str::to_owned))
}

/// Posts the held-out rows one by one over some 20 seconds.
pub fn traffic(server: &Server) -> anyhow::Result<()> {
    let run = registered(server).context("the model that was just trained is not registered")?;
    let path = format!("/get-artifact?run_uuid={run}&path=heldout/records.json");
    let records: Vec<Value> = serde_json::from_str(&http::get(server.port, &path)?)?;
    wait_for_module(server)?;
    for record in &records {
        http::post(server.port, &format!("/predict/{MODEL}"), &record.to_string())?;
        std::thread::sleep(Duration::from_millis(60));
    }
    println!("  {} predictions", records.len());
    Ok(())
}

/// Waits until the server has the champion's module.
fn wait_for_module(server: &Server) -> anyhow::Result<()> {
    let mut last = Ok(String::new());
    for _ in 0..100 {
        last = http::get(server.port, &format!("/v2/models/{MODEL}/ready"));
        if last.is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    last.map(drop).context("the server did not get the module ready")
}
