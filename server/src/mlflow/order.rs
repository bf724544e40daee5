//! MLflow's `order_by`: `key [ASC|DESC]`, one key an entry. Pure.

use crate::error::{Error, Result};

/// Most keys of an ordering; each may be a join.
const MOST: usize = 30;

/// One key of an ordering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What stands before the first dot, lower case; empty without a dot.
    pub entity: String,
    /// The rest.
    pub key: String,
    /// False for DESC.
    pub ascending: bool,
}

/// Reads one entry.
pub fn parse(entry: &str) -> Result<Order> {
    let entry = entry.trim();
    let (name, ascending) = match entry.rsplit_once(char::is_whitespace) {
        Some((name, word)) if word.eq_ignore_ascii_case("desc") => (name.trim(), false),
        Some((name, word)) if word.eq_ignore_ascii_case("asc") => (name.trim(), true),
        _ => (entry, true),
    };
    let (entity, key) = match name.split_once('.') {
        Some((entity, key)) if !entity.contains(['`', '"']) => (entity.trim().to_lowercase(), key),
        _ => (String::new(), name),
    };
    let quoted = ['`', '"'].iter().find_map(|quote| key.strip_prefix(*quote)?.strip_suffix(*quote));
    let plain = !key.contains([',', '`', '"', '\'', ';'])
        && (!key.contains(char::is_whitespace) || key.eq_ignore_ascii_case("run name"));
    match quoted {
        Some(key) if !key.is_empty() => Ok(Order { entity, key: key.to_owned(), ascending }),
        None if plain && !key.is_empty() => Ok(Order { entity, key: key.to_owned(), ascending }),
        _ => Err(Error::invalid("Invalid order_by clause: each entry is one key with an optional ASC or DESC.")),
    }
}

/// Reads all entries; a key given twice is an error.
pub fn parse_all(entries: &[String]) -> Result<Vec<Order>> {
    if entries.len() > MOST {
        return Err(Error::invalid(format!("Invalid order_by clause: it has more than {MOST} entries.")));
    }
    let mut orders: Vec<Order> = Vec::new();
    for entry in entries {
        let order = parse(entry)?;
        if orders.iter().any(|other| other.entity == order.entity && other.key == order.key) {
            return Err(Error::invalid("`order_by` contains duplicate fields."));
        }
        orders.push(order);
    }
    Ok(orders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        let check = |entry: &str, entity: &str, key: &str, ascending: bool| {
            let expected = Order { entity: entity.to_owned(), key: key.to_owned(), ascending };
            assert_eq!(parse(entry).unwrap(), expected, "{entry}");
        };
        check("metrics.rmse DESC", "metrics", "rmse", false);
        check("metrics.`a b` asc", "metrics", "a b", true);
        check("start_time", "", "start_time", true);
        check("tags.mlflow.runName desc", "tags", "mlflow.runName", false);
        for wrong in ["", "a, b", "metrics.", "a b c"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
