//! The house rules that a machine can check: files greet their reader, arrows hold, the map is true.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the work tree")
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let skipped = ["target", "node_modules", "dist", "state", ".git"].iter().any(|skip| *skip == name);
        if path.is_dir() && !skipped {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

#[test]
fn every_rust_file_opens_with_a_sentence() {
    let mut sources = Vec::new();
    files(root(), "rs", &mut sources);
    let silent: Vec<_> =
        sources.iter().filter(|path| !std::fs::read_to_string(path).expect("UTF-8").starts_with("//!")).collect();
    assert!(silent.is_empty(), "these files do not say in their first line (`//! …`) what they are: {silent:#?}");
    assert!(sources.len() > 50, "only {} files were looked at", sources.len());
}

#[test]
fn the_arrows_hold() {
    let check = |room: &str, may_use: &[&str]| {
        let manifest = std::fs::read_to_string(root().join(room).join("Cargo.toml")).expect("a Cargo.toml");
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("[dev-dependencies]").next().unwrap_or_default();
        let rooms = [
            "contract",
            "monitoring",
            "inference-wasm",
            "host-rows",
            "host-native",
            "training",
            "server",
            "dashboard",
            "cli",
        ];
        let used: BTreeSet<&str> = dependencies
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .filter(|name| rooms.contains(name))
            .collect();
        let allowed: BTreeSet<&str> = may_use.iter().copied().collect();
        let forbidden: Vec<_> = used.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{room} may not use {forbidden:?}; ARCHITECTURE.md says why");
    };
    check("contract", &[]);
    check("monitoring", &["contract"]);
    check("inference-wasm", &["contract"]);
    check("inference-wasm/hosts/rows", &["contract", "monitoring"]);
    check("inference-wasm/hosts/native", &["contract", "monitoring", "host-rows"]);
    check("inference-wasm/hosts/proxy-wasm", &["contract", "monitoring", "host-rows"]);
    check("inference-wasm/hosts/web", &["contract", "monitoring"]);
    check("training", &["contract", "monitoring", "inference-wasm", "host-native"]);
    check("server", &["contract", "monitoring", "inference-wasm", "host-native"]);
    check("dashboard", &["contract"]);
    check("cli", &["contract", "monitoring", "inference-wasm", "host-native", "training", "server"]);
    check("xtask", &[]);
    check("xtask/proof", &["contract", "inference-wasm", "host-native"]);
    check("xtask/conformance", &["contract", "inference-wasm", "host-native"]);
    check("xtask/fuzz", &["contract", "inference-wasm", "host-native"]);
}

#[test]
fn paths_on_the_map_exist() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the map");
    let (mut missing, mut looked_at) = (Vec::new(), 0);
    for word in map.split('`').skip(1).step_by(2) {
        let is_path = word.contains('/') && !word.starts_with(['/', '<']) && !word.contains([' ', '{', '…', ',']);
        if !is_path {
            continue;
        }
        looked_at += 1;
        let candidates =
            [root().join(word), root().join("inference-wasm").join(word), root().join("inference-wasm/src").join(word)];
        if !candidates.iter().any(|path| path.exists()) {
            missing.push(word);
        }
    }
    assert!(missing.is_empty(), "ARCHITECTURE.md names paths that do not exist: {missing:?}");
    assert!(looked_at > 5, "the map names no paths");
}
