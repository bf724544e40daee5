//! `POST /telemetry/logs`: counters that left as lines of a log, from wherever the lines come.
//!
//! Taken are raw lines (Envoy's), entries of Cloud Logging as JSON in any arrangement, and what Pub/Sub
//! pushes (an entry in base64). A snapshot is found by its mark, so no field of an entry is relied on.

use std::borrow::Cow;
use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use contract::telemetry::{LogsAnswer, SNAPSHOT, Snapshot};
use contract::{Flush, Origin};
use serde::Deserialize;

use super::{check, snapshots};
use crate::app::App;
use crate::auth::caller::Caller;
use crate::error::Result;
use crate::{body, modules};

/// Longest body.
const BYTES: usize = 4 << 20;

/// Counts what is new. Always 200 once the lines are read, so that a queue does not push a refused
/// snapshot again; `refused` then says why. Anything but 200 may be sent again.
pub async fn ingest(caller: Caller, State(app): State<App>, request: Request) -> Response {
    match take(&app, &caller, request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn take(app: &App, caller: &Caller, request: Request) -> Result<LogsAnswer> {
    let body = body::read(request.into_body(), BYTES).await?;
    let body = String::from_utf8_lossy(&body);
    let text = pushed(&body).map_or(Cow::Borrowed(&*body), Cow::Owned);
    let (mut answer, mut good, mut refused) = (LogsAnswer::default(), Vec::new(), BTreeSet::new());
    for found in find(&text) {
        answer.snapshots += 1;
        match found {
            Some(snapshot) => match record(app, caller, &snapshot).await? {
                Ok(record) => good.push((record, snapshot)),
                Err(reason) => drop(refused.insert(reason)),
            },
            None => drop(refused.insert("A line has the mark of a snapshot, but no snapshot behind it.".to_owned())),
        }
    }
    let counted = snapshots::write(&app.store, good).await?;
    answer.counted = counted.snapshots;
    answer.predictions = counted.predictions;
    refused.extend(counted.refused);
    answer.refused = refused.into_iter().collect();
    Ok(answer)
}

/// The module that a snapshot counts for, or why it is refused.
async fn record(app: &App, caller: &Caller, snapshot: &Snapshot) -> Result<Result<modules::Record, String>> {
    let flush = Flush {
        id: snapshot.instance.clone(),
        ingest_key: None,
        module_sha256: snapshot.module_sha256.clone(),
        edges_sha256: snapshot.edges_sha256.clone(),
        origin: Origin::Edge,
        host: snapshot.host.clone(),
        window_start_ms: snapshot.time_ms,
        probe: false,
        counters: snapshot.counters.clone(),
    };
    let words = |faults: Vec<contract::Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if let Err(faults) = check::form(&flush) {
        return Ok(Err(words(faults)));
    }
    let found = modules::by_sha256(app.store.read(), &flush.module_sha256).await?;
    let Some(record) = found.filter(|record| caller.has_model(&record.name)) else {
        return Ok(Err(format!("No registered model has the module {}.", flush.module_sha256)));
    };
    if record.edges_sha256 != flush.edges_sha256 {
        return Ok(Err(format!("The counts of module {} are on other edges than its profile's.", record.sha256)));
    }
    Ok(check::counts(&flush, record.profile.as_ref(), u64::MAX).map(|()| record).map_err(words))
}

/// What a push subscription of Pub/Sub delivers: `{"message": {"data": base64, …}, …}`.
fn pushed(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Push {
        message: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        data: String,
    }
    let push: Push = serde_json::from_str(body).ok()?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(push.message.data).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The snapshots in a text; `None` for a mark without one.
fn find(text: &str) -> impl Iterator<Item = Option<Snapshot>> {
    text.split(SNAPSHOT).skip(1).map(|rest| {
        // In a string of a JSON document its quotes are escaped.
        let unescaped = rest.starts_with("{\\").then(|| first::<String>(&format!("\"{rest}"))).flatten();
        first(unescaped.as_deref().unwrap_or(rest))
    })
}

/// The JSON value that a text begins with.
fn first<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

#[cfg(test)]
mod tests {
    use contract::Counters;
    use serde_json::json;

    use super::*;

    #[test]
    fn snapshots_are_found_in_lines_entries_and_pushes() {
        let snapshot = |sequence| Snapshot {
            instance: "0".repeat(32),
            sequence,
            module_sha256: "a".repeat(64),
            edges_sha256: String::new(),
            host: "proxy-wasm".to_owned(),
            time_ms: 7,
            counters: Counters { predictions: sequence, ..Counters::default() },
        };
        let line = |sequence| format!("{SNAPSHOT}{}", serde_json::to_string(&snapshot(sequence)).unwrap());
        let check = |text: &str, expected: &[Option<u64>]| {
            let text = pushed(text).unwrap_or_else(|| text.to_owned());
            let found: Vec<_> = find(&text).map(|found| found.map(|snapshot| snapshot.sequence)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("nothing\nof ours", &[]);
        let envoy = "[2026-11-25 04:00:00.000][7][info][wasm] [context.cc:1195] wasm log beira: ";
        check(&format!("{envoy}{}\nother\n{envoy}{} +1\n", line(1), line(2)), &[Some(1), Some(2)]);
        let entry = |sequence| json!({"severity": "INFO", "jsonPayload": {"message": line(sequence)}, "insertId": "x"});
        check(&format!("{}\n{}\n", entry(3), entry(4)), &[Some(3), Some(4)]);
        check(&serde_json::to_string_pretty(&json!([entry(5), {}, entry(6)])).unwrap(), &[Some(5), Some(6)]);
        let data = base64::engine::general_purpose::STANDARD.encode(entry(7).to_string());
        check(&json!({"message": {"data": data, "messageId": "1"}, "subscription": "s"}).to_string(), &[Some(7)]);
        check(&format!("{SNAPSHOT}{{\"instance\": \n{}", line(8)), &[None, Some(8)]);
    }
}
