//! MLflow's `filter_string`, with OR, NOT and parentheses beyond it. Pure.
//!
//! Grammar: `any = all (OR all)*`; `all = term (AND term)*`; `term = NOT term | (any) | comparison`;
//! `comparison = [entity.]key operator value`. As in MLflow 3.17 the key may stand in backticks or double quotes,
//! strings in single or double quotes have no escapes, and an AND too many is overlooked.

use crate::error::{Error, Result};
use crate::fields::Fields;

/// Longest filter, and most comparisons in one.
const LENGTH: usize = 256 << 10;
const COMPARISONS: usize = 200;
/// Most texts in its lists; each is a value of the statement.
const LISTED: usize = 10_000;
/// Deepest nesting.
const DEPTH: usize = 50;

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

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// Identifier or keyword, with the quoted parts unquoted; true when any part was quoted.
    Word(String, bool),
    Text(String),
    Number(f64),
    Symbol(&'static str),
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
    let tokens = tokenize(filter)?;
    let mut parser = Parser { tokens: &tokens, at: 0, comparisons: 0, listed: 0, depth: 0 };
    let filter = if tokens.is_empty() { Filter::All(Vec::new()) } else { parser.any()? };
    match tokens.get(parser.at) {
        None => Ok(filter),
        Some(_) => Err(invalid("comparisons are joined by AND or OR")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    comparisons: usize,
    listed: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Filter> {
        let mut parts = vec![self.all()?];
        while self.keyword("OR") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Any(parts) })
    }

    fn all(&mut self) -> Result<Filter> {
        while self.keyword("AND") {}
        let mut parts = vec![self.term()?];
        while self.keyword("AND") {
            while self.keyword("AND") {}
            if matches!(self.tokens.get(self.at), None | Some(Token::Symbol(")"))) {
                break;
            }
            parts.push(self.term()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
    }

    fn term(&mut self) -> Result<Filter> {
        let (not, open) = (self.keyword("NOT"), self.symbol("("));
        if !not && !open {
            self.comparisons += 1;
            if self.comparisons > COMPARISONS {
                return Err(invalid(&format!("there are more than {COMPARISONS} comparisons")));
            }
            return self.comparison().map(Filter::One);
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(invalid(&format!("it is nested deeper than {DEPTH}")));
        }
        let inner = if open { self.any()? } else { self.term()? };
        if open && !self.symbol(")") {
            return Err(invalid("a parenthesis does not end"));
        }
        self.depth -= 1;
        Ok(if not { Filter::Not(Box::new(inner)) } else { inner })
    }

    fn symbol(&mut self, symbol: &'static str) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

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
            self.listed += 1;
            if self.listed > LISTED {
                return Err(invalid(&format!("its lists have more than {LISTED} values")));
            }
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
