//! What a run leaves on disk: the cleaned table, its features with their lineage, reports and plots.
//!
//! ```text
//! data/processed/NAME.parquet       typed columns, missing values as null
//! data/feature_store/NAME.parquet   what a learner sees, the target, and each row's part of the split
//! data/feature_store/NAME.json      schema, statistics, hashes, and source → processed → features → run
//! ```
//! The same rows, pipeline and seed give the same bytes; a file is there whole or not at all.

mod files;
mod table;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::data::{Data, Target, Values};
use crate::{Error, Pipeline, Trained};

pub(crate) use files::{Folder, whole};
use table::{Cells, Table};

/// Writes both tables and the lineage of run `run`; the lineage is answered too.
pub(crate) fn write(folder: &Folder, pipeline: &Pipeline, trained: &Trained, run: &str) -> Result<Value, Error> {
    let (data, encoder) = (&trained.data, &trained.encoder);
    let processed = processed(data, &pipeline.target)?;
    let processed_file = folder.write("data/processed", &format!("{}.parquet", pipeline.name), &processed)?;

    let rows: Vec<usize> = (0..data.rows).collect();
    let matrix = encoder.raw(data, &rows);
    let (names, origins) = (encoder.names(), encoder.origins());
    let mut features = Table::default();
    let mut columns = Vec::new();
    for (i, (name, origins)) in names.iter().zip(origins).enumerate() {
        let values: Vec<f32> = matrix.rows().map(|row| row[i]).collect();
        let from: Vec<&str> = origins.iter().map(|origin| data.features[*origin].name.as_str()).collect();
        columns.push(statistics(name, &from, &values));
        features.push(name, Cells::Floats(values));
    }
    features.push(&free("target", &names), target(&data.target));
    features.push(&free("part", &names), Cells::Texts(trained.parts.names(data.rows)));
    let features = features.to_parquet()?;
    let features_file = folder.write("data/feature_store", &format!("{}.parquet", pipeline.name), &features)?;

    let lineage = json!({
        "name": pipeline.name,
        "seed": pipeline.split.seed,
        "pipeline_sha256": hex(pipeline.to_yaml().as_bytes()),
        "source": data.origin,
        "processed": { "file": processed_file, "sha256": hex(&processed), "rows": data.rows },
        "features": { "file": features_file, "sha256": hex(&features), "rows": data.rows, "columns": columns },
        "run_id": run,
    });
    let text = serde_json::to_vec_pretty(&lineage).unwrap_or_default();
    folder.write("data/feature_store", &format!("{}.json", pipeline.name), &text)?;
    Ok(lineage)
}

/// The cleaned table as a Parquet file.
pub(crate) fn processed(data: &Data, name: &str) -> Result<Vec<u8>, Error> {
    let mut table = Table::default();
    for feature in &data.features {
        table.push(&feature.name, cells(&feature.values));
    }
    table.push(name, target(&data.target));
    table.to_parquet()
}

fn hex(bytes: &[u8]) -> String {
    contract::hex::encode(&Sha256::digest(bytes))
}

/// A name that no feature has.
fn free(name: &str, taken: &[String]) -> String {
    let mut name = name.to_owned();
    while taken.contains(&name) {
        name.insert(0, '_');
    }
    name
}

fn cells(values: &Values) -> Cells {
    match values {
        Values::Numbers(numbers) => Cells::Floats(numbers.clone()),
        Values::Texts(texts) => Cells::Texts(texts.clone()),
        Values::Dates { date, numbers, .. } => Cells::Dates(date.unit, numbers.clone()),
    }
}

fn target(target: &Target) -> Cells {
    match target {
        Target::Numbers { rows, .. } => Cells::Floats(rows.clone()),
        Target::Classes { labels, rows } => {
            let names = labels.names();
            Cells::Texts(rows.iter().map(|class| names.get(*class as usize).cloned()).collect())
        }
    }
}

fn statistics(name: &str, from: &[&str], values: &[f32]) -> Value {
    let there = || values.iter().filter(|value| !value.is_nan()).map(|value| f64::from(*value));
    let count = there().count();
    let mean = there().sum::<f64>() / count as f64;
    let variance = there().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
    let number = |value: f64| contract::number::to_json(value);
    json!({
        "name": name,
        "type": "float32",
        "from": from,
        "missing": values.len() - count,
        "mean": number(mean),
        "deviation": number(variance.sqrt()),
        "min": number(there().fold(f64::INFINITY, f64::min)),
        "max": number(there().fold(f64::NEG_INFINITY, f64::max)),
    })
}
