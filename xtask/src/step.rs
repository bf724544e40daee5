//! One step of a chore: say what is done, do it, say how long it took.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

/// Announces `what`, runs `work`, and says how long it took when that was noticeable.
pub fn step<T>(what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    println!("▸ {what}");
    let start = Instant::now();
    let result = work().with_context(|| what.to_owned());
    let seconds = start.elapsed().as_secs_f64();
    if seconds > 2.0 {
        println!("  {} after {seconds:.0} s", if result.is_ok() { "done" } else { "failed" });
    }
    result
}

/// Runs a command, its output on ours.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(())
}

/// Runs a command and hands each line of its standard output to `each`, printing it too.
pub fn run_lines(command: &mut Command, mut each: impl FnMut(&str)) -> anyhow::Result<std::process::ExitStatus> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", line(command)))?;
    let output = child.stdout.take().context("standard output was piped")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let text = String::from_utf8_lossy(&line);
        println!("{text}");
        each(&text);
    }
    Ok(child.wait()?)
}

/// Standard output of a command, or `None` when it cannot be started or fails.
pub fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
