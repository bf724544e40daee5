//! What Google's own endpoint wants besides: a token of the service account, the project and the region.
//!
//! Inside Google Cloud the metadata server gives all three; anywhere else say `OTEL_EXPORTER_OTLP_HEADERS`
//! (`authorization=Bearer …`) and `OTEL_RESOURCE_ATTRIBUTES` (`gcp.project_id=…,cloud.region=…`).

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::observe::http;

/// Google's endpoint for OTLP.
const HOST: &str = "telemetry.googleapis.com";
/// A token is fetched anew this long before it ends.
const EARLY: Duration = Duration::from_secs(120);

/// Knows the metadata server, and what it said.
pub struct Google {
    metadata: String,
    token: Mutex<Option<(String, Instant)>>,
    place: Mutex<Option<Vec<(String, String)>>>,
}

impl Google {
    /// `host` is where the metadata server is, for tests.
    pub fn new(host: Option<String>) -> Google {
        let host = host.unwrap_or_else(|| "metadata.google.internal".to_owned());
        Google {
            metadata: format!("http://{host}/computeMetadata/v1"),
            token: Mutex::default(),
            place: Mutex::default(),
        }
    }

    /// `Authorization`, where `url` is Google's and the operator gave none.
    pub async fn headers(&self, url: &str, given: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
        if !is_google(url) || given.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            return Ok(Vec::new());
        }
        let mut kept = self.token.lock().await;
        let fresh = kept.as_ref().filter(|(_, until)| *until > Instant::now()).map(|(token, _)| token.clone());
        let token = match fresh {
            Some(token) => token,
            None => {
                let text = self.ask("instance/service-accounts/default/token").await?;
                let answer: Value =
                    serde_json::from_str(&text).map_err(|_| "the metadata server's token is not JSON")?;
                let token = answer["access_token"].as_str().ok_or("the metadata server gave no token")?.to_owned();
                let seconds = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or_default());
                *kept = Some((token.clone(), Instant::now() + seconds.saturating_sub(EARLY)));
                token
            }
        };
        Ok(vec![("authorization".to_owned(), format!("Bearer {token}"))])
    }

    /// The resource's attributes, with project and region where Google needs them and nobody said them.
    pub async fn resource(&self, url: &str, given: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
        let mut attributes = given.to_vec();
        let missing = |key: &str| given.iter().all(|(known, _)| known != key);
        if !is_google(url) || !(missing("gcp.project_id") || missing("cloud.region")) {
            return Ok(attributes);
        }
        let mut place = self.place.lock().await;
        if place.is_none() {
            let region = self.ask("instance/region").await?; // projects/123/regions/europe-west1
            let region = region.rsplit('/').next().unwrap_or_default().to_owned();
            let project = self.ask("project/project-id").await?;
            *place = Some(vec![("gcp.project_id".to_owned(), project), ("cloud.region".to_owned(), region)]);
        }
        let known = place.iter().flatten().filter(|(key, _)| missing(key)).cloned();
        attributes.extend(known);
        Ok(attributes)
    }

    async fn ask(&self, what: &str) -> Result<String, String> {
        let header = vec![("metadata-flavor".to_owned(), "Google".to_owned())];
        let answer = http::get(&format!("{}/{what}", self.metadata), header, Duration::from_secs(3)).await;
        let help = "outside of Google Cloud set OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES";
        answer.map(|text| text.trim().to_owned()).map_err(|why| format!("metadata server: {why}; {help}"))
    }
}

/// Whether an address is Google's own.
fn is_google(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', ':']).next().unwrap_or_default();
    host == HOST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_google_is_google() {
        for (url, expected) in [
            ("https://telemetry.googleapis.com/v1/metrics", true),
            ("https://telemetry.googleapis.com:443/v1/metrics", true),
            ("https://telemetry.googleapis.com.example.org/", false),
            ("http://127.0.0.1:4318/v1/metrics?x=telemetry.googleapis.com", false),
        ] {
            assert_eq!(is_google(url), expected, "{url}");
        }
    }
}
