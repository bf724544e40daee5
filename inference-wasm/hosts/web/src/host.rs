//! One loaded model, seen from JavaScript.

use contract::manifest::Datatype;
use contract::profile::{Bins, Profile};
use contract::{Counters, Flush, Manifest, Origin, check};
use js_sys::{Number, Reflect, Uint8Array, WebAssembly};
use monitoring::{count, latency};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsError, JsValue};

use crate::read;

/// A checked module and its counters.
#[wasm_bindgen]
pub struct Host {
    profile: Option<Profile>,
    /// How each feature is counted.
    rules: Vec<Rule>,
    counters: Counters,
    module_sha256: String,
    origin: Origin,
    host: String,
}

#[wasm_bindgen]
impl Host {
    /// Checks `manifest` and `seal` (the parsed custom sections, `seal` may be undefined) against the
    /// module's exports. `origin` is `browser`, `edge` or `server`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        manifest: JsValue,
        seal: JsValue,
        exports: &JsValue,
        module_sha256: String,
        origin: &str,
        host: String,
    ) -> Result<Host, JsError> {
        let manifest = read::manifest(manifest).map_err(damaged)?;
        let memory: WebAssembly::Memory = export(exports, "memory")?;
        let memory_bytes = Uint8Array::new(&memory.buffer()).length();
        check::regions(&manifest, memory_bytes.into()).map_err(|e| refuse(format!("not a model module: {e}")))?;
        let mut profile = None;
        if !seal.is_undefined() {
            let seal = read::seal(seal).map_err(damaged)?;
            check::seal(&manifest, &seal).map_err(|e| refuse(format!("the module's seal is wrong: {e}")))?;
            profile = seal.profile;
        }
        let rules = rules(&manifest, profile.as_ref());
        let origin = [Origin::Browser, Origin::Edge, Origin::Server].into_iter().find(|known| known.name() == origin);
        let origin = origin.ok_or_else(|| refuse("origin is none of browser, edge, server".to_owned()))?;
        let counters = count::empty(profile.as_ref());
        Ok(Host { profile, rules, counters, module_sha256, origin, host })
    }

    /// Counts `rows` rows, and `errors` calls that failed. With a profile, `numbers` holds for each row the
    /// features as the model saw them (f32 widened, string id), then the score, NaN where there is none.
    pub fn count(&mut self, rows: usize, errors: u32, numbers: &[f64]) {
        self.counters.predictions += rows as u64;
        self.counters.errors += u64::from(errors);
        let Some(profile) = &self.profile else { return };
        for row in numbers.chunks_exact(self.rules.len() + 1) {
            let (score, features) = row.split_last().unwrap_or((&f64::NAN, &[]));
            for ((counts, rule), value) in self.counters.features.iter_mut().zip(&self.rules).zip(features) {
                let bin = match rule {
                    Rule::Id => {
                        count::string(counts, *value as i32);
                        continue;
                    }
                    Rule::Edges(edges) => count::bin(edges, *value),
                    Rule::Numbers(numbers) => numbers.iter().position(|number| number == value),
                };
                match bin {
                    Some(bin) => counts.counts[bin] += 1,
                    None if value.is_nan() => counts.missing += 1,
                    None => counts.unseen += 1,
                }
            }
            if let Some(reference) = &profile.score {
                count::score(&reference.bins, &mut self.counters.score, *score);
            }
        }
    }

    /// Adds `rows` durations of `ns` nanoseconds each.
    pub fn latency(&mut self, ns: f64, rows: u32) {
        let histogram = self.counters.latency.get_or_insert_with(latency::empty);
        latency::record(histogram, ns as u64, u64::from(rows));
    }

    /// What was counted since the last call, as the body of `POST /telemetry/counters`.
    pub fn flush(&mut self, id: String, ingest_key: Option<String>, window_start_ms: f64, probe: bool) -> String {
        let empty = count::empty(self.profile.as_ref());
        let flush = Flush {
            id,
            ingest_key,
            module_sha256: self.module_sha256.clone(),
            edges_sha256: self.profile.as_ref().map(|profile| profile.edges_sha256.clone()).unwrap_or_default(),
            origin: self.origin,
            host: self.host.clone(),
            window_start_ms: window_start_ms as u64,
            probe,
            counters: std::mem::replace(&mut self.counters, empty),
        };
        serde_json::to_string(&flush).unwrap_or_default() // strings and integers: cannot fail
    }
}

/// What monitoring's `count` does, prepared: categories that are numbers are read once. (Reading them
/// with JavaScript's parser also spares this crate 17 KB of Rust's.)
enum Rule {
    Id,
    Edges(Vec<f64>),
    Numbers(Vec<f64>),
}

fn rules(manifest: &Manifest, profile: Option<&Profile>) -> Vec<Rule> {
    let datatypes = manifest.inputs.iter().flat_map(|spec| std::iter::repeat_n(spec.datatype, spec.row_elements()));
    let features = profile.map_or(&[][..], |profile| &profile.features);
    features
        .iter()
        .zip(datatypes)
        .map(|(feature, datatype)| match &feature.bins {
            _ if datatype == Datatype::Bytes => Rule::Id,
            Bins::Edges(edges) => Rule::Edges(edges.clone()),
            Bins::Categories(texts) => Rule::Numbers(texts.iter().map(|text| Number::parse_float(text)).collect()),
        })
        .collect()
}

fn export<T: JsCast>(exports: &JsValue, name: &str) -> Result<T, JsError> {
    Reflect::get(exports, &JsValue::from_str(name))
        .ok()
        .and_then(|value| value.dyn_into().ok())
        .ok_or_else(|| refuse(format!("not a model module: it does not export `{name}`")))
}

fn damaged(what: String) -> JsError {
    refuse(["damaged module: ", &what].concat())
}

fn refuse(message: String) -> JsError {
    JsError::new(&message)
}
