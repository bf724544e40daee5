//! What the operator may say: the plugin's configuration, JSON, all of it optional.

use serde::Deserialize;

/// `plugin_config_data` at Google, `configuration` in Envoy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Hold a request's headers back until its body is answered. Only where the proxy obeys: Envoy
    /// with `allow_on_headers_stop_iteration` (without it the body never comes). Google ignores it.
    pub hold: bool,
    /// A snapshot is due after so many rows and errors, at the latest; the first ones come sooner.
    pub snapshot_rows: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { hold: false, snapshot_rows: 100 }
    }
}

impl Config {
    /// Reads the bytes the proxy hands over; none is the default.
    pub fn read(bytes: &[u8]) -> Result<Config, String> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Config::default());
        }
        serde_json::from_slice(bytes).map_err(|error| format!("the plugin's configuration: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_is_optional() {
        let check = |text: &str, expected: Result<Config, &str>| {
            assert_eq!(Config::read(text.as_bytes()), expected.map_err(str::to_owned), "{text}");
        };
        check(" \n", Ok(Config::default()));
        check(r#"{"snapshot_rows": 1}"#, Ok(Config { snapshot_rows: 1, ..Config::default() }));
        check(
            r#"{"holt": true}"#,
            Err(
                "the plugin's configuration: unknown field `holt`, expected `hold` or `snapshot_rows` at line 1 column 7",
            ),
        );
    }
}
