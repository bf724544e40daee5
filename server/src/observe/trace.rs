//! W3C trace context: the `traceparent` that comes in, goes on, and goes out again.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a request stands in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The whole trace; never 0.
    pub trace: u128,
    /// This part of it; never 0.
    pub span: u64,
    /// The part that caused it.
    pub parent: Option<u64>,
    /// Whether whoever began the trace wants it recorded.
    pub sampled: bool,
}

tokio::task_local! {
    /// The context of the request that this task answers.
    pub static CURRENT: Context;
}

/// The context of the request at hand.
pub fn current() -> Option<Context> {
    CURRENT.try_with(|context| *context).ok()
}

impl Context {
    /// Goes on with the trace of a `traceparent` header, or begins one when there is none that can be read.
    pub fn begin(traceparent: Option<&str>) -> Context {
        let span = id();
        match traceparent.and_then(read) {
            Some((trace, parent, sampled)) => Context { trace, span, parent: Some(parent), sampled },
            None => Context { trace: u128::from(id()) << 64 | u128::from(id()), span, parent: None, sampled: true },
        }
    }

    /// The header to pass on.
    pub fn header(&self) -> [u8; 55] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        hex(&mut text[3..35], self.trace);
        hex(&mut text[36..52], u128::from(self.span));
        hex(&mut text[53..55], u128::from(self.sampled));
        text
    }
}

/// The last digits of a number. Every answer carries 50 of them, and `format!` takes ten times as long.
fn hex(to: &mut [u8], mut number: u128) {
    for digit in to.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>` in lower case, ids not 0; a later version may have more parts
/// (W3C Trace Context, 3.2).
fn read(header: &str) -> Option<(u128, u64, bool)> {
    let mut parts = header.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length| text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !hex(version, 2) || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    if !(hex(trace, 32) && hex(span, 16) && hex(flags, 2)) {
        return None;
    }
    let (trace, span) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
    (trace != 0 && span != 0).then_some((trace, span, u8::from_str_radix(flags, 16).ok()? & 1 == 1))
}

/// A number that no other call gives, spread over all bits (splitmix64 from a random start); never 0.
pub fn id() -> u64 {
    static STATE: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(uuid::Uuid::new_v4().as_u64_pair().0));
    let mut z = STATE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ z >> 31).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_on_or_begins() {
        let known = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = Context::begin(Some(known));
        assert_eq!(context.trace, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!((context.parent, context.sampled), (Some(0xb7ad_6b71_6920_3331), true));
        assert_eq!(&context.header()[..36], &known.as_bytes()[..36]);
        assert!(!Context::begin(Some(&known.replace("-01", "-00"))).sampled);
        let later = known.replacen("00", "cc", 1) + "-what-ever";
        assert_eq!(Context::begin(Some(&later)).trace, context.trace);
        for broken in [
            "",
            "00",
            "garbage",
            &format!("{known}-more"),
            &known.replacen("00", "ff", 1),
            &known.to_uppercase(),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            let context = Context::begin(Some(broken));
            assert!(context.parent.is_none() && context.trace != 0, "{broken}");
        }
    }

    #[test]
    fn ids_differ() {
        let ids: std::collections::HashSet<u64> = (0..10_000).map(|_| id()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
