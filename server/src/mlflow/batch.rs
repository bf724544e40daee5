//! What a run logs at once. What MLflow's client sends is read straight into points, a thousand in a request; whatever looks
//! otherwise goes by way of [`Fields`], which has the last word on what is right.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::app::App;
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::mlflow::log::{self, Point};
use crate::mlflow::names;

/// Most metrics, and most of everything.
const METRICS: usize = 1000;
/// Most parameters, and most tags.
const PAIRS: usize = 100;

/// `POST runs/log-batch`. Idempotent: the client may send it again.
pub async fn batch(State(app): State<App>, batch: Batch) -> Result<Json<Value>> {
    let Batch { run, points, params, tags } = batch;
    log::write(&app, run, points, params, tags, true).await
}

/// What is logged.
#[derive(Debug, PartialEq)]
pub struct Batch {
    run: String,
    points: Vec<Point>,
    params: Vec<(String, String)>,
    tags: Vec<(String, String)>,
}

impl FromRequest<App> for Batch {
    type Rejection = Error;

    async fn from_request(mut request: Request, app: &App) -> Result<Batch> {
        if let Some(fields) = request.extensions_mut().remove::<Fields>() {
            return Batch::of(&fields);
        }
        let body = std::mem::take(request.body_mut());
        let most = app.config.json_bytes_max;
        let body = Fields::body(request.method(), request.headers(), body, most).await?;
        match Batch::usual(&body) {
            Some(batch) => Ok(batch),
            None => Batch::of(&Fields::from_json(&body)?),
        }
    }
}

impl Batch {
    fn of(fields: &Fields) -> Result<Batch> {
        let run = fields.string("run_id")?;
        let metrics = fields.objects("metrics")?;
        let (params, tags) = (fields.pairs("params")?, fields.pairs("tags")?);
        for (what, count, most) in
            [("metrics", metrics.len(), METRICS), ("params", params.len(), PAIRS), ("tags", tags.len(), PAIRS)]
        {
            if count > most {
                return Err(Error::invalid(format!(
                    "A batch logging request can contain at most {most} {what}. Got {count} {what}. Please split up \
                     {what} across multiple requests and try again."
                )));
            }
        }
        let total = metrics.len() + params.len() + tags.len();
        if total > METRICS {
            return Err(Error::invalid(format!(
                "A batch logging request can contain at most {METRICS} metrics, params, and tags. Got {total} metrics, \
                 params, and tags. Please split up metrics, params, and tags across multiple requests and try again."
            )));
        }
        let points = metrics.iter().map(log::point).collect::<Result<Vec<_>>>()?;
        for (what, list, pairs) in [("parameter", "params", &params), ("tag", "tags", &tags)] {
            for (i, (key, _)) in pairs.iter().enumerate() {
                names::key(what, &format!("{list}[{i}].key"), key)?;
            }
        }
        let twice = twice(&params);
        if !twice.is_empty() {
            return Err(Error::invalid(format!(
                "Duplicate parameter keys have been submitted: [{}]. Please ensure the request contains only one param \
                 value per param key.",
                twice.join(", ")
            )));
        }
        Ok(Batch { run, points, params, tags })
    }

    /// The batch of a body in the usual form with nothing to refuse.
    fn usual(body: &[u8]) -> Option<Batch> {
        let Object(usual) = serde_json::from_str::<Object<Usual>>(str::from_utf8(body).ok()?).ok()?;
        let pairs = |pairs: Vec<Object<Pair>>| -> Vec<(String, String)> {
            pairs.into_iter().map(|Object(pair)| (pair.key, pair.value)).collect()
        };
        let (params, tags) = (pairs(usual.params), pairs(usual.tags));
        let fits = params.len().max(tags.len()) <= PAIRS && usual.metrics.len() + params.len() + tags.len() <= METRICS;
        let fine = |key: &str| !key.is_empty() && names::key("", "", key).is_ok();
        let named = params.iter().chain(&tags).all(|(key, _)| fine(key));
        if usual.run_id.is_empty() || !fits || !named || !twice(&params).is_empty() {
            return None;
        }
        let mut points: Vec<Point> = Vec::with_capacity(usual.metrics.len());
        for Object(UsualPoint { key, value, timestamp, step }) in usual.metrics {
            // Neighbours mostly are of one metric.
            let key = match points.last() {
                Some(last) if *last.key == *key => last.key.clone(),
                _ if fine(&key) => key.into(),
                _ => return None,
            };
            if timestamp < 0 {
                return None;
            }
            points.push(Point { key, value, timestamp, step, model_id: None, dataset: Default::default() });
        }
        Some(Batch { run: usual.run_id, points, params, tags })
    }
}

/// Keys that stand there more than once, in quotes.
fn twice(params: &[(String, String)]) -> Vec<String> {
    let mut seen = BTreeMap::new();
    params.iter().for_each(|(key, _)| *seen.entry(key.as_str()).or_insert(0) += 1);
    seen.iter().filter(|(_, count)| **count > 1).map(|(key, _)| format!("'{key}'")).collect()
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Usual<'b> {
    run_id: String,
    #[serde(default, borrow)]
    metrics: Vec<Object<UsualPoint<'b>>>,
    #[serde(default)]
    params: Vec<Object<Pair>>,
    #[serde(default)]
    tags: Vec<Object<Pair>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct UsualPoint<'b> {
    #[serde(borrow)]
    key: Cow<'b, str>,
    value: f64,
    timestamp: i64,
    #[serde(default)]
    step: i64,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    key: String,
    #[serde(default)]
    value: String,
}

/// A struct that is written as an object; serde would take a list too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The usual form means what it means by way of its fields; what is not in it is not guessed at.
    #[test]
    fn both_ways_read_the_same() {
        let check = |body: &str, usual: bool| {
            let read = Batch::usual(body.as_bytes());
            assert_eq!(read.is_some(), usual, "{body}");
            if let Some(batch) = read {
                assert_eq!(batch, Batch::of(&Fields::from_json(body.as_bytes()).unwrap()).unwrap(), "{body}");
            }
        };
        let metrics = |metrics: &str| format!(r#"{{"run_id": "a", "metrics": [{metrics}]}}"#);
        check(r#"{"run_id": "a"}"#, true);
        check(&metrics(r#"{"key": "loss", "value": 0.1, "timestamp": 1, "step": 2}"#), true);
        check(
            &metrics(
                r#"{"key": "a/b \u00e9", "value": -3, "timestamp": 1}, {"value": 1e-320, "timestamp": 0, "key": "c"}"#,
            ),
            true,
        );
        check(r#"{"run_id": "a", "params": [{"key": "p", "value": "1"}], "tags": [{"key": "t"}]}"#, true);
        for other in [
            r#"{"key": "loss", "value": "NaN", "timestamp": 1}"#,
            r#"{"key": "loss", "value": 1, "timestamp": "1"}"#,
            r#"{"key": "loss", "value": 1, "timestamp": 1.0}"#,
            r#"{"key": "loss", "value": 1, "timestamp": -1}"#,
            r#"{"key": "loss", "value": 1, "timestamp": 1, "step": null}"#,
            r#"{"key": "loss", "value": 1, "timestamp": 1, "modelId": "m"}"#,
            r#"{"key": "../loss", "value": 1, "timestamp": 1}"#,
            r#"{"key": "", "value": 1, "timestamp": 1}"#,
            r#"{"key": "a", "key": "b", "value": 1, "timestamp": 1}"#,
            r#"["loss", 1, 1, 0]"#,
            "1",
        ] {
            check(&metrics(other), false);
        }
        check(r#"["a", [], [], []]"#, false);
        check(r#"{"runId": "a"}"#, false);
        check(r#"{"run_id": ""}"#, false);
        check(r#"{"run_id": "a", "params": [{"key": "p"}, {"key": "p"}]}"#, false);
        check(&metrics(&[r#"{"key": "loss", "value": 1, "timestamp": 1}"#; 1001].join(",")), false);
    }
}
