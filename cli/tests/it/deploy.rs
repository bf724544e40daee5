//! `beira deploy cloud-run`: what it writes, and how a rollout goes with a `gcloud` that plays Google's part.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{BEIRA, Process, module};

/// The smallest ELF header that needs no loader; the image is never started here.
fn static_binary(folder: &Path) -> String {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18] = 62;
    let path = folder.join("static");
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A `gcloud` that writes down what it was asked and answers as Google would: `production` has 100 %
/// of the traffic, both addresses lead to `url`; `at_shift` is run when traffic is first given away.
fn gcloud(folder: &Path, url: &str, production: bool, at_shift: &str) {
    let old = r#"{"revisionName": "iris-old", "percent": 100},"#;
    let list = format!(
        r#"[{{"metadata": {{"name": "iris"}}, "status": {{"url": "{url}", "traffic": [{old} {{"revisionName": "x", "tag": "candidate", "url": "{url}"}}]}}}}]"#
    );
    let (before, after) = if production { (list.clone(), list) } else { ("[]".to_owned(), list) };
    fs::write(folder.join("before.json"), before).unwrap();
    fs::write(folder.join("after.json"), after).unwrap();
    let script = format!(
        r#"#!/bin/sh
cd '{}'
echo "$*" >> calls
case "$*" in
  "run services replace"*) cp "$4" replaced.yaml; cp after.json before.json;;
  "run services list"*) cat before.json;;
  "auth print-identity-token"*) echo token;;
  *update-traffic*=10*) {at_shift};;
esac
"#,
        folder.display()
    );
    fs::write(folder.join("gcloud"), script).unwrap();
    fs::set_permissions(folder.join("gcloud"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn deploy(folder: &Path, model: &Path, more: &[&str]) -> Output {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let out = fs::canonicalize(folder).unwrap().join("out");
    Command::new(BEIRA)
        .args(["deploy", "cloud-run", "--project", "shop", "--wait", "0", "--binary", &static_binary(folder)])
        .arg("--model")
        .arg(model)
        .arg("--out")
        .arg(out)
        .args(more)
        .env("PATH", path)
        .output()
        .unwrap()
}

/// What `gcloud` was asked to change; a new revision's name, which holds the time, is NEW.
fn calls(folder: &Path) -> Vec<String> {
    let share = |share: &str| match share.split_once('=') {
        Some((revision, percent)) if revision.starts_with("iris-") && revision != "iris-old" => {
            format!("NEW={percent}")
        }
        _ => share.to_owned(),
    };
    let call = |line: &str| -> Vec<String> {
        let words = line.split(' ').filter(|word| !word.starts_with('/') && !word.contains("pkg.dev"));
        let words = words.map(|word| word.split(',').map(share).collect::<Vec<_>>().join(","));
        words.take_while(|word| word != "--region" && word != "--tag").collect()
    };
    let calls = fs::read_to_string(folder.join("calls")).unwrap();
    let changing = ["replace", "update-traffic", "builds"];
    calls
        .lines()
        .filter(|line| changing.iter().any(|what| line.contains(what)))
        .map(|line| call(line).join(" "))
        .collect()
}

#[test]
fn the_folder_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let model = module(folder.path(), "iris", &[]);
    let done = deploy(folder.path(), &model, &["--telemetry", "https://beira.example.org"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let out = folder.path().join("out");
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    insta::assert_snapshot!(read("Dockerfile"));
    let (sha256, yaml) = (read("README.md").split("sha256 `").nth(1).unwrap()[..64].to_owned(), read("service.yaml"));
    let moment = yaml.split("      name: iris-").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    insta::assert_snapshot!(yaml.replace(&sha256[..12], "MODULE").replace(&moment, "MOMENT"));
    assert_eq!(fs::read(out.join("iris.wasm")).unwrap(), fs::read(&model).unwrap());
    assert_eq!(fs::metadata(out.join("beira")).unwrap().permissions().mode() & 0o777, 0o755);
    // Again into the same folder is fine, into somebody else's is not.
    assert!(deploy(folder.path(), &model, &[]).status.success());
    fs::remove_file(out.join(".beira-deploy")).unwrap();
    let done = deploy(folder.path(), &model, &[]);
    assert!(String::from_utf8_lossy(&done.stderr).contains("choose another"), "{done:?}");
    assert!(out.join("Dockerfile").is_file(), "what was there is still there");
}

#[test]
fn what_does_not_fit_or_does_not_start_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let model = module(folder.path(), "iris", &[]);
    let refused = |binary: &[u8], expected: &str| {
        let path = folder.path().join("other");
        fs::write(&path, binary).unwrap();
        let done = Command::new(BEIRA)
            .args(["deploy", "cloud-run", "--binary", path.to_str().unwrap(), "--model"])
            .arg(&model)
            .arg("--out")
            .arg(folder.path().join("out"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && text.contains(expected), "{text}");
        assert!(!folder.path().join("out").exists(), "nothing half-written stays");
    };
    refused(b"#!/bin/sh\n", "no 64-bit ELF file");
    refused(&fs::read(BEIRA).unwrap(), "linked dynamically");
    let mut large = fs::read(static_binary(folder.path())).unwrap();
    large.resize(41 << 20, 0);
    refused(&large, "the image's root file system would have 41.0 MB");
}

#[test]
fn a_rollout_shifts_the_traffic_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let model = module(folder.path(), "iris", &[]);
    let infer = Process::start(folder.path(), "infer", &["infer", "--model", model.to_str().unwrap()]);
    gcloud(folder.path(), &infer.url(), true, ":");
    let done = deploy(folder.path(), &model, &["--run"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(
        calls(folder.path()),
        [
            "builds submit",
            "run services replace",
            "run services update-traffic iris --to-revisions NEW=10,iris-old=90",
            "run services update-traffic iris --to-revisions NEW=50,iris-old=50",
            "run services update-traffic iris --to-revisions NEW=100",
        ]
    );
    let replaced = fs::read_to_string(folder.path().join("replaced.yaml")).unwrap();
    let traffic = replaced.split("  traffic:\n").nth(1).unwrap();
    assert!(traffic.starts_with("  - revisionName: \"iris-old\"\n    percent: 100\n"), "{traffic}");
    assert!(traffic.ends_with("    percent: 0\n    tag: \"candidate\"\n"), "{traffic}");
}

#[test]
fn a_first_deployment_has_nothing_to_roll_back_to() {
    let folder = tempfile::tempdir().unwrap();
    let model = module(folder.path(), "iris", &[]);
    let infer = Process::start(folder.path(), "infer", &["infer", "--model", model.to_str().unwrap()]);
    gcloud(folder.path(), &infer.url(), false, ":");
    let done = deploy(folder.path(), &model, &["--run"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(calls(folder.path()), ["builds submit", "run services replace"]);
}

#[test]
fn a_failing_smoke_test_leaves_production_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let model = module(folder.path(), "iris", &[]);
    // What answers under the tag is another model of that name: the golden rows come out otherwise.
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let random_forest = concat!(env!("CARGO_MANIFEST_DIR"), "/../inference-wasm/tests/models/random_forest.onnx");
    let renamed = other.join("iris.onnx");
    fs::copy(random_forest, &renamed).unwrap();
    let infer = Process::start(folder.path(), "infer", &["infer", "--model", renamed.to_str().unwrap()]);
    gcloud(folder.path(), &infer.url(), true, ":");
    let done = deploy(folder.path(), &model, &["--run"]);
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && text.contains("production is untouched"), "{text}");
    assert_eq!(calls(folder.path()), ["builds submit", "run services replace"]);
}

#[test]
fn a_failure_after_the_shift_is_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let model = module(folder.path(), "iris", &[]);
    let infer = Process::start(folder.path(), "infer", &["infer", "--model", model.to_str().unwrap()]);
    gcloud(folder.path(), &infer.url(), true, &format!("kill -9 {}", infer.id()));
    let done = deploy(folder.path(), &model, &["--run"]);
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && text.contains("rolled back"), "{text}");
    assert_eq!(
        calls(folder.path())[2..],
        [
            "run services update-traffic iris --to-revisions NEW=10,iris-old=90",
            "run services update-traffic iris --to-revisions iris-old=100",
        ]
    );
}
