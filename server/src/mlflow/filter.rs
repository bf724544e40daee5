//! MLflow's `filter_string`: comparisons joined by AND, parsed into a list. Pure.
//!
//! Grammar (MLflow 3.17): `comparison (AND comparison)*`; `comparison = [entity.]key operator value`.
//! The key may stand in backticks or double quotes; strings in single or double quotes have no
//! escapes. There is no OR, NOT or parenthesis outside an IN list.

use crate::error::{Error, Result};

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

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// Identifier or keyword, with the quoted parts unquoted; true when any part was quoted.
    Word(String, bool),
    Text(String),
    Number(f64),
    Symbol(&'static str),
}

/// The comparisons of `filter`; none for a blank one.
pub fn parse(filter: &str) -> Result<Vec<Comparison>> {
    let tokens = tokenize(filter)?;
    let mut comparisons = Vec::new();
    let mut parser = Parser { tokens: &tokens, at: 0 };
    while parser.at < tokens.len() {
        if parser.keyword("AND") {
            continue; // also a doubled or trailing one
        }
        if !comparisons.is_empty() && !parser.after_and() {
            return Err(invalid("comparisons are joined by AND; OR, NOT and parentheses are not supported"));
        }
        comparisons.push(parser.comparison()?);
    }
    Ok(comparisons)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<&Token> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found =
            matches!(self.tokens.get(self.at), Some(Token::Word(word, false)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn after_and(&self) -> bool {
        matches!(&self.tokens[self.at - 1], Token::Word(word, false) if word.eq_ignore_ascii_case("AND"))
    }

    fn comparison(&mut self) -> Result<Comparison> {
        let Some(Token::Word(identifier, _)) = self.next().cloned() else {
            return Err(invalid("a comparison starts with a name such as metrics.accuracy"));
        };
        let (entity, key) = match identifier.split_once('.') {
            Some((entity, key)) if !entity.contains(['`', '"']) => (entity.trim().to_lowercase(), unquote(key)),
            _ => (String::new(), unquote(&identifier)),
        };
        if key.is_empty() {
            return Err(invalid("there is no name after the dot"));
        }
        let operator = self.operator(&key)?;
        let value = self.value(operator, &key)?;
        Ok(Comparison { entity, key, operator, value })
    }

    fn operator(&mut self, key: &str) -> Result<Operator> {
        use Operator::*;
        for (keywords, operator) in [
            (&["LIKE"][..], Like),
            (&["ILIKE"], Ilike),
            (&["IN"], In),
            (&["NOT", "IN"], NotIn),
            (&["IS", "NOT", "NULL"], IsNotNull),
            (&["IS", "NULL"], IsNull),
        ] {
            let start = self.at;
            if keywords.iter().all(|keyword| self.keyword(keyword)) {
                return Ok(operator);
            }
            self.at = start;
        }
        match self.next() {
            Some(Token::Symbol("=")) => Ok(Equal),
            Some(Token::Symbol("!=")) => Ok(NotEqual),
            Some(Token::Symbol(">")) => Ok(Greater),
            Some(Token::Symbol(">=")) => Ok(GreaterEqual),
            Some(Token::Symbol("<")) => Ok(Less),
            Some(Token::Symbol("<=")) => Ok(LessEqual),
            _ => Err(invalid(&format!(
                "after '{key}' one of =, !=, >, >=, <, <=, LIKE, ILIKE, IN, NOT IN, IS NULL, IS NOT NULL is expected"
            ))),
        }
    }

    fn value(&mut self, operator: Operator, key: &str) -> Result<Value> {
        match operator {
            Operator::IsNull | Operator::IsNotNull => Ok(Value::None),
            Operator::In | Operator::NotIn => self.list(key).map(Value::List),
            _ => match self.next() {
                Some(Token::Number(number)) => Ok(Value::Number(*number)),
                Some(Token::Text(text)) => Ok(Value::Text(text.clone())),
                // A double-quoted string is an identifier to the tokenizer.
                Some(Token::Word(word, true)) if word.starts_with('"') => Ok(Value::Text(unquote(word))),
                _ => Err(invalid(&format!("the value of '{key}' must be a number or a quoted string"))),
            },
        }
    }

    fn list(&mut self, key: &str) -> Result<Vec<String>> {
        let wrong = || invalid(&format!("'{key}' is followed by a list of quoted strings: ('a', 'b')"));
        if self.next() != Some(&Token::Symbol("(")) {
            return Err(wrong());
        }
        let mut list = Vec::new();
        loop {
            match self.next() {
                Some(Token::Text(text)) => list.push(text.clone()),
                _ => return Err(wrong()),
            }
            match self.next() {
                Some(Token::Symbol(",")) => {}
                Some(Token::Symbol(")")) => return Ok(list),
                _ => return Err(wrong()),
            }
        }
    }
}

fn tokenize(filter: &str) -> Result<Vec<Token>> {
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
            let end = rest[1..].find('\'').ok_or_else(|| invalid("a quoted string does not end"))?;
            tokens.push(Token::Text(rest[1..=end].to_owned()));
            &rest[end + 2..]
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

fn unquote(text: &str) -> String {
    for quote in ['`', '"'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    text.to_owned()
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
        assert_eq!(parse(filter).unwrap(), expected, "{filter}");
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
            "metrics.a = 1 OR metrics.b = 2",
            "(metrics.a = 1)",
            "NOT metrics.a = 1",
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
