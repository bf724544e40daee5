//! MLflow's `filter_string`, with OR, NOT and parentheses beyond it. Pure.
//!
//! Grammar: `any = all (OR all)*`; `all = term (AND term)*`; `term = NOT term | (any) | comparison`;
//! `comparison = [entity.]key operator value`. As in MLflow 3.17 the key may stand in backticks or double quotes,
//! strings in single or double quotes have no escapes, and an AND too many is overlooked.

mod parser;
mod token;

use crate::error::{Error, Result};
use crate::fields::Fields;

/// Longest filter.
const LENGTH: usize = 256 << 10;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them; none is true.
    All(Vec<Filter>),
    /// Any of them.
    Any(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// One comparison.
    One(Comparison),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What stands before the first dot, lower case; empty without a dot.
    pub entity: String,
    /// The rest of the identifier.
    pub key: String,
    /// The operator.
    pub operator: Operator,
    /// The right side.
    pub value: Value,
}

/// Operators, spelled as one would write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Like,
    Ilike,
    In,
    NotIn,
    IsNull,
    IsNotNull,
}

impl Operator {
    /// Spelling in messages and in SQL.
    pub fn name(self) -> &'static str {
        use Operator::*;
        match self {
            Equal => "=",
            NotEqual => "!=",
            Greater => ">",
            GreaterEqual => ">=",
            Less => "<",
            LessEqual => "<=",
            Like => "LIKE",
            Ilike => "ILIKE",
            In => "IN",
            NotIn => "NOT IN",
            IsNull => "IS NULL",
            IsNotNull => "IS NOT NULL",
        }
    }

    /// True for the six that order numbers.
    pub fn is_numeric(self) -> bool {
        use Operator::*;
        matches!(self, Equal | NotEqual | Greater | GreaterEqual | Less | LessEqual)
    }
}

/// The right side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Unquoted number.
    Number(f64),
    /// Quoted string.
    Text(String),
    /// List of strings after IN.
    List(Vec<String>),
    /// Nothing, after IS NULL.
    None,
}

/// The condition of a request's field `filter`.
pub fn of(fields: &Fields) -> Result<Filter> {
    parse(&fields.opt_string("filter")?.unwrap_or_default())
}

/// The condition that `filter` states; a blank one is true.
pub fn parse(filter: &str) -> Result<Filter> {
    if filter.len() > LENGTH {
        return Err(invalid(&format!("it has {} bytes, more than {LENGTH}", filter.len())));
    }
    parser::condition(&token::tokenize(filter)?)
}

pub(crate) fn invalid(what: &str) -> Error {
    Error::invalid(format!("Invalid filter_string: {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(filter: &str, expected: &[(&str, &str, Operator, Value)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(entity, key, operator, value)| Comparison {
                entity: (*entity).to_owned(),
                key: (*key).to_owned(),
                operator: *operator,
                value: value.clone(),
            })
            .collect();
        let found = match parse(filter).unwrap() {
            Filter::All(parts) => parts,
            one => vec![one],
        };
        let expected: Vec<_> = expected.into_iter().map(Filter::One).collect();
        assert_eq!(found, expected, "{filter}");
    }

    /// The filter with every comparison as its key.
    fn structure(filter: &Filter) -> String {
        let list = |parts: &[Filter]| parts.iter().map(structure).collect::<Vec<_>>().join(" ");
        match filter {
            Filter::All(parts) => format!("all({})", list(parts)),
            Filter::Any(parts) => format!("any({})", list(parts)),
            Filter::Not(inner) => format!("not {}", structure(inner)),
            Filter::One(comparison) => comparison.key.clone(),
        }
    }

    #[test]
    fn and_binds_closer_than_or() {
        for (filter, expected) in [
            ("a = 1 OR b = 2 AND c = 3", "any(a all(b c))"),
            ("(a = 1 OR b = 2) and c = 3", "all(any(a b) c)"),
            ("NOT a = 1 AND NOT (b = 1 or not c = 2)", "all(not a not any(b not c))"),
            ("((a = 1))", "a"),
            ("and a = 1 AND", "a"),
            ("a IN ('x') OR (b NOT IN ('y') AND)", "any(a b)"),
            ("", "all()"),
        ] {
            assert_eq!(structure(&parse(filter).unwrap()), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused_quickly() {
        for filter in [
            "a".repeat(1 << 20),
            "(".repeat(100_000),
            "NOT ".repeat(60_000),
            "a = 1 OR ".repeat(300) + "a = 1",
            format!("{}a = 1{}", "(".repeat(51), ")".repeat(51)),
        ] {
            assert!(parse(&filter).is_err(), "{}", &filter[..20]);
        }
    }

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    #[test]
    fn comparisons() {
        use Operator::*;
        check("", &[]);
        check("metrics.rmse < 1", &[("metrics", "rmse", Less, Value::Number(1.0))]);
        check("metrics.rmse<=-1e-3", &[("metrics", "rmse", LessEqual, Value::Number(-1e-3))]);
        check("metric.x > .5 and", &[("metric", "x", Greater, Value::Number(0.5))]);
        check("metrics.1st = 2", &[("metrics", "1st", Equal, Value::Number(2.0))]);
        check("tags.mlflow.source.name = 'a.py'", &[("tags", "mlflow.source.name", Equal, text("a.py"))]);
        check("params.`a-b c` != \"x\"", &[("params", "a-b c", NotEqual, text("x"))]);
        check("params.\"a b\" LIKE '%x_'", &[("params", "a b", Like, text("%x_"))]);
        check("params.a = 'it''s'", &[("params", "a", Equal, text("it''s"))]);
        check("params.a = ''", &[("params", "a", Equal, text(""))]);
        check("`Run name` ilike 'A%'", &[("", "Run name", Ilike, text("A%"))]);
    }

    #[test]
    fn conjunctions_lists_and_nulls() {
        use Operator::*;
        check(
            "attributes.run_id IN ('a','b') AND AND params.p IS NOT NULL and status='FINISHED'",
            &[
                ("attributes", "run_id", In, Value::List(vec!["a".into(), "b".into()])),
                ("params", "p", IsNotNull, Value::None),
                ("", "status", Equal, text("FINISHED")),
            ],
        );
        check("tags.t IS NULL", &[("tags", "t", IsNull, Value::None)]);
        check("run_id NOT IN ('a')", &[("", "run_id", NotIn, Value::List(vec!["a".into()]))]);
    }

    #[test]
    fn refused() {
        for filter in [
            "metrics.a-b = 1",
            "metrics.a = 1 OR",
            "metrics.a = 1 metrics.b = 2",
            "(metrics.a = 1",
            "metrics.a = 1)",
            "NOT",
            "()",
            "metrics.a == 1",
            "metrics.a <> 1",
            "params.a RLIKE 'x'",
            "metrics.a > ",
            "metrics. > 1",
            "1 < metrics.a",
            "params.a = x",
            "params.a = 'x",
            "run_id IN ()",
            "run_id IN ('a'",
            "metrics.a = 1; metrics.b = 2",
            "metrics.a BETWEEN 1 AND 2",
        ] {
            let error = parse(filter).unwrap_err().to_string();
            assert!(error.starts_with("Invalid filter_string: "), "{filter}: {error}");
        }
    }
}
