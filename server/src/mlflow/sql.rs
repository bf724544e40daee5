//! Conditions of searches in SQL, shared by all entities.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::mlflow::filter::{Comparison, Filter, Operator, Value, invalid};
use crate::store::{self, QueryBuilder};

/// A query under construction.
pub type Query = QueryBuilder;

/// `filter`, each comparison written by `one`. What NOT turns round is what is not true, a missing value included.
pub fn filter<F>(query: &mut Query, filter: &Filter, one: &mut F) -> Result<()>
where
    F: FnMut(&mut Query, &Comparison) -> Result<()>,
{
    let (parts, between) = match filter {
        Filter::One(comparison) => return one(query, comparison),
        Filter::Not(inner) => {
            query.push("NOT coalesce((");
            self::filter(query, inner, one)?;
            query.push("), FALSE)");
            return Ok(());
        }
        Filter::All(parts) if parts.is_empty() => {
            query.push("TRUE");
            return Ok(());
        }
        Filter::All(parts) => (parts, " AND "),
        Filter::Any(parts) => (parts, " OR "),
    };
    for (i, part) in parts.iter().enumerate() {
        query.push(if i == 0 { "((" } else { between }).push(if i == 0 { "" } else { "(" });
        self::filter(query, part, one)?;
        query.push(")");
    }
    query.push(")");
    Ok(())
}

/// `column` is one of `values`; of none of them when there are none.
pub fn among<V>(query: &mut Query, column: &str, values: &BTreeSet<V>)
where
    for<'v> &'v V: Into<store::Value>,
{
    if values.is_empty() {
        query.push("FALSE");
        return;
    }
    query.push(column).push(" IN (");
    let mut separated = query.separated(", ");
    for value in values {
        separated.push_bind(value);
    }
    query.push(")");
}

/// `column operator value` for strings. IN only where `lists`.
pub fn text(query: &mut Query, column: &str, comparison: &Comparison, lists: bool) -> Result<()> {
    match (&comparison.value, comparison.operator) {
        (Value::Text(value), Operator::Equal | Operator::NotEqual) => {
            query.push(column).push(" ").push(comparison.operator.name()).push(" ").push_bind(value);
        }
        (Value::Text(value), Operator::Like) => {
            query.push(column);
            like(query, value);
        }
        (Value::Text(value), Operator::Ilike) => {
            query.push("lower(").push(column).push(")");
            like(query, &value.to_ascii_lowercase());
        }
        (Value::List(values), Operator::In | Operator::NotIn) if lists => {
            query.push(column).push(" ").push(comparison.operator.name()).push(" (");
            let mut separated = query.separated(", ");
            for value in values {
                separated.push_bind(value.clone());
            }
            query.push(")");
        }
        (Value::Number(_), _) => {
            return Err(invalid(&format!("'{}' is compared with a quoted string", comparison.key)));
        }
        _ => return Err(comparator(comparison)),
    }
    Ok(())
}

/// `LIKE pattern`. A backslash is only a backslash: MLflow has no escapes.
fn like(query: &mut Query, pattern: &str) {
    query.push(" LIKE ").push_bind(pattern.replace('\\', r"\\"));
    if pattern.contains('\\') {
        query.push(r" ESCAPE '\'");
    }
}

/// `column operator value` for numbers.
pub fn number(query: &mut Query, column: &str, comparison: &Comparison, quoted: bool) -> Result<()> {
    let value = numeric(comparison, quoted)?;
    query.push(column).push(" ").push(comparison.operator.name()).push(" ").push_bind(value);
    Ok(())
}

/// The number on the right side, when operator and value are numeric; in quotes only where `quoted`.
pub fn numeric(comparison: &Comparison, quoted: bool) -> Result<f64> {
    match comparison.value {
        Value::Number(value) if comparison.operator.is_numeric() => Ok(value),
        Value::Text(ref text) if comparison.operator.is_numeric() && quoted => {
            text.parse().map_err(|_| invalid(&format!("'{}' is compared with a number", comparison.key)))
        }
        _ if !comparison.operator.is_numeric() => Err(comparator(comparison)),
        _ => Err(invalid(&format!("'{}' is compared with a number without quotes", comparison.key))),
    }
}

/// A comparison in a key-value table: `from` names table and link (`tags t WHERE t.run = r.id`), columns `t.key`, `t.value`.
pub fn key_value(query: &mut Query, from: &str, comparison: &Comparison) -> Result<()> {
    query.push("(SELECT 1 FROM ").push(from).push(" AND t.key = ").push_bind(comparison.key.clone());
    if !matches!(comparison.operator, Operator::IsNull | Operator::IsNotNull) {
        query.push(" AND ");
        text(query, "t.value", comparison, false)?;
    }
    // Not as EXISTS, which both databases would turn into a join, and place it where they think best.
    query.push(if comparison.operator == Operator::IsNull { ") IS NULL" } else { ") = 1" });
    Ok(())
}

/// Nobody has this attribute.
pub fn unknown_key(comparison: &Comparison) -> Error {
    invalid(&format!("attribute '{}' cannot be searched by", comparison.key))
}

/// Nobody has this entity.
pub fn unknown_entity(comparison: &Comparison) -> Error {
    invalid(&format!("'{}' is no kind of thing to search by", comparison.entity))
}

fn comparator(comparison: &Comparison) -> Error {
    invalid(&format!("operator {} cannot be used with '{}'", comparison.operator.name(), comparison.key))
}
