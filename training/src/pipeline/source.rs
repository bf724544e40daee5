//! `source:` — where the rows come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::sample;

/// Where the rows come from: exactly one of `sample`, `csv`, `parquet` and `url`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// A built-in sample: `wine-quality-red` or `mixed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// A CSV file, relative to the pipeline's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<PathBuf>,
    /// A Parquet file, relative to the pipeline's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parquet: Option<PathBuf>,
    /// `https://…`, `http://…` or `kaggle://owner/dataset[/file]`: a CSV or Parquet file, or a zip of some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Which file of a zip that holds several tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What the downloaded file must be: its sha256 in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Source {
    /// What is wrong with it, before anything is read.
    pub(super) fn check(&self) -> Result<(), String> {
        let given = [self.sample.is_some(), self.csv.is_some(), self.parquet.is_some(), self.url.is_some()];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(
                "source: give one of `csv: FILE`, `parquet: FILE`, `url: ADDRESS` and `sample: NAME`".to_owned()
            );
        }
        if let Some(sample) = &self.sample
            && !sample::NAMES.contains(&sample.as_str())
        {
            return Err(format!("source.sample: no such sample; there are {}", sample::NAMES.join(", ")));
        }
        for (key, path) in [("csv", &self.csv), ("parquet", &self.parquet)] {
            if path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
                return Err(format!("source.{key}: a file is needed"));
            }
        }
        if self.url.is_none() && (self.file.is_some() || self.sha256.is_some()) {
            return Err("source: `file` and `sha256` belong to a `url`".to_owned());
        }
        if let Some(sha256) = &self.sha256
            && !(sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            return Err("source.sha256: 64 hexadecimal digits are needed".to_owned());
        }
        self.url.as_deref().map_or(Ok(()), |url| crate::source::Place::parse(url).map(drop))
    }
}
