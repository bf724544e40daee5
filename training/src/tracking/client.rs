//! Requests to one server: JSON in, JSON out, errors that say who refused what.

use std::time::Duration;

use contract::mlflow::ErrorBody;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Response;

use crate::Error;

/// Longest file that is fetched.
const DOWNLOAD_MAX: u64 = 1 << 30;

/// A server's address. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    server: String,
    token: Option<String>,
}

/// What came back.
pub(super) enum Answer {
    /// 2xx.
    Fine(Value),
    /// Anything else.
    Refused {
        /// HTTP status.
        status: u16,
        /// MLflow's error code and sentence.
        error: ErrorBody,
    },
}

impl Client {
    /// A client; nothing is sent yet. A token is taken from `MLFLOW_TRACKING_TOKEN`, as MLflow's client does.
    pub fn new(server: &str) -> Result<Client, Error> {
        let server = server.trim_end_matches('/').to_owned();
        if !server.starts_with("http://") && !server.starts_with("https://") {
            let what = "an address like http://127.0.0.1:8080 is needed";
            return Err(Error::Unreachable { server, what: what.to_owned() });
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        let token = std::env::var("MLFLOW_TRACKING_TOKEN").ok().filter(|token| !token.is_empty());
        Ok(Client { agent: config.new_agent(), server, token })
    }

    /// The address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// `GET`; query values are encoded here.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Error> {
        let mut request = self.agent.get(self.url(path)).query_pairs(query.iter().copied());
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        self.read(path, request.call())
    }

    /// `POST` with a JSON body.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Answer, Error> {
        let mut request = self.agent.post(self.url(path));
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        self.read(path, request.send_json(body))
    }

    /// `POST` that must succeed.
    pub(super) fn send(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.post(path, body)?.fine(self, &format!("POST {path}"))
    }

    /// `PUT` of a file's bytes, to a path that is encoded already.
    pub(super) fn put(&self, path: &str, content_type: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut request = self.agent.put(self.url(path)).content_type(content_type);
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        self.read(path, request.send(bytes))?.fine(self, &format!("PUT {path}")).map(drop)
    }

    /// A file's bytes; `None` when there is none. The path is encoded already.
    pub(super) fn download(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let mut request = self.agent.get(self.url(path));
        if let Some(bearer) = self.bearer() {
            request = request.header("Authorization", bearer);
        }
        let mut answer = request.call().map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(DOWNLOAD_MAX).read_to_vec();
        let body = body.map_err(|error| self.unreachable(&error))?;
        match status {
            200..300 => Ok(Some(body)),
            404 => Ok(None),
            _ => {
                let error = serde_json::from_slice(&body).unwrap_or_default();
                Answer::Refused { status, error }.fine(self, &format!("GET {path}")).map(|_| None)
            }
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/2.0/{path}", self.server)
    }

    /// Without the address, which the error names already.
    fn unreachable(&self, error: &ureq::Error) -> Error {
        let what = match error {
            ureq::Error::Io(error) => error.kind().to_string(),
            error => error.to_string(),
        };
        Error::Unreachable { server: self.server.clone(), what }
    }

    fn bearer(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("Bearer {token}"))
    }

    fn read(&self, path: &str, sent: Result<Response<ureq::Body>, ureq::Error>) -> Result<Answer, Error> {
        let mut answer = sent.map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(64 << 20).read_to_string();
        let body = body.map_err(|error| self.unreachable(&error))?;
        if (200..300).contains(&status) {
            return match serde_json::from_str(if body.is_empty() { "{}" } else { &body }) {
                Ok(value) => Ok(Answer::Fine(value)),
                Err(_) => {
                    let (server, request) = (self.server.clone(), path.to_owned());
                    let what = "the answer is not JSON; is this a Beira or MLflow server?".to_owned();
                    Err(Error::Refused { server, request, status, what })
                }
            };
        }
        let error = serde_json::from_str(&body).unwrap_or_default();
        Ok(Answer::Refused { status, error })
    }
}

impl Answer {
    /// The body, or an error that names the request.
    pub fn fine(self, client: &Client, request: &str) -> Result<Value, Error> {
        match self {
            Answer::Fine(body) => Ok(body),
            Answer::Refused { status, error } => {
                let what = format!("{status} {} {}", error.error_code, error.message);
                let (server, request) = (client.server.clone(), request.to_owned());
                Err(Error::Refused { server, request, status, what: what.trim_end().to_owned() })
            }
        }
    }
}

/// A field of an answer that must be there.
pub(super) fn text(client: &Client, request: &str, value: &Value, path: &[&str]) -> Result<String, Error> {
    let found = path.iter().try_fold(value, |value, key| value.get(key)).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| Error::Refused {
        server: client.server.clone(),
        request: request.to_owned(),
        status: 200,
        what: format!("the answer has no `{}`", path.join(".")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(server: &str, expected: &str) {
        let error = Client::new(server).and_then(|client| client.get("mlflow/experiments/get", &[]).map(drop));
        assert_eq!(error.unwrap_err().to_string(), expected);
    }

    #[test]
    fn nobody_there_is_told_with_the_address_and_what_helps() {
        let help = "start it with `beira serve`, or name another one with --server";
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
        check(&format!("http://{free}/"), &format!("no answer from http://{free} (connection refused); {help}"));
        let what = "an address like http://127.0.0.1:8080 is needed";
        check("127.0.0.1:8080", &format!("no answer from 127.0.0.1:8080 ({what}); {help}"));
    }
}
