//! The fields of a request as MLflow's protobuf JSON has them: from the query string of a GET, else from the JSON body.
//!
//! Both spellings of a name (`run_id`, `runId`) are read, integers may be strings, `null` is
//! absent, unknown fields are ignored.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, header};
use serde_json::{Map, Value};

use crate::app::App;
use crate::body;
use crate::error::{Error, Result};

/// The fields of one request, or of one object inside it.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    map: Map<String, Value>,
    /// What stands before a name in messages: `metrics[0].` inside a list.
    path: String,
    /// From a query string, where a list of one is a plain value.
    query: bool,
}

impl FromRequest<App> for Fields {
    type Rejection = Error;

    async fn from_request(mut request: Request, app: &App) -> Result<Fields> {
        match request.extensions_mut().remove() {
            Some(fields) => Ok(fields),
            None => Ok(Fields::read(request, app.config.json_bytes_max).await?.0),
        }
    }
}

impl Fields {
    /// The fields of a request, and the rest of it. Whoever reads them before the handler leaves them in the request's
    /// extensions, so that both see the same.
    pub async fn read(mut request: Request, most: usize) -> Result<(Fields, Request)> {
        if request.method() == Method::GET {
            return Ok((Fields::from_query(request.uri().query().unwrap_or_default()), request));
        }
        let body = std::mem::take(request.body_mut());
        let body = Fields::body(request.method(), request.headers(), body, most).await?;
        Ok((Fields::from_json(&body)?, request))
    }

    /// The body of a request that must be JSON.
    pub async fn body(method: &Method, headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes> {
        let json = headers
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json"));
        if !json && [Method::POST, Method::PUT].contains(method) {
            return Err(Error::invalid("Bad Request. Content-Type must be one of ['application/json']."));
        }
        body::read(body, most).await
    }

    /// Of an object that came in an answer; none of anything else.
    pub fn of(value: &Value) -> Fields {
        Fields { map: value.as_object().cloned().unwrap_or_default(), ..Fields::default() }
    }

    /// From `a=1&b=2&b=3`: repeated keys become a list.
    pub fn from_query(query: &str) -> Fields {
        let mut map = Map::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = Value::String(decode(value));
            match map.entry(decode(key)) {
                serde_json::map::Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                serde_json::map::Entry::Occupied(mut entry) => match entry.get_mut() {
                    Value::Array(list) => list.push(value),
                    first => *first = Value::Array(vec![first.take(), value]),
                },
            }
        }
        Fields { map, query: true, ..Fields::default() }
    }

    /// From a body; an empty one has no fields, and a JSON string is read as the JSON in it.
    pub fn from_json(body: &[u8]) -> Result<Fields> {
        if body.is_empty() {
            return Ok(Fields::default());
        }
        let malformed = |error: serde_json::Error| {
            Error::bad_request(format!("The body is not JSON: line {}, column {}.", error.line(), error.column()))
        };
        let value = match serde_json::from_slice(body).map_err(malformed)? {
            Value::String(text) => serde_json::from_str(&text).map_err(malformed)?,
            value => value,
        };
        match value {
            Value::Object(map) => Ok(Fields { map, ..Fields::default() }),
            Value::Null => Ok(Fields::default()),
            _ => Err(Error::bad_request("The body must be a JSON object.")),
        }
    }

    /// The value of `name` in either spelling.
    pub fn get(&self, name: &str) -> Result<Option<&Value>> {
        let present = |value: &&Value| !value.is_null();
        let snake = self.map.get(name).filter(present);
        if !name.contains('_') {
            return Ok(snake);
        }
        let camel_name = camel(name);
        let camel = self.map.get(&camel_name).filter(present);
        match (snake, camel) {
            (Some(_), Some(_)) => Err(Error::invalid(format!(
                "Request specifies both '{name}' and '{camel_name}'; provide only one of them."
            ))),
            (a, b) => Ok(a.or(b)),
        }
    }

    /// A string, absent or empty being an error.
    pub fn string(&self, name: &str) -> Result<String> {
        self.opt_string(name)?.filter(|text| !text.is_empty()).ok_or_else(|| self.required(name))
    }

    /// A string that may be absent.
    pub fn opt_string(&self, name: &str) -> Result<Option<String>> {
        match self.get(name)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    /// An integer, as a number or as a string.
    pub fn opt_int(&self, name: &str) -> Result<Option<i64>> {
        let Some(value) = self.get(name)? else { return Ok(None) };
        let int = match value {
            Value::Number(number) => number
                .as_i64()
                .or_else(|| number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e18).map(|f| f as i64)),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        int.map(Some).ok_or_else(|| self.wrong(name, value))
    }

    /// An integer that must be given.
    pub fn int(&self, name: &str) -> Result<i64> {
        self.opt_int(name)?.ok_or_else(|| self.required(name))
    }

    /// A number; the strings `NaN`, `Infinity` and `-Infinity` are numbers, infinities become the greatest finite ones.
    pub fn number(&self, name: &str) -> Result<f64> {
        let value = self.get(name)?.ok_or_else(|| self.required(name))?;
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => match text.as_str() {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::MAX),
                "-Infinity" => Some(f64::MIN),
                other => other.parse().ok(),
            },
            _ => None,
        };
        let number = number.ok_or_else(|| self.wrong(name, value))?;
        Ok(if number.is_nan() { number } else { number.clamp(f64::MIN, f64::MAX) })
    }

    /// A boolean that may be absent; in a query string as Python writes it, too.
    pub fn opt_bool(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name)? {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(Value::String(text)) if ["true", "True"].contains(&text.as_str()) => Ok(Some(true)),
            Some(Value::String(text)) if ["false", "False"].contains(&text.as_str()) => Ok(Some(false)),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    /// A list of strings; one value of a query string is a list of one.
    pub fn strings(&self, name: &str) -> Result<Vec<String>> {
        match self.get(name)? {
            None => Ok(Vec::new()),
            Some(Value::String(text)) if self.query => Ok(vec![text.clone()]),
            Some(Value::Array(list)) if list.len() > LONGEST => Err(self.too_long(name, LONGEST)),
            Some(value @ Value::Array(list)) => list
                .iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text.clone()),
                    _ => Err(self.wrong(name, value)),
                })
                .collect(),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    /// A list of objects.
    pub fn objects(&self, name: &str) -> Result<Vec<Fields>> {
        match self.get(name)? {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) if list.len() > 2 * LONGEST => Err(self.too_long(name, 2 * LONGEST)),
            Some(value @ Value::Array(list)) => list
                .iter()
                .enumerate()
                .map(|(i, item)| {
                    let map = item.as_object().cloned().ok_or_else(|| self.wrong(name, value))?;
                    Ok(Fields { map, path: format!("{}{name}[{i}].", self.path), query: false })
                })
                .collect(),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    /// An object that must be given.
    pub fn object(&self, name: &str) -> Result<Fields> {
        match self.get(name)? {
            None => Err(self.required(name)),
            Some(Value::Object(map)) => {
                Ok(Fields { map: map.clone(), path: format!("{}{name}.", self.path), query: false })
            }
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    /// A list of `{key, value}`. Keys must be given; values may be empty.
    pub fn pairs(&self, name: &str) -> Result<Vec<(String, String)>> {
        self.objects(name)?
            .iter()
            .map(|pair| Ok((pair.string("key")?, pair.opt_string("value")?.unwrap_or_default())))
            .collect()
    }

    /// A map of texts; none when it is absent.
    pub fn map(&self, name: &str) -> Result<Vec<(String, String)>> {
        match self.get(name)? {
            None => Ok(Vec::new()),
            Some(whole @ Value::Object(map)) => map
                .iter()
                .map(|(key, value)| match value {
                    Value::String(text) => Ok((key.clone(), text.clone())),
                    _ => Err(self.wrong(name, whole)),
                })
                .collect(),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    /// Where `name` stands in the request, for messages: `metrics[0].key`.
    pub fn at(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    /// MLflow's text for a parameter that is not there.
    pub fn required(&self, name: &str) -> Error {
        Error::invalid(format!("Missing value for required parameter '{}'. {DOCS}", self.at(name)))
    }

    fn too_long(&self, name: &str, most: usize) -> Error {
        let name = self.at(name);
        Error::invalid(format!("Parameter '{name}' has more than {most} entries. {DOCS}"))
    }

    /// MLflow's text for a parameter of the wrong type.
    pub fn wrong(&self, name: &str, value: &Value) -> Error {
        let kind = match value {
            Value::Null => "NoneType",
            Value::Bool(_) => "bool",
            Value::Number(number) if number.is_f64() => "float",
            Value::Number(_) => "int",
            Value::String(_) => "str",
            Value::Array(_) => "list",
            Value::Object(_) => "dict",
        };
        let name = self.at(name);
        let shown = shown(value);
        Error::invalid(format!(
            "Invalid value {shown} for parameter '{name}' supplied:  Hint: Value was of type '{kind}'. {DOCS}"
        ))
    }
}

/// Most entries of a list of texts, and half of those of a list of objects: one SQL statement takes them all, and SQLite
/// no more than 32,766 values.
const LONGEST: usize = 10_000;

/// End of MLflow's texts about parameters.
const DOCS: &str = "See the API docs for more information about request parameters.";

/// Longest value that a message repeats.
const SHOWN: usize = 300;

/// A value as MLflow's messages spell it; a long one is left out.
pub fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > SHOWN { "…".to_owned() } else { text }
}

fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                camel.extend(c.to_uppercase());
                upper = false;
            }
            c => camel.push(c),
        }
    }
    camel
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_numbers_as_strings_and_null() {
        let fields = Fields::from_json(br#"{"runId": "a", "step": "3", "end_time": null, "value": "NaN"}"#).unwrap();
        assert_eq!(fields.string("run_id").unwrap(), "a");
        assert_eq!(fields.opt_int("step").unwrap(), Some(3));
        assert_eq!(fields.opt_int("end_time").unwrap(), None);
        assert!(fields.number("value").unwrap().is_nan());
        let both = Fields::from_json(br#"{"runId": "a", "run_id": "a"}"#).unwrap();
        assert!(both.string("run_id").is_err());
    }

    #[test]
    fn faults_name_the_parameter_and_keep_the_value() {
        let check = |body: &str, expected: &str| {
            let fields = Fields::from_json(body.as_bytes());
            assert_eq!(fields.and_then(|f| f.string("name")).unwrap_err().to_string(), expected);
        };
        let hint = "See the API docs for more information about request parameters.";
        check("{}", &format!("Missing value for required parameter 'name'. {hint}"));
        let text = format!("Invalid value 7 for parameter 'name' supplied:  Hint: Value was of type 'int'. {hint}");
        check(r#"{"name": 7}"#, &text);
        check("{\"name\": NaN}", "The body is not JSON: line 1, column 10.");
        check("[1]", "The body must be a JSON object.");
    }

    #[test]
    fn a_query_string_repeats_keys_for_lists() {
        let fields = Fields::from_query("run_ids=a&run_ids=b%20c&x=1+2");
        assert_eq!(fields.strings("run_ids").unwrap(), ["a", "b c"]);
        assert_eq!(fields.strings("x").unwrap(), ["1 2"]);
        assert!(Fields::from_json(br#"{"x": "a"}"#).unwrap().strings("x").is_err());
    }
}
