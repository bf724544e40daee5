//! A server of our own, ended when the chore ends.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::house::House;
use crate::http;
use crate::step::run;

/// A running server.
pub struct Server {
    child: Child,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Starts a `beira serve` on `port` with its state in `state`, and waits until it answers.
    pub fn start(house: &House, port: u16, state: &Path) -> anyhow::Result<Server> {
        std::fs::create_dir_all(state)?;
        Server::run(
            Command::new(house.beira())
                .args(["serve", "--port", &port.to_string()])
                .arg("--db")
                .arg(state.join("beira.db"))
                .arg("--artifacts")
                .arg(state.join("artifacts"))
                .env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned())),
            port,
            || http::get(port, "/health"),
        )
    }

    /// Runs a server that will listen on `port`, and asks until it answers.
    pub fn run(command: &mut Command, port: u16, ask: impl Fn() -> anyhow::Result<String>) -> anyhow::Result<Server> {
        let child = command.spawn().context("the server cannot be started")?;
        let mut server = Server { child, port };
        let start = Instant::now();
        while let Err(error) = ask() {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended with {status}");
            }
            if start.elapsed() > Duration::from_secs(30) {
                return Err(error.context(format!("the server does not answer on port {port}")));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(server)
    }

    /// Ends it as an orchestrator would, with SIGTERM.
    pub fn end(mut self) -> anyhow::Result<()> {
        run(Command::new("kill").arg(self.child.id().to_string()))?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }

    /// Waits until the server ends (Ctrl-C reaches it too).
    pub fn wait(mut self) -> anyhow::Result<()> {
        self.child.wait()?;
        Ok(())
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A port that nobody listens on.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Refuses a port that somebody listens on, with a sentence.
pub fn check_free(port: u16) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => bail!("port {port} cannot be used ({error}); stop what listens there or pass --port NUMBER"),
    }
}
