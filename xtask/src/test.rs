//! `cargo xtask test`: everything that must hold on every change, ending in `N passed, N failed`.

use std::process::Command;

use anyhow::bail;

use crate::house::House;
use crate::server::{Server, free_port};
use crate::step::{run, run_lines, step};
use crate::{image, product, setup, up};

/// Arguments of `test`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only these suites (format, rust, node, python, proof, pages), or the Rust tests of these rooms
    /// (contract, monitoring, compiler, hosts, training, server, dashboard, cli, house).
    suites: Vec<String>,
}

/// What a suite counted, and the runner's line of each test that failed.
#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    faults: Vec<String>,
}

impl Counts {
    fn of(passed: u64, failed: u64) -> Counts {
        Counts { passed, failed, faults: Vec::new() }
    }
}

/// One suite: runs and counts.
type Suite = fn(&House) -> anyhow::Result<Counts>;

const SUITES: [(&str, Suite); 6] =
    [("format", format), ("rust", rust), ("node", node), ("python", python), ("proof", proof), ("pages", pages)];

/// The Rust tests by room, and the packages of each.
const ROOMS: [(&str, &[&str]); 9] = [
    ("contract", &["beira-contract"]),
    ("monitoring", &["beira-monitoring"]),
    ("compiler", &["beira-inference-wasm"]),
    ("hosts", &["beira-host-native", "beira-host-web"]),
    ("training", &["beira-training"]),
    ("server", &["beira-server"]),
    ("dashboard", &["beira-dashboard"]),
    ("cli", &["beira"]),
    ("house", &["xtask"]),
];

/// Sets up what the suites need, builds, runs them, prints the sum.
pub fn test(house: &House, arguments: &Arguments) -> anyhow::Result<()> {
    let room = |name: &str| ROOMS.iter().find(|(room, _)| *room == name);
    let suite = |name: &str| SUITES.iter().find(|(suite, _)| *suite == name);
    if let Some(unknown) = arguments.suites.iter().find(|name| room(name).is_none() && suite(name).is_none()) {
        let known: Vec<&str> =
            SUITES.iter().map(|(suite, _)| *suite).chain(ROOMS.iter().map(|(room, _)| *room)).collect();
        bail!("there is no suite or room `{unknown}`; there are {}", known.join(", "));
    }
    let all: Vec<String> = SUITES.iter().map(|(suite, _)| (*suite).to_owned()).collect();
    let wanted = if arguments.suites.is_empty() { &all } else { &arguments.suites };
    let any = |names: &[&str]| wanted.iter().any(|name| names.contains(&name.as_str()));
    if any(&["node", "proof", "pages"]) {
        setup::chromium()?;
    }
    if any(&["rust", "server", "python"]) {
        setup::postgres()?;
    }
    if any(&["python"]) {
        setup::python(house)?;
        setup::nginx()?;
    }
    if any(&["rust", "node", "python", "proof", "pages"]) {
        product::build(house)?;
    }
    let mut total = Counts::default();
    let mut table = String::new();
    for name in wanted {
        let work = || match (suite(name), room(name)) {
            (Some((_, suite)), _) => suite(house),
            (None, Some((_, packages))) => cargo_test(house, packages),
            (None, None) => bail!("neither a suite nor a room"),
        };
        let counts = step(&format!("Suite {name}"), work).unwrap_or_else(|error| {
            println!("{error:#}");
            Counts::of(0, 1)
        });
        total.passed += counts.passed;
        total.failed += counts.failed;
        table += &format!("  {name:<8} {:>5} passed {:>4} failed\n", counts.passed, counts.failed);
        for fault in counts.faults {
            table += &format!("    {fault}\n");
        }
    }
    print!("\n{table}\n{} passed, {} failed\n", total.passed, total.failed);
    if total.failed > 0 || total.passed == 0 {
        std::process::exit(1);
    }
    Ok(())
}

/// Formatting, clippy, licences and advisories.
pub fn lint(house: &House) -> anyhow::Result<()> {
    let cargo = |arguments: &[&str]| run(Command::new("cargo").args(arguments).current_dir(&house.root));
    step("Formatting", || cargo(&["fmt", "--all", "--check"]))?;
    step("Clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    step("Licences and advisories", || cargo(&["deny", "check", "licenses", "bans", "sources"]))
}

fn format(house: &House) -> anyhow::Result<Counts> {
    run(Command::new("cargo").args(["fmt", "--all", "--check"]).current_dir(&house.root))?;
    Ok(Counts::of(1, 0))
}

fn rust(house: &House) -> anyhow::Result<Counts> {
    cargo_test(house, &[])
}

/// The Rust tests of some packages; of all without any.
fn cargo_test(house: &House, packages: &[&str]) -> anyhow::Result<Counts> {
    let mut command = Command::new("cargo");
    command.args(["test", "--no-fail-fast"]).current_dir(&house.root).env("INSTA_UPDATE", "no");
    match packages {
        [] => command.arg("--workspace"),
        packages => command.args(packages.iter().flat_map(|package| ["--package", package])),
    };
    counted(&mut command, |line| {
        let rest = line.strip_prefix("test result: ")?;
        Some(Counts::of(before(rest, " passed")?, before(rest, " failed")?))
    })
}

fn node(house: &House) -> anyhow::Result<Counts> {
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-reporter=tap"])
        .arg(house.path("inference-wasm/hosts/web/test/"))
        .arg(house.path("xtask/tests/workflows.test.mjs"))
        .current_dir(&house.root)
        .env("BEIRA_BIN", house.beira())
        .env("BEIRA_CHROMIUM", setup::chromium()?)
        .env("PATH", house.tool_path()?);
    counted(&mut command, |line| match line.split_once(' ')? {
        ("#", rest) => match rest.split_once(' ')? {
            ("pass", n) => Some(Counts::of(n.trim().parse().ok()?, 0)),
            ("fail" | "cancelled", n) => Some(Counts::of(0, n.trim().parse().ok()?)),
            _ => None,
        },
        _ => None,
    })
}

fn python(house: &House) -> anyhow::Result<Counts> {
    let mut command = Command::new(house.python());
    command
        .args(["-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider"])
        .arg(house.path("tests/python"))
        .current_dir(&house.root)
        .env("BEIRA_BIN", house.beira())
        .env("BEIRA_IMAGE_BIN", image::binary(house)?)
        .env("BEIRA_MOTO_PYTHON", setup::moto(house)?)
        .env("BEIRA_WRANGLER", setup::wrangler(house)?);
    counted(&mut command, |line| {
        let summary = line.contains(" in ") && (line.contains(" passed") || line.contains(" failed"));
        let n = |word| before(line, word).unwrap_or(0);
        summary.then(|| Counts::of(n(" passed"), n(" failed") + n(" error")))
    })
}

fn proof(house: &House) -> anyhow::Result<Counts> {
    up::check(house)?;
    Ok(Counts::of(1, 0))
}

fn pages(house: &House) -> anyhow::Result<Counts> {
    let state = house.target.join("pages");
    std::fs::remove_dir_all(&state).ok();
    let server = Server::start(house, free_port()?, &state)?;
    up::train(house, &server)?;
    up::traffic(&server)?;
    run(Command::new("node")
        .arg(house.path("dashboard/e2e/screenshots.mjs"))
        .arg(server.url())
        .arg(house.target.join("screenshots"))
        .current_dir(&house.root)
        .env("BEIRA_CHROMIUM", setup::chromium()?))?;
    Ok(Counts::of(1, 0))
}

/// Runs a command and adds up what `count` finds in its lines. A command that fails without a
/// counted failure counts as one; a suite in which nothing ran has failed.
fn counted(command: &mut Command, count: impl Fn(&str) -> Option<Counts>) -> anyhow::Result<Counts> {
    let mut total = Counts::default();
    let status = run_lines(command, |line| {
        if let Some(counts) = count(line) {
            total.passed += counts.passed;
            total.failed += counts.failed;
        }
        if names_a_failed_test(line) {
            total.faults.push(line.trim().to_owned());
        }
    })?;
    if total.failed == 0 && (!status.success() || total.passed == 0) {
        total.failed = 1;
    }
    Ok(total)
}

/// As libtest, node's TAP and pytest's summary write it.
fn names_a_failed_test(line: &str) -> bool {
    line.starts_with("test ") && line.ends_with(" ... FAILED")
        || line.trim_start().starts_with("not ok ")
        || line.starts_with("FAILED ")
        || line.starts_with("ERROR ")
}

/// The number that stands before `word`: `before("3 passed, 1 failed", " failed")` is 1.
fn before(line: &str, word: &str) -> Option<u64> {
    let head = &line[..line.find(word)?];
    head.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn numbers_before_words() {
        assert_eq!(before("ok. 12 passed; 3 failed; 0 ignored", " failed"), Some(3));
        assert_eq!(before("1 failed, 7 passed in 3.21s", " passed"), Some(7));
        assert_eq!(before("nothing here", " passed"), None);
    }
}
