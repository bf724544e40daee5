//! `schema:` — what the table must be like before anything is learnt from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// What the table must be like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schema {
    /// How many rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    /// Greatest share of rows that repeat an earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<f64>,
    /// Whether there may be columns that are not listed.
    pub others: bool,
    /// Columns that must be there.
    pub columns: BTreeMap<String, Column>,
}

impl Default for Schema {
    fn default() -> Self {
        Schema { rows: None, duplicates: None, others: true, columns: BTreeMap::new() }
    }
}

/// How many rows, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rows {
    /// At least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// At most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// What a column must be like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Column {
    /// What its values are.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Type>,
    /// Least value, a number or a date in the column's format.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "scalar")]
    pub min: Option<String>,
    /// Greatest value.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "scalar")]
    pub max: Option<String>,
    /// The only values that may occur.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none", deserialize_with = "scalars")]
    pub allowed: Option<Vec<String>>,
    /// Greatest share of missing values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<f64>,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Finite numbers.
    Number,
    /// Whole numbers.
    Integer,
    /// Any text.
    Text,
    /// Dates; the format is the column's kind under `columns`, or guessed.
    Date,
}

impl Schema {
    /// What is wrong with it, whatever the data.
    pub(super) fn check(&self) -> Result<(), String> {
        let share = |key: &str, share: Option<f64>| match share {
            Some(share) if !(0.0..=1.0).contains(&share) => Err(format!("{key}: a share from 0 to 1 is needed")),
            _ => Ok(()),
        };
        share("schema.duplicates", self.duplicates)?;
        for (name, column) in &self.columns {
            share(&format!("schema.columns.{name}.missing"), column.missing)?;
            let bounded = column.min.is_some() || column.max.is_some();
            if bounded && !matches!(column.kind, Some(Type::Number | Type::Integer | Type::Date)) {
                let what = "`min` and `max` need `type: number`, `integer` or `date`";
                return Err(format!("schema.columns.{name}: {what}"));
            }
            if matches!(column.kind, Some(Type::Number | Type::Integer)) {
                for (key, bound) in [("min", &column.min), ("max", &column.max)] {
                    if bound.as_ref().is_some_and(|bound| crate::data::number(bound).is_none()) {
                        return Err(format!("schema.columns.{name}.{key}: a number is needed"));
                    }
                }
            }
        }
        Ok(())
    }
}

/// A number, a word or a boolean, as text.
fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    super::positive::text::deserialize(deserializer)
}

fn scalars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    struct Scalar(#[serde(with = "super::positive::text")] Option<String>);
    let list = Option::<Vec<Scalar>>::deserialize(deserializer)?;
    Ok(list.map(|list| list.into_iter().map(|Scalar(text)| text.unwrap_or_default()).collect()))
}
