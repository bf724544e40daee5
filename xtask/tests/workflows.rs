//! The workflows: each step is one command that a laptop runs too, and each of them has been run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_norway::Value;

/// How a command of the workflows is known to work.
enum Proof {
    /// This text stands in this file of the tests, which run the command.
    Test(&'static str, &'static str),
    /// It is what runs the tests, on a laptop and in CI.
    Suite,
    /// It reaches for an account that a laptop does not have; what of it needs none is tested there.
    Cloud(&'static str, &'static str, &'static str),
}

use Proof::{Cloud, Suite, Test};

/// Every `run:` line, its expressions as `…`.
const COMMANDS: [(&str, Proof); 13] = [
    ("cargo xtask lint", Suite),
    ("cargo xtask test …", Suite),
    ("cargo xtask build --only-beira", Test("xtask/tests/chores.rs", "\"--only-beira\"")),
    (
        "beira gate --candidate … --champion target/base/… --policy target/base/… --out target/gate --accept hold",
        Test("tests/python/test_gate_workflow.py", "def test_the_gate_of_a_pull_request"),
    ),
    ("beira gate comment --report target/gate", Test("tests/python/test_gate_workflow.py", "def test_one_comment")),
    ("beira train …", Test("tests/python/test_gate_workflow.py", "def test_the_gate_on_main")),
    (
        "beira gate --candidate models:/…/latest --policy … --out target/gate --promote --accept hold,reject",
        Test("tests/python/test_gate_workflow.py", "def test_the_gate_on_main"),
    ),
    ("beira rollback …", Test("tests/python/test_gate.py", "\"rollback\"")),
    (
        "beira deploy cloud-run --model models:/…@champion --binary target/x86_64-unknown-linux-musl/image/beira --region … --out target/cloud-run --run",
        Cloud("Google Cloud", "cli/tests/it/deploy.rs", "fn a_rollout_shifts_the_traffic_step_by_step"),
    ),
    // Minutes of compiling; the road's test starts what they build.
    ("cargo xtask image", Test("xtask/src/test.rs", "image::binary(house)")),
    ("cargo xtask release static", Test("xtask/src/test.rs", "image::binary(house)")),
    ("cargo xtask release binary", Test("xtask/tests/chores.rs", "\"binary\"")),
    ("cargo xtask release npm --publish", Cloud("npm", "xtask/tests/chores.rs", "\"npm\"")),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the work tree")
}

fn workflows() -> Vec<(String, Value)> {
    let folder = root().join(".github/workflows");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).expect("workflows").flatten().map(|e| e.path()).collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name, serde_norway::from_str(&text).expect("YAML"))
    };
    files.into_iter().map(read).collect()
}

/// Calls `each` with the workflow's name and every mapping in it.
fn walk(name: &str, value: &Value, each: &mut impl FnMut(&str, &serde_norway::Mapping)) {
    match value {
        Value::Mapping(mapping) => {
            each(name, mapping);
            mapping.values().for_each(|value| walk(name, value, each));
        }
        Value::Sequence(items) => items.iter().for_each(|item| walk(name, item, each)),
        _ => {}
    }
}

/// `beira train ${{ env.PIPELINE }}` as `beira train …`.
fn pattern(line: &str) -> String {
    let mut parts = line.trim().split("${{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |line, part| line + "…" + part.split_once("}}").expect("a closed expression").1)
}

#[test]
fn every_step_is_one_command_that_has_been_run() {
    let mut used: BTreeMap<String, String> = BTreeMap::new();
    for (name, workflow) in workflows() {
        walk(&name, &workflow, &mut |name, mapping| {
            if let Some(line) = mapping.get("run").and_then(Value::as_str) {
                used.insert(pattern(line), name.to_owned());
            }
        });
    }
    for (line, workflow) in &used {
        let program = line.starts_with("cargo xtask ") || line.starts_with("beira ");
        let logic = line.contains(['\n', '|', '&', ';', '>', '<', '$', '`', '"', '\'', '*', '(', '\\']);
        assert!(program && !logic, "{workflow}: `{line}` is not one command of `cargo xtask` or `beira`");
        let proof = COMMANDS.iter().find(|(command, _)| command == line);
        let (_, proof) = proof.unwrap_or_else(|| panic!("{workflow}: nothing proves that `{line}` works"));
        let (file, text) = match proof {
            Suite => continue,
            Test(file, text) | Cloud(_, file, text) => (file, text),
        };
        let tests = std::fs::read_to_string(root().join(file)).unwrap_or_default();
        assert!(tests.contains(text), "{file} does not hold {text}, which should prove `{line}`");
    }
    for (line, proof) in &COMMANDS {
        assert!(used.contains_key(*line), "no workflow runs `{line}`");
        if let Cloud(account, ..) = proof {
            println!("needs an account at {account}: {line}");
        }
    }
}

/// What a job may do is written at the job, and begins with reading alone; every action has a version.
#[test]
fn permissions_are_small_and_actions_have_versions() {
    for (name, workflow) in workflows() {
        let permissions = workflow.get("permissions").and_then(Value::as_mapping).expect("permissions");
        let read = permissions.iter().all(|(key, value)| key == "contents" && value == "read");
        assert!(read, "{name}: a workflow begins with `permissions: {{contents: read}}`");
        // A fork's pull request is never run with a token that can write.
        let on = workflow.get("on").expect("on");
        assert!(
            on.get("pull_request_target").is_none(),
            "{name}: pull_request_target runs a fork's code with our token"
        );
        walk(&name, &workflow, &mut |name, mapping| {
            if let Some(uses) = mapping.get("uses").and_then(Value::as_str) {
                let version = uses.rsplit_once('@').map(|(_, version)| version).unwrap_or_default();
                let pinned = version.starts_with('v') || version.len() == 40;
                assert!(uses.starts_with("./.github/") || pinned, "{name}: `{uses}` has no version");
            }
        });
        for (job, value) in workflow.get("jobs").and_then(Value::as_mapping).expect("jobs") {
            let job = job.as_str().expect("a name");
            let called = value.get("uses").is_some();
            assert!(called || value.get("timeout-minutes").is_some(), "{name}: job {job} has no timeout-minutes");
            assert!(value.get("name").is_some(), "{name}: job {job} has no name");
        }
    }
}

#[test]
fn patterns() {
    assert_eq!(pattern("beira train ${{ env.A }}/x ${{ b }}"), "beira train …/x …");
    assert_eq!(pattern("cargo xtask lint"), "cargo xtask lint");
}
