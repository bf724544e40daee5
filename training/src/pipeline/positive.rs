//! `positive`: which target values make the positive class.

use std::cmp::Ordering;

/// A rule over target values.
#[derive(Clone, Debug, PartialEq)]
pub enum Positive {
    /// A comparison with a number: `>= 6`, `< 0.5`, `!= 0`.
    Number(Comparison, f32),
    /// One value, compared as text.
    Value(String),
}

/// How to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Comparison {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Greater,
}

const OPERATORS: [(&str, Comparison); 7] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    (">", Comparison::Greater),
    ("<", Comparison::Less),
    ("=", Comparison::Equal),
];

impl Positive {
    /// Reads a rule.
    pub fn parse(rule: &str) -> Result<Positive, String> {
        let rule = rule.trim();
        if rule.is_empty() {
            return Err("a rule like \">= 6\" or a value is needed".to_owned());
        }
        for (operator, comparison) in OPERATORS {
            if let Some(number) = rule.strip_prefix(operator) {
                return match number.trim().parse::<f64>() {
                    Ok(number) if number.is_finite() => Ok(Positive::Number(comparison, number as f32)),
                    _ => Err(format!("a number is needed after `{operator}`")),
                };
            }
        }
        Ok(match rule.parse::<f64>() {
            Ok(number) if number.is_finite() => Positive::Number(Comparison::Equal, number as f32),
            _ => Positive::Value(rule.to_owned()),
        })
    }

    /// Whether the rule compares numbers.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Positive::Number(..))
    }

    /// Whether a target is positive: its text, and its number where it is one.
    pub(crate) fn holds(&self, text: &str, number: Option<f32>) -> bool {
        let (comparison, limit) = match self {
            Positive::Value(value) => return text == value,
            Positive::Number(comparison, limit) => (*comparison, *limit),
        };
        let Some(order) = number.and_then(|number| number.partial_cmp(&limit)) else { return false };
        match comparison {
            Comparison::Less => order == Ordering::Less,
            Comparison::AtMost => order != Ordering::Greater,
            Comparison::Equal => order == Ordering::Equal,
            Comparison::NotEqual => order != Ordering::Equal,
            Comparison::AtLeast => order != Ordering::Less,
            Comparison::Greater => order == Ordering::Greater,
        }
    }
}

/// The rule in YAML: `">= 6"`, `yes`, `1` and `true` alike.
pub(super) mod text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scalar {
        Bool(bool),
        Integer(i64),
        Number(f64),
        Text(String),
    }

    pub fn serialize<S: Serializer>(rule: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
        rule.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
        Ok(Option::<Scalar>::deserialize(deserializer)?.map(|scalar| match scalar {
            Scalar::Bool(value) => value.to_string(),
            Scalar::Integer(value) => value.to_string(),
            Scalar::Number(value) => value.to_string(),
            Scalar::Text(value) => value,
        }))
    }
}
