//! `data/external/`: what was downloaded, a checksum beside each file, nothing fetched twice.

use std::fs;
use std::path::{Path, PathBuf};

use super::download::Download;
use super::unzip::{self, Limits};
use super::{Place, digest, kaggle, starts_with};
use crate::pipeline::Source;
use crate::tracking::encode;
use crate::{Error, Progress};

const ZIP: &[u8] = b"PK\x03\x04";

/// The table that an address names, as a file below `external`.
pub(super) fn fetch(
    place: &Place,
    source: &Source,
    external: &Path,
    progress: &mut dyn Progress,
) -> Result<PathBuf, Error> {
    let name = without_query(source.url.as_deref().unwrap_or_default()).to_owned();
    let (file, wanted) = match place {
        Place::Web(url) => (external.join(path(url)), None),
        Place::Kaggle { owner, dataset, file: Some(file) } => {
            (external.join("kaggle").join(owner).join(dataset).join(file), file.rsplit('/').next())
        }
        Place::Kaggle { owner, dataset, file: None } => {
            (external.join("kaggle").join(owner).join(format!("{dataset}.zip")), None)
        }
    };
    if !is_whole(&file) {
        progress.say(&format!("fetching {name}"));
        let download = match place {
            Place::Web(url) => Download { name: &name, url: url.clone(), authorization: None, refused: |_| None },
            Place::Kaggle { owner, dataset, file } => kaggle::download(&name, owner, dataset, file.as_deref())?,
        };
        get(&download, &file, wanted)?;
    }
    if let Some(pinned) = &source.sha256
        && !digest(&file).is_ok_and(|found| found.eq_ignore_ascii_case(pinned))
    {
        let what = "its sha256 is not the one that `source.sha256` says; the data has changed, or something else came";
        return Err(Error::data(file.display().to_string(), what));
    }
    if starts_with(&file, ZIP) { table_of(&file, source.file.as_deref()) } else { Ok(file) }
}

/// Downloads to `file`; a zip that only wraps the file `wanted` is unwrapped.
pub(super) fn get(download: &Download<'_>, file: &Path, wanted: Option<&str>) -> Result<(), Error> {
    let wrong = |source| Error::File { action: "write", path: file.to_owned(), source, help: String::new() };
    file.parent().map_or(Ok(()), fs::create_dir_all).map_err(wrong)?;
    let part = file.with_added_extension("part");
    download.run(&part)?;
    match wanted {
        Some(wanted) if starts_with(&part, ZIP) && !wanted.ends_with(".zip") => {
            let unpacked = unzip::one(&part, wanted, file, Limits::default());
            fs::remove_file(&part).map_err(wrong)?;
            unpacked?;
        }
        _ => fs::rename(&part, file).map_err(wrong)?,
    }
    let sum = digest(file).map_err(wrong)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs::write(checksum(file), format!("{sum}  {name}\n")).map_err(wrong)
}

/// Whether a file is what its checksum says.
pub(super) fn is_whole(file: &Path) -> bool {
    let Ok(kept) = fs::read_to_string(checksum(file)) else { return false };
    digest(file).is_ok_and(|found| kept.starts_with(&found))
}

/// As `sha256sum -c` reads it.
fn checksum(file: &Path) -> PathBuf {
    file.with_added_extension("sha256")
}

/// The table in an archive: the one that is named, or the only one.
pub(super) fn table_of(archive: &Path, named: Option<&str>) -> Result<PathBuf, Error> {
    let place = archive.display().to_string();
    let read = |source| Error::File { action: "read", path: archive.to_owned(), source, help: String::new() };
    let sum = digest(archive).map_err(read)?;
    let folder = archive.with_extension(&sum[..12]);
    if !folder.is_dir() {
        unzip::all(archive, &folder, Limits::default())?;
    }
    let mut files = Vec::new();
    list(&folder, &folder, &mut files).map_err(read)?;
    files.sort();
    let is_table = |file: &&String| match named {
        Some(named) => file.as_str() == named,
        None => ["csv", "tsv", "parquet"].iter().any(|end| file.rsplit('.').next() == Some(end)),
    };
    let tables: Vec<&String> = files.iter().filter(is_table).collect();
    let shown = || files.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
    match (tables.as_slice(), named) {
        ([table], _) => Ok(folder.join(table)),
        (_, Some(named)) => {
            Err(Error::data(place, format!("`source.file`: there is no {named} in it, but {}", shown())))
        }
        ([], None) => Err(Error::data(place, format!("there is no CSV or Parquet file in it, but {}", shown()))),
        (_, None) => Err(Error::data(place, format!("several tables; say which with `source.file`: {}", shown()))),
    }
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(root, &path, files)?;
        } else if let Ok(inside) = path.strip_prefix(root) {
            let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            files.push(parts.join("/"));
        }
    }
    Ok(())
}

/// An address without what may be secret in it.
pub(super) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// Folders and name for an address: host, then path; a query is told apart by its hash.
fn path(url: &str) -> PathBuf {
    use sha2::{Digest, Sha256};
    let plain = without_query(url);
    let (_, rest) = plain.split_once("://").unwrap_or(("", plain));
    let mut parts: Vec<String> = rest.split('/').filter(|part| !part.is_empty()).map(encode).collect();
    parts.iter_mut().filter(|part| part.starts_with('.')).for_each(|part| part.insert(0, '_'));
    if parts.len() == 1 {
        parts.push("table".to_owned());
    }
    if plain.len() < url.len()
        && let Some(last) = parts.last_mut()
    {
        last.insert_str(0, &format!("{}-", &contract::hex::encode(&Sha256::digest(url))[..12]));
    }
    parts.iter().collect()
}
