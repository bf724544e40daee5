//! Pages of lists: how many, from where, and the token of the next one, base64 of JSON and opaque to clients.

use contract::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::fields::Fields;

/// The page that a request asks for.
pub struct Page {
    /// Rows to skip.
    pub offset: i64,
    /// Most rows.
    pub limit: i64,
    /// What the query is, so that a token of another one is refused.
    query: String,
}

impl Page {
    /// Reads `max_results` and `page_token`; `query` names the fields that say what is asked for.
    pub fn of(fields: &Fields, limit: i64, query: &[&str]) -> Result<Page> {
        let mut hash = Sha256::new();
        for name in query {
            hash.update(format!("{name}={:?};", fields.get(name)?));
        }
        let query = hex::encode(&hash.finalize()[..8]);
        let token = fields.opt_string("page_token")?.filter(|token| !token.is_empty());
        let offset = token.map_or(Ok(0), |token| offset(&token, &query))?;
        Ok(Page { offset, limit, query })
    }

    /// Rows to fetch: one more than the page has, to know whether there is another page.
    pub fn fetch(&self) -> i64 {
        self.limit.saturating_add(1)
    }

    /// Cuts what was fetched, and makes the token of the next page.
    pub fn cut<T>(&self, rows: &mut Vec<T>) -> Option<String> {
        let more = rows.len() as i64 > self.limit;
        rows.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let token = json!({"offset": self.offset + self.limit, "query": self.query});
        more.then(|| base64(token.to_string().as_bytes()))
    }
}

fn offset(token: &str, query: &str) -> Result<i64> {
    let bytes = decode(token).ok_or_else(|| Error::invalid("Invalid page token, could not base64-decode"))?;
    let token = serde_json::from_slice::<serde_json::Value>(&bytes).unwrap_or_default();
    match token["offset"].as_i64() {
        Some(_) if token["query"] != query => Err(Error::invalid("Invalid page token: it belongs to another query.")),
        Some(offset) if offset >= 0 => Ok(offset),
        _ => Err(Error::invalid("Invalid page token, it holds no offset")),
    }
}

/// `max_results` in `1..=most`, or `default`.
pub fn limit(fields: &Fields, default: i64, most: i64) -> Result<i64> {
    match fields.opt_int("max_results")? {
        None => Ok(default),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(limit) if limit < 1 => Err(Error::invalid(format!(
            "Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer"
        ))),
        Some(_) => Err(fields.wrong("max_results", fields.get("max_results")?.unwrap_or(&Value::Null))),
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
    fn a_token_belongs_to_its_query() {
        let page = |query: &str| Page::of(&Fields::from_query(query), 2, &["filter"]);
        let mut rows = vec![1, 2, 3];
        let token = page("filter=a").unwrap().cut(&mut rows).unwrap();
        assert_eq!(rows, [1, 2]);
        assert_eq!(page(&format!("filter=a&page_token={token}")).unwrap().offset, 2);
        assert_eq!(page("filter=a").unwrap().cut(&mut vec![1, 2]), None);
        for wrong in [
            &format!("filter=b&page_token={token}"),
            "page_token=!!",
            "page_token=e30=",
            "page_token=eyJvZmZzZXQiOiA3fQ==",
        ] {
            assert!(page(wrong).is_err(), "{wrong}");
        }
    }
}
