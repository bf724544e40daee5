//! `cargo xtask bless`: the golden files become what comes out now.

use std::process::Command;

use crate::house::House;
use crate::step::{run, step};

/// Runs the Rust tests with every golden file rewritten.
pub fn bless(house: &House) -> anyhow::Result<()> {
    step("Rewriting the golden files; read `git diff` afterwards", || {
        run(Command::new("cargo")
            .args(["test", "--workspace"])
            .current_dir(&house.root)
            .env("INSTA_UPDATE", "always")
            .env("INSTA_FORCE_PASS", "1")
            .env("BLESS", "1"))
    })
}
