//! Where rows come from: a sample, a file, an address, Kaggle. Downloads stay in `data/external/`.

mod download;
mod external;
mod kaggle;
mod parquet;
#[cfg(test)]
mod tests;
mod unzip;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::read::{self, Raw};
use crate::{Error, Pipeline, Progress, sample};

/// Where the bytes of a table came from, for the lineage.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Origin {
    /// As the pipeline names it.
    pub source: String,
    /// sha256 (hex) of the file; of the cells, for a sample.
    pub sha256: String,
}

/// An address in the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `http://…` or `https://…`.
    Web(String),
    /// `kaggle://owner/dataset[/file]`.
    Kaggle {
        /// Who published the data set.
        owner: String,
        /// Its name.
        dataset: String,
        /// One of its files; the whole data set when absent.
        file: Option<String>,
    },
}

impl Place {
    /// Reads an address; the error names the key.
    pub fn parse(url: &str) -> Result<Place, String> {
        if let Some(rest) = url.strip_prefix("kaggle://") {
            let plain = |part: &&str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '?', '#']);
            let parts: Vec<&str> = rest.split('/').collect();
            return match parts.as_slice() {
                [owner, dataset, file @ ..] if parts.iter().all(plain) => Ok(Place::Kaggle {
                    owner: (*owner).to_owned(),
                    dataset: (*dataset).to_owned(),
                    file: (!file.is_empty()).then(|| file.join("/")),
                }),
                _ => Err("source.url: kaggle://owner/dataset[/file] is needed".to_owned()),
            };
        }
        let scheme = ["http://", "https://"].into_iter().find(|scheme| url.starts_with(scheme));
        match scheme.map(|scheme| &url[scheme.len()..]) {
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains('@') => {
                Ok(Place::Web(url.to_owned()))
            }
            _ => Err("source.url: an address like https://… or kaggle://owner/dataset[/file] is needed".to_owned()),
        }
    }
}

/// The rows that a pipeline names.
pub(crate) fn read(pipeline: &Pipeline, progress: &mut dyn Progress) -> Result<Raw, Error> {
    let (source, folder) = (&pipeline.source, pipeline.folder());
    if let Some(name) = &source.sample {
        return sample::table(name);
    }
    let help = |path: &Path, source| {
        let help = "; `source` is relative to the pipeline's folder".to_owned();
        Error::File { action: "read", path: path.to_owned(), source, help }
    };
    let (path, name) = match (&source.csv, &source.parquet, &source.url) {
        (Some(csv), ..) => (folder.join(csv), csv.display().to_string()),
        (_, Some(parquet), _) => (folder.join(parquet), parquet.display().to_string()),
        (_, _, Some(url)) => {
            let place = Place::parse(url).map_err(|what| pipeline.wrong("source", what))?;
            let external = folder.join("data").join("external");
            (external::fetch(&place, source, &external, progress)?, external::without_query(url).to_owned())
        }
        _ => return Err(pipeline.wrong("source", "none is given")),
    };
    let sha256 = digest(&path).map_err(|error| help(&path, error))?;
    let is_parquet = source.parquet.is_some() || source.csv.is_none() && starts_with(&path, b"PAR1");
    let mut raw = if is_parquet { parquet::read(&path)? } else { read::read_csv(&path)? };
    raw.origin = Origin { source: name, sha256 };
    Ok(raw)
}

/// sha256 (hex) of a file.
fn digest(path: &Path) -> std::io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    std::io::copy(&mut file, &mut hash)?;
    Ok(contract::hex::encode(&hash.finalize()))
}

/// Whether a file begins with these bytes.
fn starts_with(path: &Path, magic: &[u8]) -> bool {
    let mut head = vec![0; magic.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok_and(|()| head == magic)
}
