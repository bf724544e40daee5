//! Pages of lists: how many, from where, and the token of the next one, base64 of JSON and opaque to clients.

use contract::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::store;

/// The page that a request asks for.
#[derive(Clone)]
pub struct Page {
    /// Most rows.
    pub limit: i64,
    /// What the query is, so that a token of another one is refused.
    query: String,
    /// Where the last row of the page before stands in the order.
    after: Option<Vec<Value>>,
}

/// What a key of an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A count or a time.
    Integer,
    /// A measurement.
    Real,
    /// A text.
    Text,
}

impl Page {
    /// Reads `page_token`; `list` and the fields `query` say what is asked for.
    pub fn of(fields: &Fields, limit: i64, list: &str, query: &[&str]) -> Result<Page> {
        let mut hash = Sha256::new();
        hash.update(list);
        for name in query {
            hash.update(format!(";{name}={:?}", fields.get(name)?));
        }
        let query = hex::encode(&hash.finalize()[..8]);
        let token = fields.opt_string("page_token")?.filter(|token| !token.is_empty());
        let after = token.map(|token| after(&token, &query)).transpose()?;
        Ok(Page { limit, query, after })
    }

    /// The first page of the same list, with other rows.
    pub fn first(&self, limit: i64) -> Page {
        Page { limit, query: self.query.clone(), after: None }
    }

    /// Behind which keys the page begins, when they are of these kinds.
    pub fn after(&self, kinds: &[Kind]) -> Result<Option<Vec<store::Value>>> {
        let Some(after) = &self.after else { return Ok(None) };
        if after.len() != kinds.len() {
            return Err(senseless());
        }
        after.iter().zip(kinds).map(|(value, kind)| read(value, *kind)).collect::<Result<_>>().map(Some)
    }

    /// The token of the page behind a row with these keys.
    pub fn token(&self, keys: &[store::Value]) -> String {
        let after: Vec<Value> = keys.iter().map(written).collect();
        let token = base64(json!({"after": after, "query": self.query}).to_string().as_bytes());
        token.replace('+', "-").replace('/', "_") // it travels in query strings
    }
}

fn after(token: &str, query: &str) -> Result<Vec<Value>> {
    let bytes = decode(token).ok_or_else(|| Error::invalid("Invalid page token, could not base64-decode"))?;
    let mut token = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
    match token["after"].take() {
        Value::Array(_) if token["query"] != query => {
            Err(Error::invalid("Invalid page token: it belongs to another query."))
        }
        Value::Array(after) => Ok(after),
        _ => Err(senseless()),
    }
}

fn written(value: &store::Value) -> Value {
    match value {
        store::Value::Integer(value) => json!(value),
        store::Value::Real(value) => json!(value),
        store::Value::Text(value) => json!(value),
        store::Value::Ids(value) => json!(value),
    }
}

fn read(value: &Value, kind: Kind) -> Result<store::Value> {
    match (kind, value) {
        (_, Value::Null) => Ok(store::Value::Text(None)),
        (Kind::Integer, Value::Number(number)) => number.as_i64().map(store::Value::from).ok_or_else(senseless),
        (Kind::Real, Value::Number(number)) => number.as_f64().map(store::Value::from).ok_or_else(senseless),
        (Kind::Text, Value::String(text)) => Ok(text.into()),
        _ => Err(senseless()),
    }
}

fn senseless() -> Error {
    Error::invalid("Invalid page token: it is none of this server's.")
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
    fn a_token_belongs_to_its_query_and_keeps_every_bit() {
        let page = |query: &str| Page::of(&Fields::from_query(query), 2, "things", &["filter"]);
        let kinds = [Kind::Real, Kind::Integer, Kind::Text, Kind::Real];
        let keys = [(-1e-300).into(), i64::MIN.into(), "a \"b\" é".into(), store::Value::Text(None)];
        let token = page("filter=a").unwrap().token(&keys);
        let same = page(&format!("filter=a&page_token={}", token)).unwrap();
        assert_eq!(format!("{:?}", same.after(&kinds).unwrap().unwrap()), format!("{keys:?}"));
        assert!(page("filter=a").unwrap().after(&kinds).unwrap().is_none());

        let refused = |fields: &str, list: &str, kinds: &[Kind], expected: &str| {
            let page = Page::of(&Fields::from_query(fields), 2, list, &["filter"]);
            assert_eq!(page.and_then(|page| page.after(kinds)).unwrap_err().to_string(), expected, "{fields}");
        };
        let (foreign, senseless) =
            ("Invalid page token: it belongs to another query.", "Invalid page token: it is none of this server's.");
        refused(&format!("filter=b&page_token={token}"), "things", &kinds, foreign);
        refused(&format!("filter=a&page_token={token}"), "others", &kinds, foreign);
        refused(&format!("filter=a&page_token={token}"), "things", &kinds[..3], senseless);
        refused(&format!("filter=a&page_token={token}"), "things", &[Kind::Integer; 4], senseless);
        refused("page_token=!!", "things", &kinds, "Invalid page token, could not base64-decode");
        refused("page_token=e30=", "things", &kinds, senseless);
    }
}
