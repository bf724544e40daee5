//! Why a request brought no answer.

use contract::Fault;
use serde_json::Value;

/// What went wrong, in the three ways that need different help.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The server could not be reached.
    Network,
    /// The server said no.
    Api {
        /// HTTP status.
        status: u16,
        /// The server's sentence.
        message: String,
        /// What is wrong with which field, for a 422.
        faults: Vec<Fault>,
    },
    /// The server answered something this page does not understand.
    Decode(String),
}

impl Error {
    /// Reads the body of an answer that is not a success: MLflow's `error_code` and `message`,
    /// FastAPI's `detail`, the Open Inference Protocol's `error`, or plain text.
    pub fn from_body(status: u16, body: &str) -> Error {
        let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let faults: Vec<Fault> =
            value.get("detail").and_then(|d| serde_json::from_value(d.clone()).ok()).unwrap_or_default();
        let message = text("message").or_else(|| text("error")).or_else(|| text("detail")).unwrap_or_else(|| {
            match (faults.len(), status) {
                (1.., _) => faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "),
                (_, 404) => "There is nothing at this address.".to_owned(),
                (_, 413) => "This is larger than the server accepts.".to_owned(),
                _ => format!("The server answered with status {status}."),
            }
        });
        Error::Api { status, message, faults }
    }

    /// Whether the thing asked for does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Error::Api { status: 404, .. })
    }

    /// A headline for a person.
    pub fn title(&self) -> &'static str {
        match self {
            Error::Network => "The server cannot be reached",
            Error::Api { status: 404, .. } => "Not found",
            Error::Api { .. } => "The server refused this",
            Error::Decode(_) => "The server's answer was not understood",
        }
    }

    /// What happened and what helps.
    pub fn help(&self) -> String {
        match self {
            Error::Network => "Is `beira serve` still running? This page tries again by itself.".to_owned(),
            Error::Api { message, .. } => message.clone(),
            Error::Decode(what) => {
                format!("Dashboard and server may be of different versions; reload the page. ({what})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_error_becomes_a_sentence() {
        let check = |status, body, expected: &str| assert_eq!(Error::from_body(status, body).help(), expected);
        check(404, r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"No run"}"#, "No run");
        check(400, r#"{"error":"no such model"}"#, "no such model");
        check(422, r#"{"detail":[{"type":"missing","loc":["body","a"],"msg":"is missing"}]}"#, "body.a: is missing");
        check(502, "<html>", "The server answered with status 502.");
    }
}
