//! Names as parts of addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What a part of a URL's path keeps as it is, besides letters and digits (RFC 3986, "unreserved").
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A name as a part of a URL's path, or as a header's value.
pub fn encoded(name: &str) -> String {
    utf8_percent_encode(name, &RESERVED).to_string()
}

/// Percent codes of one level taken off.
pub fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
