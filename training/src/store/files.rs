//! A folder that files are put into whole: written under another name first, then renamed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// The pipeline's folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// This folder, which must be there.
    pub fn new(path: PathBuf) -> Folder {
        Folder(path)
    }

    /// A path below it.
    pub fn join(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// Writes `inside/name`; answers that path.
    pub fn write(&self, inside: &str, name: &str, bytes: &[u8]) -> Result<String, Error> {
        let file = self.0.join(inside).join(name);
        whole(&file, bytes)?;
        Ok(format!("{inside}/{name}"))
    }
}

/// Writes a file and the folders above it; nobody sees half of it.
pub(crate) fn whole(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let wrong = |source| Error::File { action: "write", path: file.to_owned(), source, help: String::new() };
    let half = file.with_added_extension("half");
    file.parent().map_or(Ok(()), fs::create_dir_all).map_err(wrong)?;
    fs::write(&half, bytes).and_then(|()| fs::rename(&half, file)).map_err(|error| {
        fs::remove_file(&half).ok();
        wrong(error)
    })
}
