//! A directory in the making: in memory until it is complete, then there all at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

/// Its file that says who wrote it, so that nobody else's directory is replaced.
const MARK: &str = ".beira-deploy";

/// Files by path.
#[derive(Default)]
pub struct Directory(BTreeMap<String, Vec<u8>>);

impl Directory {
    /// Adds a file.
    pub fn file(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), content.into());
    }

    /// Writes everything to `out`, beside it first: a directory is there whole or not at all.
    pub fn write(&self, out: &Path) -> anyhow::Result<()> {
        let cannot = |what: &str| format!("cannot {what} {}", out.display());
        let ours = out.join(MARK).exists();
        let there = out.exists();
        if there && !ours && !fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none()) {
            bail!(
                "--out {} is there already and not written by `beira deploy`; choose another, or remove it",
                out.display()
            );
        }
        let parent = match out.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).with_context(|| cannot("make the folder of"))?;
        let beside = |what: &str| parent.join(format!(".beira-{what}-{}", std::process::id()));
        let (new, old) = (beside("new"), beside("old"));
        let written = self.fill(&new).and_then(|()| {
            if there {
                fs::rename(out, &old)?;
            }
            fs::rename(&new, out).inspect_err(|_| drop(fs::rename(&old, out)))
        });
        fs::remove_dir_all(&new).ok();
        fs::remove_dir_all(&old).ok();
        written.with_context(|| cannot("write"))
    }

    fn fill(&self, folder: &Path) -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(MARK), concat!("beira ", env!("CARGO_PKG_VERSION"), "\n"))?;
        for (path, content) in &self.0 {
            let path = folder.join(path);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, content)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_ours_is_replaced_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("a/out");
        let mut first = Directory::default();
        first.file("old.txt", "1");
        first.file("deep/er.txt", "2");
        first.write(&out).unwrap();
        let mut second = Directory::default();
        second.file("new.txt", "3");
        second.write(&out).unwrap();
        let mut names: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [MARK, "new.txt"]);
        assert_eq!(fs::read_dir(out.parent().unwrap()).unwrap().count(), 1); // nothing half-written stays

        let other = folder.path().join("home");
        fs::create_dir(&other).unwrap();
        second.write(&other).unwrap(); // empty
        fs::remove_file(other.join(MARK)).unwrap();
        assert!(second.write(&other).unwrap_err().to_string().contains("not written by `beira deploy`"));
    }
}
