//! The built-in samples: red wine quality (P. Cortez et al., 2009), carried by the crate `linfa-datasets`, and one that is made here.

mod mixed;

use std::path::Path;

use crate::read::{self, Raw};
use crate::source::Origin;
use crate::store::whole;
use crate::{Error, data};

/// Samples that `source.sample` may name.
pub(crate) const NAMES: [&str; 2] = ["wine-quality-red", "mixed"];

/// The rows of a sample, which [`NAMES`] has.
pub(crate) fn table(name: &str) -> Result<Raw, Error> {
    let mut raw = match name {
        "mixed" => read::parse(mixed::csv().as_bytes(), name)?,
        _ => wine_quality_red(),
    };
    raw.origin = Origin { source: format!("sample {name}"), sha256: data::digest(&raw) };
    Ok(raw)
}

/// Writes the example `mixed`, a table and its pipeline, into a folder. Files that are there are not overwritten.
pub fn example(folder: &Path) -> Result<(), Error> {
    let files = [("mixed.csv", mixed::csv()), ("pipeline.yaml", mixed::PIPELINE.to_owned())];
    for (name, _) in &files {
        let path = folder.join(name);
        if path.exists() {
            let source = std::io::ErrorKind::AlreadyExists.into();
            return Err(Error::File { action: "write", path, source, help: "; choose another folder".to_owned() });
        }
    }
    files.iter().try_for_each(|(name, text)| whole(&folder.join(name), text.as_bytes()))
}

/// 1,599 rows: 11 measurements and `quality`, a taster's grade from 3 to 8.
pub(crate) fn wine_quality_red() -> Raw {
    let wine = linfa_datasets::winequality();
    let mut header: Vec<String> = wine.feature_names().iter().map(ToString::to_string).collect();
    header.push("quality".to_owned());
    let rows: Vec<Vec<String>> = wine
        .records
        .rows()
        .into_iter()
        .zip(wine.targets.iter())
        .map(|(row, quality)| row.iter().map(f64::to_string).chain([quality.to_string()]).collect())
        .collect();
    let lines = (0..rows.len() as u64).map(|i| i + 2).collect();
    Raw { place: NAMES[0].to_owned(), header, rows, lines, unit: "row", ..Raw::default() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn has_the_rows_and_names_of_the_file() {
        let raw = super::wine_quality_red();
        assert_eq!((raw.rows.len(), raw.header.len()), (1599, 12));
        assert_eq!((raw.header[10].as_str(), raw.header[11].as_str()), ("alcohol", "quality"));
        assert_eq!(raw.rows[0][..4], ["7.4", "0.7", "0", "1.9"]);
        assert_eq!(raw.rows[0][11], "5");
    }
}
