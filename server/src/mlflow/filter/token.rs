//! The words of a `filter_string`. Pure.

use super::invalid;
use crate::error::Result;

/// A word of a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// Identifier or keyword, with the quoted parts unquoted; true when any part was quoted.
    Word(String, bool),
    /// String in single quotes, without them.
    Text(String),
    /// Number.
    Number(f64),
    /// Operator, bracket or comma.
    Symbol(&'static str),
}

/// The words of a filter.
pub fn tokenize(filter: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = filter.trim_start();
    while let Some(first) = rest.chars().next() {
        let two = rest.get(..2).unwrap_or_default();
        let after = if let Some(symbol) = ["!=", ">=", "<=", "==", "<>"].into_iter().find(|s| *s == two) {
            tokens.push(Token::Symbol(symbol));
            &rest[2..]
        } else if let Some(symbol) = ["=", ">", "<", "(", ")", ","].into_iter().find(|s| s.starts_with(first)) {
            tokens.push(Token::Symbol(symbol));
            &rest[1..]
        } else if first == '\'' {
            let end = string_end(rest).ok_or_else(|| invalid("a quoted string does not end"))?;
            tokens.push(Token::Text(rest[1..end].to_owned()));
            &rest[end + 1..]
        } else if let Some((number, length)) = number(rest) {
            tokens.push(Token::Number(number));
            &rest[length..]
        } else if first.is_alphanumeric() || "_`\"".contains(first) {
            let (word, quoted, after) = word(rest)?;
            tokens.push(Token::Word(word, quoted));
            after
        } else {
            return Err(invalid(&format!("'{first}' is not expected here")));
        };
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// Where the string at the start of `text` has its last quote. A doubled quote does not end it, and stays doubled.
fn string_end(text: &str) -> Option<usize> {
    let mut end = 1;
    loop {
        end += text[end..].find('\'')?;
        if !text[end + 1..].starts_with('\'') {
            return Some(end);
        }
        end += 2;
    }
}

/// A number that is followed by a space, a bracket, a comma or the end.
fn number(text: &str) -> Option<(f64, usize)> {
    let length = text.find(|c: char| !(c.is_alphanumeric() || "+-.".contains(c))).unwrap_or(text.len());
    let starts_like_one = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    let value = text[..length].parse::<f64>().ok().filter(|value| starts_like_one && value.is_finite())?;
    Some((value, length))
}

/// `metrics.a`, `params."a b"`, tags.`x-y`: quotes stay on the quoted part for `unquote`.
fn word(text: &str) -> Result<(String, bool, &str)> {
    let mut end = 0;
    let mut quoted = false;
    while let Some(c) = text[end..].chars().next() {
        if c == '`' || c == '"' {
            let length = text[end + 1..].find(c).ok_or_else(|| invalid("a quoted name does not end"))?;
            end += length + 2;
            quoted = true;
        } else if c.is_alphanumeric() || "_./:".contains(c) {
            end += c.len_utf8();
        } else if c == '-' {
            return Err(invalid("a name with '-' must stand in backticks: metrics.`a-b`"));
        } else {
            break;
        }
    }
    Ok((text[..end].to_owned(), quoted, &text[end..]))
}

/// A name without its quotes.
pub fn unquote(text: &str) -> String {
    for quote in ['`', '"'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    text.to_owned()
}
