//! The held-out rows: from the candidate's run, from its pipeline, or from a file.

use std::path::Path;

use contract::manifest::TensorSpec;
use contract::{Datatype, Fault, Manifest};
use host_native::{Batch, records};
use serde_json::{Map, Value};

use super::GateArgs;
use super::subject::Subject;
use crate::data::{number, short};
use crate::gate::row_hash;
use crate::pipeline::Positive;
use crate::read::{Raw, is_missing, read_csv};
use crate::{Error, heldout};

/// Rows that a client would send, and what is true of each.
pub(super) struct Rows {
    /// Where they come from, for errors.
    pub place: String,
    records: Vec<Map<String, Value>>,
    /// As a model would answer them.
    pub labels: Vec<Value>,
}

impl Rows {
    /// The rows as a module takes them; features that it does not know are left out.
    pub fn batch(&self, manifest: &Manifest) -> Result<Batch, Vec<Fault>> {
        records::encode(manifest, &self.records(manifest))
    }

    /// The rows as a client of this model would send them.
    pub fn records(&self, manifest: &Manifest) -> Vec<Map<String, Value>> {
        let names = features(manifest);
        let known = |record: &Map<String, Value>| -> Map<String, Value> {
            record.iter().filter(|(name, _)| names.contains(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
        };
        self.records.iter().map(known).collect()
    }

    /// Identities of the rows, by the features of the model where it is known.
    pub fn hashes(&self, manifest: Option<&Manifest>) -> Vec<u128> {
        let records = manifest.map_or_else(|| self.records.clone(), |manifest| self.records(manifest));
        records.iter().zip(&self.labels).map(|(record, label)| row_hash(record, label)).collect()
    }
}

/// Reads the rows that `--data` names.
pub(super) fn read(args: &GateArgs, candidate: &Subject) -> Result<Rows, Error> {
    if args.data == "run:heldout" {
        return held_out(candidate);
    }
    let path = Path::new(&args.data);
    let raw = match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv" | "tsv") => read_csv(path)?,
        _ => return Err(Error::data(&args.data, "run:heldout or a .csv file is needed")),
    };
    let manifest = candidate.manifest().ok_or_else(|| {
        let what = "the candidate's signature cannot be read, so that no cell has a type; use --data run:heldout";
        Error::data(&raw.place, what)
    })?;
    table(&raw, manifest, &truth(args, candidate)?)
}

/// What the candidate's run, or its pipeline, held out.
fn held_out(candidate: &Subject) -> Result<Rows, Error> {
    if let Some((_, trained)) = &candidate.trained {
        let (data, rows) = (&trained.data, &trained.parts.test);
        let (records, labels) = (heldout::records(data, rows), heldout::labels(data, rows));
        return Ok(Rows { place: candidate.name.clone(), records, labels });
    }
    let nothing = |what: &str| {
        let what = format!("{what}; name a file with labels: --data FILE.csv");
        Error::Model { reference: candidate.name.clone(), what }
    };
    let run = candidate.run.as_ref().ok_or_else(|| nothing("no run is known that held rows out"))?;
    let records = run.json("heldout/records.json")?;
    let labels = run.json("heldout/labels.json")?;
    let (Some(records), Some(Value::Array(labels))) = (records, labels) else {
        return Err(nothing(&format!("run {} has no artifacts heldout/records.json and heldout/labels.json", run.id)));
    };
    let place = format!("run {}, heldout/records.json", run.id);
    let records: Vec<Map<String, Value>> =
        serde_json::from_value(records).map_err(|error| Error::data(&place, error.to_string()))?;
    if records.len() != labels.len() {
        return Err(Error::data(place, format!("{} records, and {} labels beside them", records.len(), labels.len())));
    }
    Ok(Rows { place, records, labels })
}

/// Column of the labels, and the rule that makes two classes of it.
struct Truth {
    column: String,
    positive: Option<Positive>,
}

fn truth(args: &GateArgs, candidate: &Subject) -> Result<Truth, Error> {
    let (column, rule) = match (&candidate.trained, &candidate.run) {
        (Some((pipeline, _)), _) => (Some(pipeline.target.clone()), pipeline.positive.clone()),
        (None, Some(run)) => (run.parameter("target").map(str::to_owned), run.parameter("positive").map(str::to_owned)),
        (None, None) => (None, None),
    };
    let column = args.target.clone().or(column).ok_or_else(|| {
        Error::data(&args.data, "which column holds the labels? The candidate's run does not say; add --target COLUMN")
    })?;
    let positive = rule.map(|rule| Positive::parse(&rule)).transpose();
    let positive = positive.map_err(|what| Error::data(&candidate.name, format!("positive: {what}")))?;
    Ok(Truth { column, positive })
}

/// The cells that the model takes, by its own types, and the labels.
fn table(raw: &Raw, manifest: &Manifest, truth: &Truth) -> Result<Rows, Error> {
    let column = |name: &str| {
        let missing = || Error::data(&raw.place, format!("no column `{name}`; there are {}", raw.header.join(", ")));
        raw.header.iter().position(|header| header == name).ok_or_else(missing)
    };
    let mut columns = Vec::new();
    for spec in &manifest.inputs {
        for name in spec.element_names() {
            columns.push((spec, column(&name)?, name));
        }
    }
    let target = column(&truth.column)?;
    let mut rows = Rows { place: raw.place.clone(), records: Vec::new(), labels: Vec::new() };
    for (row, cells) in raw.rows.iter().enumerate() {
        let mut record = Map::new();
        for (spec, column, name) in &columns {
            let value = value(spec, &cells[*column]).ok_or_else(|| {
                raw.wrong(row, *column, format!("the model takes {} here, and this is none", spec.datatype))
            })?;
            record.insert(name.clone(), value);
        }
        if is_missing(&cells[target]) {
            return Err(raw.wrong(row, target, "the label is missing; remove the line"));
        }
        rows.records.push(record);
        rows.labels.push(label(&cells[target], truth));
    }
    Ok(rows)
}

/// A cell as a client would send it; `None` when the model does not take it.
fn value(spec: &TensorSpec, cell: &str) -> Option<Value> {
    if is_missing(cell) {
        return Some(Value::Null);
    }
    match spec.datatype {
        Datatype::Bytes => Some(cell.into()),
        Datatype::Bool => cell.parse::<bool>().ok().map(Value::from),
        Datatype::Fp64 => Some(number(cell)?.into()),
        datatype if datatype.is_float() => Some(short(number(cell)? as f32)),
        _ => cell.parse::<i64>().ok().map(Value::from),
    }
}

fn label(cell: &str, truth: &Truth) -> Value {
    let number = number(cell);
    match &truth.positive {
        Some(rule) => u8::from(rule.holds(cell, number.map(|number| number as f32))).into(),
        None => number.map_or_else(|| cell.into(), |number| short(number as f32)),
    }
}

fn features(manifest: &Manifest) -> Vec<String> {
    manifest.inputs.iter().flat_map(TensorSpec::element_names).collect()
}
