//! `POST /telemetry/labels`: late labels, joined to their predictions by what the ids say; kept as counts.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use contract::fault::Fault;
use contract::labels::{Label, Labels, LabelsAnswer};
use contract::{Loc, Origin, hex};
use host_native::outcome;
use monitoring::prediction::{Bad, Outcome, Prediction};
use serde_json::Value;

use super::Refused;
use crate::app::App;
use crate::auth::caller::Caller;
use crate::clock::now_ms;
use crate::error::Result;
use crate::modules::{self, Record};
use crate::store;
use crate::windows::MINUTE_MS;
use crate::{body, error};

/// Longest request.
const BYTES: usize = 4 << 20;
/// Most labels of one request.
const LABELS: usize = 10_000;
/// Age in minutes from which on a prediction takes no label any more (90 days).
pub const MINUTES: i64 = 90 * DAY_MINUTES;
const DAY_MINUTES: i64 = 24 * 60;
/// A prediction may be this far ahead of the server's clock, in minutes.
const AHEAD: i64 = 10;

/// Takes all labels of the request, or refuses it with every fault.
pub async fn labels(caller: Caller, State(app): State<App>, request: Request) -> Response {
    match take(&app, &caller, request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// Where a label is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    version: i64,
    day: i64,
    origin: &'static str,
    bin: i64,
    class: i64,
    label: i64,
}

#[derive(Clone)]
struct Joined {
    key: Key,
    module: String,
    nonce: i64,
    minute: i64,
    /// Predicted minus true number.
    error: f64,
}

async fn take(app: &App, caller: &Caller, request: Request) -> Result<LabelsAnswer, Refused> {
    let body = body::read(request.into_body(), BYTES).await?;
    let labels: Labels = serde_json::from_slice(&body).map_err(|error| {
        let what = if error.is_data() { "is no list of labels" } else { "is not JSON" };
        let form = r#"{"labels": [{"id": "…", "label": …}]}"#;
        let text = format!("The body {what}: line {}, column {}; it should be {form}", error.line(), error.column());
        Refused::Faults(vec![Fault::new("json_invalid", vec!["body".into()], text)])
    })?;
    if labels.labels.len() > LABELS {
        let text = format!("{} labels in one request, at most {LABELS} are taken", labels.labels.len());
        return Err(Refused::Faults(vec![Fault::new("too_long", vec!["body".into(), "labels".into()], text)]));
    }
    let mut known: BTreeMap<[u8; 8], Option<Record>> = BTreeMap::new();
    let (mut joined, mut faults) = (Vec::with_capacity(labels.labels.len()), Vec::new());
    let now = now_ms() / MINUTE_MS;
    for (i, label) in labels.labels.iter().enumerate() {
        let mut fault = |field: &str, kind: &str, text: String| {
            let loc: Vec<Loc> = vec!["body".into(), "labels".into(), i.into(), field.into()];
            faults.push(Fault::new(kind, loc, text));
        };
        let (prediction, signed) = match Prediction::read(&label.id, app.serving.ids.keys()) {
            Ok(read) => read,
            Err(Bad::Malformed) => {
                fault("id", "prediction_id", "This is no prediction id of Beira's".to_owned());
                continue;
            }
            Err(Bad::Forged) => {
                let text = "The id's signature fits no key of this server (BEIRA_PREDICTION_KEY)";
                fault("id", "prediction_id_forged", text.to_owned());
                continue;
            }
        };
        let record = match known.get(&prediction.module) {
            Some(record) => record,
            None => {
                let record = modules::by_sha256(app.store.read(), &hex::encode(&prediction.module)).await?;
                known.entry(prediction.module).or_insert(record)
            }
        };
        let Some(record) = record.as_ref().filter(|record| caller.has_model(&record.name)) else {
            fault("id", "prediction_id_module", "No registered model has the module of this id".to_owned());
            continue;
        };
        if labels.model.as_ref().is_some_and(|model| *model != record.name) {
            fault("id", "prediction_id_module", format!("The id is of another model, `{}`", record.name));
            continue;
        }
        match join(record, &prediction, signed, label, now) {
            Ok(found) => joined.push(found),
            Err((field, kind, text)) => fault(field, kind, text),
        }
    }
    if faults.is_empty() { Ok(write(app, joined).await?) } else { Err(Refused::Faults(faults)) }
}

type Wrong = (&'static str, &'static str, String);

/// Where the label belongs; or field, kind and text of what is wrong with it.
fn join(record: &Record, prediction: &Prediction, signed: bool, label: &Label, now: i64) -> Result<Joined, Wrong> {
    let minute = i64::from(prediction.minute);
    if !(now - MINUTES..=now + AHEAD).contains(&minute) {
        let text = format!("The prediction is older than {} days, or of tomorrow", MINUTES / DAY_MINUTES);
        return Err(("id", "prediction_id_age", text));
    }
    let profile = record.profile.as_ref();
    let bins = profile.and_then(|profile| profile.score.as_ref()).map_or(0, |score| score.counts.len());
    let classes = outcome::classes(&record.manifest, profile);
    let Outcome { bin, class, value } = prediction.outcome;
    let possible = bin.is_none_or(|bin| usize::from(bin) < bins)
        && class.is_none_or(|class| usize::from(class) < classes.len())
        && class.is_some() != value.is_some();
    if !possible {
        return Err(("id", "prediction_id", "The id says what this model cannot predict".to_owned()));
    }
    let (truth, error) = match value {
        Some(value) => match label.label.as_f64() {
            Some(truth) if truth.is_finite() && value.is_finite() => (-1, f64::from(value) - truth),
            _ => return Err(("label", "float_type", "The model predicts a number: the label must be one".to_owned())),
        },
        None => (class_of(&classes, &label.label)?, 0.0),
    };
    // An id that nobody signed could be anyone's: it counts as if a page had made it.
    let origin = if signed { prediction.origin } else { Origin::Browser };
    let position = |part: Option<u16>| part.map_or(-1, i64::from);
    let key = Key {
        name: record.name.clone(),
        version: record.version,
        day: minute / DAY_MINUTES * DAY_MINUTES * MINUTE_MS,
        origin: origin.name(),
        bin: position(bin),
        class: position(class),
        label: truth,
    };
    Ok(Joined { key, module: hex::encode(&prediction.module), nonce: prediction.nonce as i64, minute, error })
}

/// Position of a label among the classes: by name, or by a number or truth value of that name.
fn class_of(classes: &[String], label: &Value) -> Result<i64, Wrong> {
    let text = match label {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(whole) if whole == whole.trunc() => format!("{whole}"),
            _ => number.to_string(),
        },
        Value::Bool(truth) if classes.len() == 2 && classes[0] == "0" => u8::from(*truth).to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => String::new(),
    };
    classes.iter().position(|class| *class == text).map(|class| class as i64).ok_or_else(|| {
        let mut shown: Vec<&str> = classes.iter().take(10).map(String::as_str).collect();
        if classes.len() > shown.len() {
            shown.push("…");
        }
        ("label", "enum", format!("The label must be one of the model's classes: {}", shown.join(", ")))
    })
}

/// Nonces and counts in one transaction.
async fn write(app: &App, joined: Vec<Joined>) -> Result<LabelsAnswer, error::Error> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let mut sums: BTreeMap<&Key, (i64, f64, f64)> = BTreeMap::new();
                for label in &joined {
                    let fresh = store::query(
                        "INSERT INTO labelled (module, nonce, minute) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    )
                    .bind(&label.module)
                    .bind(label.nonce)
                    .bind(label.minute)
                    .execute(&mut *tx)
                    .await?;
                    if fresh == 1 {
                        let sum = sums.entry(&label.key).or_default();
                        *sum = (sum.0 + 1, sum.1 + label.error.abs(), sum.2 + label.error * label.error);
                    }
                }
                let counted: i64 = sums.values().map(|sum| sum.0).sum();
                for (key, (count, absolute, squared)) in sums {
                    store::query(
                        "INSERT INTO labels (name, version, day, origin, bin, class, label, count, absolute, squared)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                         ON CONFLICT (name, version, day, origin, bin, class, label) DO UPDATE
                         SET count = labels.count + excluded.count, absolute = labels.absolute + excluded.absolute,
                             squared = labels.squared + excluded.squared",
                    )
                    .bind(&key.name)
                    .bind(key.version)
                    .bind(key.day)
                    .bind(key.origin)
                    .bind(key.bin)
                    .bind(key.class)
                    .bind(key.label)
                    .bind(count)
                    .bind(absolute)
                    .bind(squared)
                    .execute(&mut *tx)
                    .await?;
                }
                Ok(LabelsAnswer { counted: counted as u64, duplicates: joined.len() as u64 - counted as u64 })
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_name_a_class() {
        let check = |classes: &[&str], label: Value, expected: Option<i64>| {
            let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
            assert_eq!(class_of(&classes, &label).ok(), expected, "{classes:?} {label}");
        };
        check(&["0", "1"], json!(1), Some(1));
        check(&["0", "1"], json!("1"), Some(1));
        check(&["0", "1"], json!(1.0), Some(1));
        check(&["0", "1"], json!(true), Some(1));
        check(&["false", "true"], json!(true), Some(1));
        check(&["no", "yes"], json!("yes"), Some(1));
        for label in [json!(2), json!(0.5), json!(null), json!("Yes"), json!([1]), json!({})] {
            check(&["0", "1"], label, None);
        }
    }
}
