//! What the operator says at start.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
#[cfg(feature = "store")]
use std::path::PathBuf;
#[cfg(feature = "store")]
use std::sync::Arc;

#[cfg(feature = "store")]
use crate::accounts::oidc::Oidc;
#[cfg(feature = "store")]
use crate::artifacts::root::Root;
use crate::error::StartError;
#[cfg(feature = "store")]
use crate::observe::otlp::Otlp;
#[cfg(feature = "store")]
use crate::secret::Secret;
#[cfg(feature = "store")]
use crate::store::Database;
#[cfg(feature = "store")]
use crate::watch::Watch;

/// Who is let in.
#[cfg(feature = "store")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Whoever reaches the address, to do everything.
    None,
    /// Holders of tokens, to do what their roles may.
    Tokens,
}

/// Settings of `beira serve`.
#[cfg(feature = "store")]
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on.
    pub host: String,
    /// Port; 0 takes a free one.
    pub port: u16,
    /// The database.
    pub db: Database,
    /// The server's own artifact store.
    pub artifacts: Root,
    /// URI that new experiments get; `mlflow-artifacts:/` (through the server) when absent.
    pub default_artifact_root: Option<String>,
    /// Who is let in; when nothing is said, everybody on loopback and holders of tokens elsewhere.
    pub auth: Option<Auth>,
    /// Modules may be fetched without a token, for pages that anybody may open.
    pub public_modules: bool,
    /// The address by which browsers reach this server, `https://…`.
    pub public_url: Option<String>,
    /// Who else says who somebody is.
    pub oidc: Option<Oidc>,
    /// Requests that one token may send in a second, to each replica.
    pub rate_limit: u32,
    /// Further host names by which browsers reach this server, besides loopback names and addresses.
    pub allowed_hosts: Vec<String>,
    /// Most rows of one prediction request.
    pub predict_rows_max: usize,
    /// Most bytes of a JSON request.
    pub json_bytes_max: usize,
    /// Most bytes of an ONNX file to compile.
    pub onnx_bytes_max: usize,
    /// Most bytes of one artifact that comes through this server, whole or in parts.
    pub artifact_bytes_max: u64,
    /// Most rows that one flush from a browser may count.
    pub browser_flush_rows_max: u64,
    /// Key that hosts sign prediction ids with; the server makes one up for itself when absent.
    pub prediction_key: Option<Secret>,
    /// How models in production are watched.
    pub watch: Watch,
    /// Where metrics and spans go, if anywhere.
    pub otlp: Option<Arc<Otlp>>,
}

#[cfg(feature = "store")]
impl Default for Config {
    fn default() -> Self {
        Config {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            db: PathBuf::from("beira.db").into(),
            artifacts: PathBuf::from("artifacts").into(),
            default_artifact_root: None,
            auth: None,
            public_modules: false,
            public_url: None,
            oidc: None,
            rate_limit: 1000,
            allowed_hosts: Vec::new(),
            predict_rows_max: 1000,
            json_bytes_max: 16 << 20,
            onnx_bytes_max: 64 << 20,
            artifact_bytes_max: 100 << 30,
            browser_flush_rows_max: 100_000,
            prediction_key: None,
            watch: Watch::default(),
            otlp: None,
        }
    }
}

#[cfg(feature = "store")]
impl Config {
    /// The address to bind.
    pub fn address(&self) -> Result<SocketAddr, StartError> {
        address(&self.host, self.port)
    }

    /// Whether a request needs a token.
    pub fn needs_tokens(&self) -> bool {
        self.auth.unwrap_or(if self.is_loopback() { Auth::None } else { Auth::Tokens }) == Auth::Tokens
    }

    /// True when only this machine can reach the server.
    pub fn is_loopback(&self) -> bool {
        self.address().is_ok_and(|address| address.ip().is_loopback())
    }

    /// Host name in the address by which browsers reach this server.
    pub fn public_host(&self) -> Option<&str> {
        let (_, rest) = self.public_url.as_deref()?.split_once("://")?;
        rest.split(['/', ':']).next().filter(|host| !host.is_empty())
    }

    /// Root that new experiments get, without a slash at the end.
    pub fn artifact_root(&self) -> &str {
        self.default_artifact_root.as_deref().unwrap_or("mlflow-artifacts:/").trim_end_matches('/')
    }
}

/// The address to bind, refused when it is open to others and nobody said that it may be.
pub fn guarded(host: &str, port: u16, auth_none: bool) -> Result<SocketAddr, StartError> {
    let address = address(host, port)?;
    if address.ip().is_loopback() || auth_none { Ok(address) } else { Err(StartError::OffLoopback(host.to_owned())) }
}

fn address(host: &str, port: u16) -> Result<SocketAddr, StartError> {
    match host.parse::<IpAddr>() {
        Ok(ip) => Ok(SocketAddr::new(ip, port)),
        Err(_) => (host, port)
            .to_socket_addrs()
            .ok()
            .and_then(|mut addresses| addresses.next())
            .ok_or_else(|| StartError::Host(host.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_loopback_must_be_said_aloud() {
        for (host, auth_none, allowed) in
            [("127.0.0.1", false, true), ("::1", false, true), ("0.0.0.0", false, false), ("0.0.0.0", true, true)]
        {
            assert_eq!(guarded(host, 8080, auth_none).is_ok(), allowed, "{host} {auth_none}");
        }
        let text = guarded("0.0.0.0", 8080, false).unwrap_err().to_string();
        assert!(text.contains("--auth none"), "{text}");
    }

    #[cfg(feature = "store")]
    #[test]
    fn off_loopback_needs_tokens() {
        for (host, auth, needed) in [
            ("127.0.0.1", None, false),
            ("127.0.0.1", Some(Auth::Tokens), true),
            ("0.0.0.0", None, true),
            ("0.0.0.0", Some(Auth::None), false),
            ("nobody.invalid", None, true),
        ] {
            let config = Config { host: host.to_owned(), auth, ..Config::default() };
            assert_eq!(config.needs_tokens(), needed, "{host} {auth:?}");
        }
    }
}
