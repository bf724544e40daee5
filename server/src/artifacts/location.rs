//! Which artifact URIs and paths are allowed. Pure, but for making a local root absolute.
//!
//! Class of faults kept out here: a client that names a local root, climbs with `..` (also encoded
//! twice), or hides a part behind `#`, `\` or NUL.

use std::path::PathBuf;

use object_store::path::Path;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::url::decoded;

/// Remote stores whose URIs are kept for clients; this server never opens them.
const REMOTE: [&str; 13] =
    ["s3", "gs", "r2", "wasbs", "abfs", "abfss", "hdfs", "dbfs", "ftp", "sftp", "http", "https", "oss"];

/// Longest path; folders and buckets take no longer ones.
const LONGEST: usize = 1024;
/// Longest name of a file or folder: file systems take 255 bytes, and an upload on its way has a few more.
const LONGEST_NAME: usize = 240;

/// A relative path of plain names. Percent codes are looked through as often as they are nested.
pub fn clean(path: &str) -> Result<Path> {
    let path = path.trim_matches('/');
    let mut seen = path.to_owned();
    loop {
        if seen.contains(['\\', '\0'])
            || seen.split('/').any(|part| part == ".." || part == ".")
            || seen.starts_with('/')
        {
            return Err(Error::invalid("Invalid path"));
        }
        let next = decoded(&seen);
        if next == seen {
            break;
        }
        seen = next;
    }
    let path: Path = path.split('/').filter(|part| !part.is_empty()).collect();
    if path.as_ref().len() > LONGEST || path.parts().any(|part| part.as_ref().len() > LONGEST_NAME) {
        return Err(Error::invalid(format!(
            "Invalid path: it may have {LONGEST} bytes, and each name in it {LONGEST_NAME}"
        )));
    }
    Ok(path)
}

/// `/path` or `//host/path`, without the host.
pub fn after_authority(rest: &str) -> &str {
    match rest.strip_prefix("//") {
        Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
        None => rest,
    }
}

/// The folder of a local root, `file:///path` or a plain path; `None` for other schemes.
pub fn local_folder(root: &str) -> Option<PathBuf> {
    if let Some(path) = root.strip_prefix("file:") {
        let path = if path.starts_with("//") { format!("/{}", after_authority(path)) } else { path.to_owned() };
        return Some(PathBuf::from(path));
    }
    scheme(root).is_none().then(|| std::path::absolute(root).unwrap_or_else(|_| PathBuf::from(root)))
}

/// An artifact location that a client chose for an experiment or a model version: through this
/// server, under the operator's root, or a remote store. Local roots are the operator's to give.
pub fn check_client_location(uri: &str, config: &Config) -> Result<()> {
    let refused = |what: &str| Err(Error::invalid(format!("Invalid artifact location or source: {what}.")));
    if uri.len() > 2048 {
        return refused("it has more than 2048 bytes");
    }
    if uri.contains(['#', '?', '\\', '\0']) {
        return refused("it must not hold '#', '?' or '\\'");
    }
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| after_authority(rest));
    clean(rest)?;
    let root = config.artifact_root();
    let below_root = uri.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match scheme(uri) {
        Some("mlflow-artifacts") => Ok(()),
        _ if below_root => Ok(()),
        Some(scheme) if REMOTE.contains(&scheme) => Ok(()),
        _ => refused("local paths are given by the operator alone (--default-artifact-root)"),
    }
}

/// The scheme of a URI.
pub fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let plain = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    plain.then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for (path, expected) in
            [("a/b.txt", Some("a/b.txt")), ("/a//b/", Some("a/b")), ("", Some("")), ("ä b", Some("ä b"))]
        {
            assert_eq!(clean(path).ok().map(|p| decoded(p.as_ref())).as_deref(), expected, "{path}");
        }
        for path in
            ["..", "a/../b", "a/%2e%2e/b", "a/%252e%252e/b", "%25252e%25252e/x", "a\\b", "a%5Cb", "a/./b", "a%00b"]
        {
            assert!(clean(path).is_err(), "{path}");
        }
        for (long, fits) in [("a".repeat(240), true), ("ä".repeat(121), false), ("a/".repeat(600), false)] {
            assert_eq!(clean(&long).is_ok(), fits, "{} bytes", long.len());
        }
    }

    #[test]
    fn clients_choose_no_local_roots() {
        let config = Config::default();
        let operator = Config { default_artifact_root: Some("file:///srv/ml".to_owned()), ..Config::default() };
        for (uri, ours, operators) in [
            ("mlflow-artifacts:/7", true, true),
            ("s3://bucket/a", true, true),
            ("file:///srv/ml/7", false, true),
            ("file:///srv/mlx", false, false),
            ("file:///etc", false, false),
            ("/etc", false, false),
            ("relative", false, false),
            ("mlflow-artifacts:/a/../b", false, false),
            ("s3://bucket/a#x", false, false),
            ("javascript:alert(1)", false, false),
        ] {
            assert_eq!(check_client_location(uri, &config).is_ok(), ours, "{uri}");
            assert_eq!(check_client_location(uri, &operator).is_ok(), operators, "{uri} with a local root");
        }
    }
}
