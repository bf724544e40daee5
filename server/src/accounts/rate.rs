//! How often a token may ask: so many times a second on average, and twice as many at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What of the allowance may be spent at once.
const BURST: Duration = Duration::from_secs(2);
/// Most tokens that are remembered; one that asked long ago needs not be.
const TOKENS: usize = 10_000;

/// One allowance for each token, in this process.
pub struct Rate {
    each: Duration,
    /// Until when a token has spent its allowance.
    spent: Mutex<HashMap<String, Instant>>,
}

impl Rate {
    /// `per_second` requests of one token.
    pub fn new(per_second: u32) -> Rate {
        Rate { each: Duration::from_secs(1) / per_second.max(1), spent: Mutex::default() }
    }

    /// Whether the token may ask now; then one less is left.
    pub fn allows(&self, token: &str, now: Instant) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= TOKENS && !spent.contains_key(token) {
            spent.retain(|_, until| *until > now);
        }
        let until = spent.get(token).copied().unwrap_or(now).max(now) + self.each;
        let allowed = until <= now + BURST.max(self.each);
        if allowed {
            spent.insert(token.to_owned(), until);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_comes_back_with_time_and_is_each_tokens_own() {
        let (rate, start) = (Rate::new(10), Instant::now());
        let asked = |token: &str, at: u64| {
            let now = start + Duration::from_millis(at);
            (0..100).filter(|_| rate.allows(token, now)).count()
        };
        assert_eq!(asked("a", 0), 20);
        assert_eq!(asked("a", 50), 0);
        assert_eq!(asked("b", 50), 20);
        assert_eq!(asked("a", 500), 5);
        assert_eq!(asked("a", 60_000), 20);
        assert!(Rate::new(0).allows("a", start), "one a second is the least");
    }
}
