//! Which requests are the plugin's, and how they are answered.

/// The path that is answered.
const PATH: &str = "/predict";

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// Not ours: it passes untouched.
    Pass,
    /// Answered now, from the query string.
    Query(&'a str),
    /// Answered when its body is complete.
    Body,
    /// Ours, by a method that it has not.
    Method,
}

/// Decides by `:method` and `:path`.
pub fn route<'a>(method: &str, path: &'a str) -> Route<'a> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match method {
        _ if path != PATH => Route::Pass,
        "GET" => Route::Query(query),
        "POST" => Route::Body,
        _ => Route::Method,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_paths_pass() {
        assert_eq!(route("GET", "/predict?a=1&b=?"), Route::Query("a=1&b=?"));
        assert_eq!(route("GET", "/predict"), Route::Query(""));
        assert_eq!(route("POST", "/predict"), Route::Body);
        assert_eq!(route("DELETE", "/predict"), Route::Method);
        for path in ["/", "/predict/", "/predictions", "/a/predict", "/PREDICT", "*", ""] {
            assert_eq!(route("POST", path), Route::Pass, "{path}");
        }
    }
}
