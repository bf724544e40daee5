//! Kaggle's HTTP API: where a data set is downloaded, and as whom.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::download::Download;
use crate::Error;
use crate::tracking::encode;

/// Address of the API; `KAGGLE_API_BASE` names another one.
const BASE: &str = "https://www.kaggle.com";

const HELP: &str = "set KAGGLE_USERNAME and KAGGLE_KEY, or put the kaggle.json of your account's settings page \
                    into ~/.kaggle (or $KAGGLE_CONFIG_DIR)";

/// What kaggle.json holds.
#[derive(Deserialize)]
pub(super) struct Credentials {
    username: String,
    key: String,
}

/// The download of a data set, or of one of its files.
pub(super) fn download<'a>(
    name: &'a str,
    owner: &str,
    dataset: &str,
    file: Option<&str>,
) -> Result<Download<'a>, Error> {
    let base = variable("KAGGLE_API_BASE").unwrap_or_else(|| BASE.to_owned());
    request(name, base.trim_end_matches('/'), &credentials()?, [Some(owner), Some(dataset), file])
}

pub(super) fn request<'a>(
    name: &'a str,
    base: &str,
    credentials: &Credentials,
    path: [Option<&str>; 3],
) -> Result<Download<'a>, Error> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|host| base.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])));
    if !base.starts_with("https://") && !local {
        return Err(Error::data(name, "KAGGLE_API_BASE: credentials are sent over https only (or to this machine)"));
    }
    let path: Vec<String> = path.into_iter().flatten().flat_map(|part| part.split('/')).map(encode).collect();
    let basic = STANDARD.encode(format!("{}:{}", credentials.username, credentials.key));
    Ok(Download {
        name,
        url: format!("{base}/api/v1/datasets/download/{}", path.join("/")),
        authorization: Some(format!("Basic {basic}")),
        refused: |status| match status {
            401 => Some("Kaggle does not accept the credentials; make a new token on your account's settings page"),
            403 => Some("Kaggle does not give this account the data set; open its page once and accept its rules"),
            404 => Some("Kaggle has no such data set or file; compare with the address of its page"),
            _ => None,
        },
    })
}

/// From the environment, else from kaggle.json.
fn credentials() -> Result<Credentials, Error> {
    let found = |username, key| Credentials { username, key };
    match (variable("KAGGLE_USERNAME"), variable("KAGGLE_KEY")) {
        (Some(username), Some(key)) => return Ok(found(username, key)),
        (None, None) => {}
        (Some(_), None) => return Err(Error::data("Kaggle", format!("KAGGLE_KEY is missing; {HELP}"))),
        (None, Some(_)) => return Err(Error::data("Kaggle", format!("KAGGLE_USERNAME is missing; {HELP}"))),
    }
    let home = || variable("HOME").or_else(|| variable("USERPROFILE")).map(|home| PathBuf::from(home).join(".kaggle"));
    let folder = variable("KAGGLE_CONFIG_DIR").map(PathBuf::from).or_else(home).unwrap_or_default();
    let path = folder.join("kaggle.json");
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::data("Kaggle", format!("no credentials; {HELP}")));
        }
        Err(source) => return Err(Error::File { action: "read", path, source, help: format!("; {HELP}") }),
    };
    let wrong = || Error::data(path.display().to_string(), "this is not {\"username\": …, \"key\": …}");
    serde_json::from_slice(&text).map_err(|_| wrong())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
impl Credentials {
    pub fn example() -> Credentials {
        Credentials { username: "ada".to_owned(), key: "secret".to_owned() }
    }
}
