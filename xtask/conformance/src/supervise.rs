//! Hands cases to a worker process, and starts another one when it dies or does not answer.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::Context;

use crate::case::Case;
use crate::worker::Verdict;

/// A case that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A case and what became of it.
pub struct Outcome {
    /// The case.
    pub case: Case,
    /// Its verdict.
    pub verdict: Verdict,
}

/// Runs all cases, one after the other.
pub fn run(cases: &[Case]) -> anyhow::Result<Vec<Outcome>> {
    let mut worker = Worker::start()?;
    let mut outcomes = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        let verdict = match worker.ask(case) {
            Ok(verdict) => verdict,
            Err(reason) => {
                worker.end();
                worker = Worker::start()?;
                Verdict::Fail(reason)
            }
        };
        outcomes.push(Outcome { case: case.clone(), verdict });
        if (n + 1) % 200 == 0 {
            println!("  {} of {} cases", n + 1, cases.len());
        }
    }
    worker.end();
    Ok(outcomes)
}

struct Worker {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
}

impl Worker {
    fn start() -> anyhow::Result<Worker> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--worker", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start a worker")?;
        let stdin = child.stdin.take().context("standard input was piped")?;
        let stdout = child.stdout.take().context("standard output was piped")?;
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Worker { child, stdin, answers })
    }

    /// The verdict, or why there is none.
    fn ask(&mut self, case: &Case) -> Result<Verdict, String> {
        let line = serde_json::to_string(case).map_err(|e| e.to_string())?;
        writeln!(self.stdin, "{line}").map_err(|_| "the compiler's process has died".to_owned())?;
        match self.answers.recv_timeout(PATIENCE) {
            Ok(answer) => serde_json::from_str(&answer).map_err(|e| e.to_string()),
            Err(RecvTimeoutError::Timeout) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err("the compiler's process has died".to_owned()),
        }
    }

    fn end(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
