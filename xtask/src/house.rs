//! Where things are: the work tree, the target folder, the tools built into it.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The folders every chore works in.
pub struct House {
    /// Root of the work tree.
    pub root: PathBuf,
    /// Cargo's target folder (`CARGO_TARGET_DIR` is respected).
    pub target: PathBuf,
}

impl House {
    /// Finds the house from this program's own place in the target folder.
    pub fn find() -> anyhow::Result<House> {
        // Cargo says at run time which clone it runs for: two clones may share a target folder, and with it this program.
        let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&own).parent().context("xtask lies in the work tree")?.to_owned();
        let exe = std::env::current_exe().context("own path")?;
        let target = exe.ancestors().nth(2).context("xtask is run by cargo, from <target>/debug")?.to_owned();
        Ok(House { root, target })
    }

    /// A file of the work tree.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The binary `beira`.
    pub fn beira(&self) -> PathBuf {
        self.binary("beira")
    }

    /// A binary of the workspace.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Tools that were built for this work tree: Trunk, wasm-bindgen.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// Target folder of the wasm32 builds, apart so that they do not wait for native ones.
    pub fn web_target(&self) -> PathBuf {
        self.target.join("web")
    }

    /// The Python of the tests.
    pub fn python(&self) -> PathBuf {
        self.target.join("venv/bin/python")
    }

    /// PATH with our tools and those of npm first.
    pub fn tool_path(&self) -> anyhow::Result<std::ffi::OsString> {
        let own = [self.tools().join("bin"), self.path("node_modules/.bin")];
        let old = std::env::var_os("PATH").unwrap_or_default();
        Ok(std::env::join_paths(own.into_iter().chain(std::env::split_paths(&old)))?)
    }
}
