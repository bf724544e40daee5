//! `features:` — how columns become what a learner sees. All of it goes into the exported model.
//!
//! The steps of a feature always run in the order of the fields here, whatever their order in the file.

use serde::{Deserialize, Serialize};

/// One feature. A feature that bears a column's name replaces what is done with that column by default:
/// numbers as they are, one column for each text, the parts of a date.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Feature {
    /// Column that it starts from; the feature's own name when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Two columns of numbers, the first divided by the second; a result that is not finite is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<[String; 2]>,
    /// Parts of a date, each a feature of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub date: Vec<Part>,
    /// What stands for a missing value: `mean`, `median` or a number; for texts (unseen ones too)
    /// `most_frequent` or a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impute: Option<Impute>,
    /// `sign(x) · ln(1 + |x|)`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
    /// Number of the bucket: of so many of equal share, or between these edges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<Bucket>,
    /// `standard` (mean 0, deviation 1) or `min_max` (0 to 1), by the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// One column for each text, or for each bucket.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub one_hot: bool,
    /// Texts as numbers from 0: in this order, or ascending with `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<Ordinal>,
}

/// A part of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Whole days since 1970-01-01.
    Days,
    /// Year.
    Year,
    /// 1 to 4.
    Quarter,
    /// 1 to 12.
    Month,
    /// 1 to 31.
    Day,
    /// 0 is Monday, 6 is Sunday.
    Weekday,
    /// 0 to 23, UTC.
    Hour,
    /// 0 to 59.
    Minute,
}

impl Part {
    /// As it is written in a pipeline.
    pub fn name(self) -> &'static str {
        match self {
            Part::Days => "days",
            Part::Year => "year",
            Part::Quarter => "quarter",
            Part::Month => "month",
            Part::Day => "day",
            Part::Weekday => "weekday",
            Part::Hour => "hour",
            Part::Minute => "minute",
        }
    }

    /// Whether it needs a time of day.
    pub fn is_time(self) -> bool {
        matches!(self, Part::Hour | Part::Minute)
    }
}

/// What stands for a missing value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Impute {
    /// This number.
    Number(f32),
    /// `mean`, `median`, `most_frequent`, or a text of the column.
    Text(String),
}

/// Where buckets end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bucket {
    /// So many buckets, equal in their share of the training rows.
    Count(usize),
    /// Ascending; a value on an edge belongs to the upper bucket.
    Edges(Vec<f32>),
}

/// How numbers are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Mean 0, standard deviation 1.
    Standard,
    /// From 0 to 1.
    MinMax,
}

/// Texts as numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ordinal {
    /// Ascending by text.
    Ascending(bool),
    /// In this order.
    Order(Vec<String>),
}

impl Feature {
    /// What is wrong with it, whatever the data.
    pub(super) fn check(&self) -> Result<(), String> {
        let text = self.one_hot && self.bucket.is_none() || self.ordinal.is_some();
        let number = self.log || self.bucket.is_some() || self.scale.is_some() || self.ratio.is_some();
        if text && (number || !self.date.is_empty()) {
            return Err("`one_hot` and `ordinal` take texts, the other steps numbers; `bucket` gives both".to_owned());
        }
        if self.one_hot && self.ordinal.is_some() {
            return Err("either `one_hot` or `ordinal`".to_owned());
        }
        if self.one_hot && self.scale.is_some() {
            return Err("either `one_hot` or `scale`".to_owned());
        }
        if self.ratio.is_some() && (self.from.is_some() || !self.date.is_empty()) {
            return Err("`ratio` names its columns itself, so neither `from` nor `date` fits".to_owned());
        }
        if let Some(twice) = self.date.iter().enumerate().find(|(i, part)| self.date[..*i].contains(part)) {
            return Err(format!("date: `{}` stands twice", twice.1.name()));
        }
        if matches!(self.impute, Some(Impute::Number(number)) if !number.is_finite()) {
            return Err("impute: a finite number is needed".to_owned());
        }
        match &self.bucket {
            Some(Bucket::Count(count)) if !(2..=1000).contains(count) => {
                return Err("bucket: a number from 2 to 1000, or a list of edges, is needed".to_owned());
            }
            Some(Bucket::Edges(edges)) => {
                if edges.is_empty() || edges.len() > 1000 || edges.iter().any(|edge| !edge.is_finite()) {
                    return Err("bucket: 1 to 1000 finite edges are needed".to_owned());
                }
                if edges.windows(2).any(|pair| pair[0] >= pair[1]) {
                    return Err("bucket: the edges are not ascending".to_owned());
                }
            }
            _ => {}
        }
        match &self.ordinal {
            Some(Ordinal::Ascending(false)) => Err("ordinal: `true` or a list of texts is needed".to_owned()),
            Some(Ordinal::Order(texts)) if texts.is_empty() => Err("ordinal: the list is empty".to_owned()),
            Some(Ordinal::Order(texts)) => {
                match texts.iter().enumerate().find(|(i, text)| texts[..*i].contains(text)) {
                    Some(_) => Err("ordinal: a text stands twice".to_owned()),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
