//! The chores that workflows call, run as they are.

use std::path::Path;
use std::process::Command;

/// `cargo xtask …` with some variables.
fn xtask(arguments: &[&str], variables: &[(&str, &Path)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let done = command.args(arguments).envs(variables.iter().copied()).output().expect("xtask starts");
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {text}");
    text
}

#[test]
fn the_binary_alone_is_on_the_path_of_later_steps() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("path");
    xtask(&["build", "--only-beira"], &[("GITHUB_PATH", &list)]);
    let list = std::fs::read_to_string(list).expect("the runner's list");
    let binary = Path::new(list.trim()).join(format!("beira{}", std::env::consts::EXE_SUFFIX));
    let version = Command::new(binary).arg("--version").output().expect("beira starts");
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("beira "));
}

#[test]
fn a_release_holds_the_binary_and_the_package() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_string_lossy().into_owned();
    xtask(&["release", "binary", "--profile", "dev", "--out", &out], &[]);
    xtask(&["release", "npm", "--out", &out], &[]);
    let mut names: Vec<String> = (std::fs::read_dir(folder.path()).expect("a folder"))
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let [archive, sha256, npm] = names.as_slice() else { panic!("{names:?}") };
    assert!(archive.starts_with("beira-0") && archive.ends_with(".tar.gz"), "{archive}");
    assert!(npm.ends_with(".tgz"), "{npm}");
    assert_eq!(*sha256, format!("{archive}.sha256"));
    let said = std::fs::read_to_string(folder.path().join(sha256)).expect("the sum");
    assert!(said.len() == 64 + 2 + archive.len() + 1 && said.ends_with(&format!("  {archive}\n")), "{said}");
    let list = Command::new("tar").arg("-tzf").arg(folder.path().join(archive)).output().expect("tar");
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    for file in ["beira", "README.md", "LICENSE-MIT"] {
        assert!(list.lines().any(|line| line.ends_with(&format!("/{file}"))), "{list}");
    }
}
