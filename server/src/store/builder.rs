//! Statements put together at run time.

use std::fmt::{Display, Write};

use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::query::{Query, QueryAs};
use super::row::FromRow;
use super::value::Value;

/// A statement under construction. Only our own text is pushed; what comes from outside is bound, as `?` until it is known
/// which database asks: SQLite looks for the name of `$600` among all others, for each value anew.
pub struct QueryBuilder {
    text: String,
    values: Vec<Value>,
}

impl<T: Into<String>> From<T> for QueryBuilder {
    fn from(text: T) -> QueryBuilder {
        QueryBuilder::new(text)
    }
}

impl QueryBuilder {
    /// Begins with `text`.
    pub fn new(text: impl Into<String>) -> QueryBuilder {
        QueryBuilder { text: text.into(), values: Vec::new() }
    }

    /// Adds text.
    pub fn push(&mut self, text: impl Display) -> &mut QueryBuilder {
        write!(self.text, "{text}").ok(); // a String takes everything
        self
    }

    /// Adds the next `?` and its value.
    pub fn push_bind(&mut self, value: impl Into<Value>) -> &mut QueryBuilder {
        self.values.push(value.into());
        self.text.push('?');
        self
    }

    /// ` IN` these ids. However many they are, the text is the same.
    pub fn push_in(&mut self, ids: Vec<i64>) -> &mut QueryBuilder {
        self.values.push(Value::Ids(ids));
        self.push(" IN rarray(?)")
    }

    /// Adds another statement's text and values.
    pub fn append(&mut self, other: QueryBuilder) -> &mut QueryBuilder {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
        self
    }

    /// Adds what follows with `separator` between.
    pub fn separated(&mut self, separator: &'static str) -> Separated<'_> {
        Separated { builder: self, separator, first: true }
    }

    /// What was written until now.
    #[cfg(test)]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The statement, of which nobody reads rows.
    pub fn build(self) -> Query {
        Query::built(AssertSqlSafe(self.text).into_sql_str(), self.values)
    }

    /// The statement, which answers with rows.
    pub fn build_as<T: FromRow>(self) -> QueryAs<T> {
        self.build().answering()
    }
}

/// Writes a list.
pub struct Separated<'b> {
    builder: &'b mut QueryBuilder,
    separator: &'static str,
    first: bool,
}

impl Separated<'_> {
    /// Adds the next `?` and its value.
    pub fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.between().push_bind(value);
        self
    }

    fn between(&mut self) -> &mut QueryBuilder {
        if !std::mem::take(&mut self.first) {
            self.builder.push(self.separator);
        }
        self.builder
    }
}
