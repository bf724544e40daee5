//! Artifacts of a run: through the server's proxy, or straight into a folder that the server names.

use std::path::PathBuf;

use super::Client;
use crate::Error;

/// Where a run's artifacts are.
pub(crate) enum Root {
    /// `mlflow-artifacts:/path`: the server keeps them.
    Proxy(String),
    /// `file:///path`: a folder on this machine.
    Folder(PathBuf),
}

impl Root {
    /// Reads a run's `artifact_uri`.
    pub fn parse(uri: &str) -> Result<Root, Error> {
        let wrong = |what: &str| Err(Error::Artifacts { uri: uri.to_owned(), what: what.to_owned() });
        if let Some(rest) = uri.strip_prefix("mlflow-artifacts:") {
            // `mlflow-artifacts://host/path` names another proxy.
            return match rest.strip_prefix("//") {
                Some(rest) if !rest.starts_with('/') => wrong("another server's proxy is not followed"),
                Some(rest) => Ok(Root::Proxy(rest.trim_matches('/').to_owned())),
                None => Ok(Root::Proxy(rest.trim_matches('/').to_owned())),
            };
        }
        if let Some(rest) = uri.strip_prefix("file://") {
            let Some(path) = decode(rest).filter(|path| path.starts_with('/')) else {
                return wrong("a file URI names an absolute path, like file:///srv/artifacts");
            };
            return Ok(Root::Folder(PathBuf::from(path)));
        }
        if uri.starts_with('/') {
            return Ok(Root::Folder(PathBuf::from(uri)));
        }
        wrong("only mlflow-artifacts:/ and file:// are written; let the server proxy its store")
    }

    /// Reads one file; `None` when it is not there.
    pub fn read(&self, client: &Client, path: &str) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Root::Proxy(root) => client.download(&proxied(root, path)),
            Root::Folder(root) => {
                let file = root.join(path);
                match std::fs::read(&file) {
                    Ok(bytes) => Ok(Some(bytes)),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(Error::File { action: "read", path: file, source, help: String::new() }),
                }
            }
        }
    }

    /// Writes one file.
    pub fn write(&self, client: &Client, path: &str, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Root::Proxy(root) => client.put(&proxied(root, path), content_type(path), bytes),
            Root::Folder(root) => {
                let file = root.join(path);
                let written = file.parent().map_or(Ok(()), std::fs::create_dir_all);
                written.and_then(|()| std::fs::write(&file, bytes)).map_err(|source| {
                    let help = "; the server's --default-artifact-root must be writable here".to_owned();
                    Error::File { action: "write", path: file.clone(), source, help }
                })
            }
        }
    }
}

/// Path of a file at the server's proxy, encoded.
fn proxied(root: &str, path: &str) -> String {
    let segments: Vec<String> = root.split('/').chain(path.split('/')).map(encode).collect();
    format!("mlflow-artifacts/artifacts/{}", segments.join("/"))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "yaml" | "txt" | "MLmodel" => "text/plain",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

/// A path segment, percent-encoded (RFC 3986: all but the unreserved characters).
pub(crate) fn encode(segment: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    segment.bytes().map(|b| if unreserved(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The reverse; `None` when it is not UTF-8 or an escape is broken.
fn decode(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str, expected: &str) {
        let got = match Root::parse(uri) {
            Ok(Root::Proxy(path)) => format!("proxy {path}"),
            Ok(Root::Folder(path)) => format!("folder {}", path.display()),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn roots() {
        check("mlflow-artifacts:/1/ab/artifacts", "proxy 1/ab/artifacts");
        check("mlflow-artifacts:///1/ab", "proxy 1/ab");
        check("file:///srv/a%20b", "folder /srv/a b");
        let only = "only mlflow-artifacts:/ and file:// are written; let the server proxy its store";
        check("s3://bucket/x", &format!("cannot write artifacts to s3://bucket/x: {only}"));
        assert_eq!(encode("img+1 ü"), "img%2B1%20%C3%BC");
    }
}
