//! The grammar of a `filter_string`. Pure.

use super::token::{Token, unquote};
use super::{Comparison, Filter, Operator, Value, invalid};
use crate::error::Result;

/// Most comparisons of a filter.
const COMPARISONS: usize = 200;
/// Most texts in its lists; each is a value of the statement.
const LISTED: usize = 10_000;
/// Deepest nesting.
const DEPTH: usize = 50;

/// The condition that words state; no words are true.
pub fn condition(tokens: &[Token]) -> Result<Filter> {
    let mut parser = Parser { tokens, at: 0, comparisons: 0, listed: 0, depth: 0 };
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
