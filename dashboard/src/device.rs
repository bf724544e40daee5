//! Predictions on this device, by the JavaScript package that any page would import.

use contract::{Fault, Profile};
use serde::Deserialize;
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;

use crate::api;
use crate::routes::encode;

#[wasm_bindgen(module = "/src/device.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn open_model(package_url: &str, module_url: &str, telemetry_url: &str) -> Result<JsValue, JsValue>;
    fn profile(opened: &JsValue) -> String;
    async fn predict_here(opened: &JsValue, record: &str) -> JsValue;
    fn close_model(opened: &JsValue);
}

/// A model that runs in this tab; closed when dropped.
pub struct Device(JsValue);

/// What came of one prediction.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The answer, and the time of one prediction in microseconds, over so many.
    Answer { answer: Value, us: f64, runs: u64 },
    /// Why there is none.
    Refused { error: String, faults: Vec<Fault> },
}

impl Device {
    /// Loads the champion of `model`. The error is a sentence.
    pub async fn open(model: &str) -> Result<Device, String> {
        let module = absolute(&format!("/modules/{}/@champion", encode(model)));
        open_model(&absolute("/npm/index.js"), &module, &absolute("/telemetry/counters"))
            .await
            .map(Device)
            .map_err(|error| sentence(&error))
    }

    /// What the training data was like, when the module says.
    pub fn profile(&self) -> Option<Profile> {
        serde_json::from_str(&profile(&self.0)).ok().flatten()
    }

    /// One prediction.
    pub async fn predict(&self, record: &Map<String, Value>) -> Outcome {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Answer { answer: Value, us: f64, runs: u64 },
            Refused { error: String, faults: Vec<Fault> },
        }
        let record = serde_json::to_string(record).unwrap_or_default();
        let said = predict_here(&self.0, &record).await.as_string().unwrap_or_default();
        match serde_json::from_str(&said) {
            Ok(Said::Answer { answer, us, runs }) => Outcome::Answer { answer, us, runs },
            Ok(Said::Refused { error, faults }) => Outcome::Refused { error, faults },
            Err(_) => Outcome::Refused { error: "The model's answer was not understood.".to_owned(), faults: vec![] },
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        close_model(&self.0);
    }
}

/// A module is imported relative to the script that imports it, so addresses must be whole.
fn absolute(path: &str) -> String {
    format!("{}{path}", api::origin())
}

fn sentence(error: &JsValue) -> String {
    error
        .dyn_ref::<js_sys::Error>()
        .map_or_else(|| "The model could not be loaded.".to_owned(), |e| String::from(e.message()))
}
