//! The one clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Width of a window of counters.
pub const MINUTE_MS: i64 = 60_000;

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}
