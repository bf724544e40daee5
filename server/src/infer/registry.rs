//! A registered model's module, downloaded from the server that has it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use host_native::Module;
use ureq::http::{StatusCode, header};

use crate::secret::Secret;
use crate::serving::Target;
use crate::url::encoded;

/// Longest module taken.
const MODULE_BYTES: u64 = 64 << 20;

/// `models:/NAME/VERSION` or `models:/NAME@ALIAS`, as MLflow writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelUri {
    /// Registered name.
    pub name: String,
    /// `3`, or `@champion`.
    pub reference: String,
}

impl ModelUri {
    /// True when it may name another version tomorrow.
    pub fn is_alias(&self) -> bool {
        self.reference.starts_with('@')
    }
}

impl FromStr for ModelUri {
    type Err = String;

    fn from_str(text: &str) -> Result<ModelUri, String> {
        let wrong = || format!("'{text}' is no model URI; write models:/NAME@ALIAS or models:/NAME/VERSION");
        let rest = text.strip_prefix("models:/").ok_or_else(wrong)?;
        let (name, reference) = match (rest.rsplit_once('@'), rest.rsplit_once('/')) {
            (Some((name, alias)), _) if !alias.is_empty() && !alias.contains('/') => (name, format!("@{alias}")),
            (_, Some((name, version))) if version.parse::<i64>().is_ok_and(|v| v > 0) => (name, version.to_owned()),
            _ => return Err(wrong()),
        };
        if name.is_empty() || name.contains('/') {
            return Err(wrong());
        }
        Ok(ModelUri { name: name.to_owned(), reference })
    }
}

impl fmt::Display for ModelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ModelUri { name, reference } = self;
        if self.is_alias() { write!(f, "models:/{name}{reference}") } else { write!(f, "models:/{name}/{reference}") }
    }
}

/// A module as the server sent it.
pub struct Fetched {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The version it belongs to.
    pub version: i64,
}

impl Fetched {
    /// Loads it and runs its golden rows.
    pub fn load(&self, uri: &ModelUri) -> Result<Target, host_native::Error> {
        let module = Arc::new(Module::load(&self.bytes)?);
        Ok(Target { name: uri.name.as_str().into(), version: Some(self.version), module })
    }
}

/// A tracking server that modules are downloaded from.
#[derive(Clone, Debug)]
pub struct Registry {
    /// `http://…`.
    pub server: String,
    /// Bearer token, where the server asks for one.
    pub token: Option<Secret>,
}

/// Why there is no module.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is being compiled: asking again helps.
    #[error("{0}")]
    Compiling(String),
    /// Anything else.
    #[error("{0}")]
    Refused(String),
}

impl Registry {
    /// Downloads the module of `uri`; `None` when it is still version and module `have`.
    pub fn fetch(&self, uri: &ModelUri, have: Option<(i64, &str)>) -> Result<Option<Fetched>, FetchError> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        let server = self.server.trim_end_matches('/');
        let url = format!("{server}/modules/{}/{}", encoded(&uri.name), uri.reference);
        let mut request = agent.get(&url);
        if let Some(Secret(token)) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some((_, sha256)) = have {
            request = request.header(header::IF_NONE_MATCH, format!("\"{sha256}\""));
        }
        let broken =
            |error: ureq::Error| FetchError::Refused(format!("{uri} cannot be downloaded from {server}: {error}"));
        let mut response = request.call().map_err(broken)?;
        let version = response.headers().get("x-beira-version").and_then(|value| value.to_str().ok()?.parse().ok());
        match response.status() {
            StatusCode::NOT_MODIFIED if version == have.map(|(version, _)| version) => Ok(None),
            // The same module under another version: take it again, that is simplest.
            StatusCode::NOT_MODIFIED => self.fetch(uri, None),
            StatusCode::OK => {
                let unknown = || FetchError::Refused(format!("{server} does not say which version {uri} is"));
                let version = version.ok_or_else(unknown)?;
                let bytes = response.body_mut().with_config().limit(MODULE_BYTES).read_to_vec().map_err(broken)?;
                Ok(Some(Fetched { bytes, version }))
            }
            status => {
                let body: serde_json::Value = response.body_mut().read_json().unwrap_or_default();
                let detail = body["detail"].as_str().unwrap_or_default();
                let sentence = format!("{server} has no module for {uri}: {status} {detail}");
                let compiling = status == StatusCode::SERVICE_UNAVAILABLE;
                Err(if compiling { FetchError::Compiling(sentence) } else { FetchError::Refused(sentence) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_uris() {
        let check = |text: &str, name: &str, reference: &str| {
            let uri: ModelUri = text.parse().unwrap();
            assert_eq!((uri.name.as_str(), uri.reference.as_str()), (name, reference));
            assert_eq!(uri.to_string(), text);
        };
        check("models:/churn@champion", "churn", "@champion");
        check("models:/churn/7", "churn", "7");
        check("models:/a b@v1/3", "a b@v1", "3");
        for wrong in
            ["churn", "models:/churn", "models:/churn@", "models:/churn/latest", "models:/@champion", "models:/a/b/1"]
        {
            assert!(wrong.parse::<ModelUri>().is_err(), "{wrong}");
        }
    }
}
