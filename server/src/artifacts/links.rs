//! Links in a folder of artifacts: whoever may write there (clients do, under a local root) could lay one to any file of
//! this machine. What lies behind one is not there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use object_store::path::Path;

use super::root::Opened;
use crate::error::{Error, Result};

/// Refuses a path with a link on it. The folder itself may be one: it is the operator's.
pub async fn none_on(root: &Opened, path: &Path) -> Result<()> {
    let Some(mut at) = root.folder.clone() else { return Ok(()) };
    let parts: Vec<String> = path.parts().map(|part| part.as_ref().to_owned()).collect();
    let look = move || {
        parts.iter().any(|part| {
            at.push(part);
            at.symlink_metadata().is_ok_and(|found| found.is_symlink())
        })
    };
    if blocking(look).await? { Err(Error::missing("No such artifact.")) } else { Ok(()) }
}

/// The names in a folder that are links.
pub async fn among(root: &Opened, path: &Path) -> Result<BTreeSet<String>> {
    let Some(folder) = &root.folder else { return Ok(BTreeSet::new()) };
    let folder: PathBuf =
        std::iter::once(folder.clone()).chain(path.parts().map(|part| part.as_ref().into())).collect();
    let look = move || {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
        links.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    blocking(look).await
}

async fn blocking<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(look).await.map_err(|error| Error::internal(error.to_string()))
}
