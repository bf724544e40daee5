//! Page tokens: base64 of `{"offset": N}`, opaque to clients.

use serde_json::json;

use crate::error::{Error, Result};

/// The offset that a token stands for; 0 without one.
pub fn offset(token: Option<&str>) -> Result<i64> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(0) };
    let bytes = decode(token).ok_or_else(|| Error::invalid("Invalid page token, could not base64-decode"))?;
    let offset = serde_json::from_slice::<serde_json::Value>(&bytes).ok().and_then(|value| value["offset"].as_i64());
    offset.filter(|offset| *offset >= 0).ok_or_else(|| Error::invalid("Invalid page token, it holds no offset"))
}

/// Cuts `rows`, fetched with one more than `limit`, and makes the token of the next page.
pub fn cut<T>(rows: &mut Vec<T>, offset: i64, limit: i64) -> Option<String> {
    let more = rows.len() as i64 > limit;
    rows.truncate(limit as usize);
    more.then(|| base64(json!({"offset": offset + limit}).to_string().as_bytes()))
}

/// `max_results` in `1..=most`, or `default`.
pub fn limit(given: Option<i64>, default: i64, most: i64) -> Result<i64> {
    match given {
        None => Ok(default),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(limit) => Err(Error::invalid(format!(
            "Invalid value {limit} for parameter 'max_results' supplied: it must be between 1 and {most}."
        ))),
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648).
pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |word, (i, byte)| word | u32::from(*byte) << (16 - 8 * i));
        for i in 0..4 {
            text.push(if i <= chunk.len() { ALPHABET[(word >> (18 - 6 * i) & 63) as usize] as char } else { '=' });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::new();
    for chunk in text.as_bytes().chunks(4) {
        let mut word = 0u32;
        for (i, byte) in chunk.iter().enumerate() {
            let byte = match byte {
                b'-' => b'+',
                b'_' => b'/',
                other => *other,
            };
            word |= (ALPHABET.iter().position(|b| *b == byte)? as u32) << (18 - 6 * i);
        }
        bytes.extend_from_slice(&word.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_round_trips_and_a_damaged_one_is_refused() {
        let mut rows = vec![1, 2, 3];
        let token = cut(&mut rows, 40, 2).unwrap();
        assert_eq!((rows, offset(Some(&token)).unwrap()), (vec![1, 2], 42));
        assert_eq!(offset(Some("eyJvZmZzZXQiOiA3fQ==")).unwrap(), 7); // as the reference writes it
        assert_eq!(cut(&mut vec![1], 0, 1), None);
        assert!(offset(Some("!!")).is_err());
        assert!(offset(Some("e30=")).is_err());
    }
}
