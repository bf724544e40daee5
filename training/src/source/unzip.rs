//! A zip archive to files: no path leaves the folder, no bomb fills the disk.

mod directory;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;

use crate::Error;

/// What an archive may hold.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Files.
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { files: 10_000, bytes: 16 << 30 }
    }
}

/// Unpacks everything below `folder`, which is made whole or not at all.
pub(super) fn all(archive: &Path, folder: &Path, limits: Limits) -> Result<(), Error> {
    let work = folder.with_added_extension("unpacking");
    fs::remove_dir_all(&work).ok();
    let done = unpack(archive, limits, |path| Some(work.join(path)))
        .and_then(|_| fs::rename(&work, folder).map_err(|source| written(folder, source)));
    if done.is_err() {
        fs::remove_dir_all(&work).ok();
    }
    done
}

/// Unpacks the one file of an archive, or the one called `name`, to `to`.
pub(super) fn one(archive: &Path, name: &str, to: &Path, limits: Limits) -> Result<(), Error> {
    let alone = directory::read(&mut open(archive)?).map_err(|what| wrong(archive, &what))?.len() == 1;
    let wanted = |path: &Path| alone || path.file_name() == Path::new(name).file_name();
    let work = to.with_added_extension("unpacking");
    let done = unpack(archive, limits, |path| wanted(path).then(|| work.clone())).and_then(|count| match count {
        1 => fs::rename(&work, to).map_err(|source| written(to, source)),
        _ => Err(Error::data(archive.display().to_string(), format!("the archive holds {count} files of that name"))),
    });
    if done.is_err() {
        fs::remove_file(&work).ok();
    }
    done
}

fn open(archive: &Path) -> Result<File, Error> {
    File::open(archive).map_err(|source| Error::File {
        action: "read",
        path: archive.to_owned(),
        source,
        help: String::new(),
    })
}

fn unpack(archive: &Path, limits: Limits, to: impl Fn(&Path) -> Option<PathBuf>) -> Result<usize, Error> {
    let wrong = |what: &str| wrong(archive, what);
    let mut zip = open(archive)?;
    let entries = directory::read(&mut zip).map_err(|what| wrong(&what))?;
    if entries.len() > limits.files {
        return Err(wrong(&format!("more than {} files", limits.files)));
    }
    let (mut left, mut count) = (limits.bytes, 0);
    let mut buffer = vec![0; 1 << 16];
    for entry in entries.iter().filter(|entry| !entry.is_folder) {
        let path = entry.path.as_ref().ok_or_else(|| wrong("a path in it leaves the archive"))?;
        let Some(to) = to(path) else { continue };
        to.parent().map_or(Ok(()), fs::create_dir_all).map_err(|source| written(&to, source))?;
        let mut file = File::create(&to).map_err(|source| written(&to, source))?;
        let mut content = directory::content(&mut zip, entry).map_err(|what| wrong(&what))?;
        let mut crc = Crc::new();
        loop {
            let count = content.read(&mut buffer).map_err(|error| wrong(&format!("it is damaged ({error})")))?;
            if count == 0 {
                break;
            }
            // The size that an entry declares is not believed.
            left = left
                .checked_sub(count as u64)
                .ok_or_else(|| wrong(&format!("its files are larger than {} bytes altogether", limits.bytes)))?;
            crc.update(&buffer[..count]);
            file.write_all(&buffer[..count]).map_err(|source| written(&to, source))?;
        }
        if crc.sum() != entry.crc {
            return Err(wrong("it is damaged (a checksum differs)"));
        }
        count += 1;
    }
    Ok(count)
}

fn wrong(archive: &Path, what: &str) -> Error {
    Error::data(archive.display().to_string(), format!("the archive cannot be unpacked: {what}"))
}

fn written(path: &Path, source: std::io::Error) -> Error {
    Error::File { action: "write", path: path.to_owned(), source, help: String::new() }
}
