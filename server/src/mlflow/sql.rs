//! Conditions of searches in SQL, shared by all entities.

use crate::error::{Error, Result};
use crate::mlflow::filter::{Comparison, Operator, Value, invalid};
use crate::store::QueryBuilder;

/// A query under construction.
pub type Query = QueryBuilder;

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
pub fn number(query: &mut Query, column: &str, comparison: &Comparison) -> Result<()> {
    let value = numeric(comparison)?;
    query.push(column).push(" ").push(comparison.operator.name()).push(" ").push_bind(value);
    Ok(())
}

/// The number on the right side, when operator and value are numeric.
pub fn numeric(comparison: &Comparison) -> Result<f64> {
    match comparison.value {
        Value::Number(value) if comparison.operator.is_numeric() => Ok(value),
        _ if !comparison.operator.is_numeric() => Err(comparator(comparison)),
        _ => Err(invalid(&format!("'{}' is compared with a number without quotes", comparison.key))),
    }
}

/// `EXISTS` for a key-value table: `from` names table and link (`tags t WHERE t.run = r.id`), columns `t.key`, `t.value`.
pub fn key_value(query: &mut Query, from: &str, comparison: &Comparison) -> Result<()> {
    if comparison.operator == Operator::IsNull {
        query.push("NOT ");
    }
    query.push("EXISTS (SELECT 1 FROM ").push(from).push(" AND t.key = ").push_bind(comparison.key.clone());
    if !matches!(comparison.operator, Operator::IsNull | Operator::IsNotNull) {
        query.push(" AND ");
        text(query, "t.value", comparison, false)?;
    }
    query.push(")");
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
