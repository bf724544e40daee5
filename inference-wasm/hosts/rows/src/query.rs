//! `?alcohol=9.4&color=red`: one row from a query string, for hosts that answer a GET.

use std::collections::HashMap;

use contract::{Datatype, Fault, Loc, Manifest};
use serde_json::{Map, Number, Value};

use crate::Batch;
use crate::records::Request;

/// Reads one row. Names and values are percent-encoded, `+` is a space. A value is written as in
/// JSON, but strings stand without quotes; an empty one is missing. On an error: every fault, at
/// `["query", feature]`.
pub fn read(manifest: &Manifest, query: &str) -> Result<Batch, Vec<Fault>> {
    let inputs = manifest.inputs.iter();
    let types: HashMap<String, Datatype> =
        inputs.flat_map(|spec| spec.element_names().into_iter().map(|name| (name, spec.datatype))).collect();
    let mut record = Map::new();
    let mut faults = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(text)) = (decode(name), decode(text)) else {
            let text = "Names and values should be percent-encoded UTF-8";
            faults.push(Fault::new("string_unicode", vec!["query".into()], text));
            continue;
        };
        let value = value(types.get(&name).copied().unwrap_or(Datatype::Bytes), text); // a stranger is refused below
        if record.insert(name.clone(), value).is_some() {
            let loc = vec!["query".into(), Loc::Name(name)];
            faults.push(Fault::new("duplicate", loc, "This feature stands twice"));
        }
    }
    match Request::read(manifest, Value::Object(record)) {
        Ok(request) if faults.is_empty() => Ok(request.batch),
        read => {
            faults.extend(read.err().into_iter().flatten().map(|mut fault| {
                fault.loc[0] = "query".into();
                fault
            }));
            Err(faults)
        }
    }
}

/// The text as the JSON value that a body would hold. What is not one stays a string, which the
/// record's reader refuses in its own words.
fn value(datatype: Datatype, text: String) -> Value {
    match (datatype, text.as_str()) {
        (_, "") => Value::Null,
        (Datatype::Bytes, _) => Value::String(text),
        (Datatype::Bool, "true" | "false") => Value::Bool(text == "true"),
        (Datatype::Bool, _) => Value::String(text),
        _ => serde_json::from_str::<Number>(&text).map_or(Value::String(text), Value::Number),
    }
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                (digit(rest.next())? << 4 | digit(rest.next())?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use contract::TensorSpec;
    use contract::manifest::VERSION;

    use super::*;

    fn manifest() -> Manifest {
        let spec = |name: &str, datatype, strings: Option<&[&str]>| TensorSpec {
            strings: strings.map(|list| list.iter().map(|text| (*text).to_owned()).collect()),
            ..serde_json::from_value(
                serde_json::json!({"name": name, "datatype": datatype, "shape": [-1, 1], "offset": 0}),
            )
            .unwrap()
        };
        let inputs = vec![
            spec("fixed acidity", "FP32", None),
            spec("color", "BYTES", Some(&["red", "new & old"])),
            spec("member", "BOOL", None),
        ];
        serde_json::from_value(serde_json::json!({
            "version": VERSION, "compiler": "", "onnx_sha256": "", "opset": {}, "rows_max": 1,
            "inputs": inputs, "outputs": [], "cost": {"flops_per_row": 0, "memory_bytes": 0, "code_bytes": 0, "data_bytes": 0},
        }))
        .unwrap()
    }

    fn check(query: &str, expected: Result<[&[u8]; 3], &str>) {
        let read = read(&manifest(), query).map(|batch| batch.inputs);
        let expected = expected.map(|regions| regions.iter().map(|region| region.to_vec()).collect());
        let words = |faults: Vec<Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert_eq!(read.map_err(words), expected.map_err(str::to_owned), "{query}");
    }

    #[test]
    fn a_row_from_a_query() {
        let half = 0.5f32.to_le_bytes();
        check("fixed+acidity=0.5&color=new%20%26+old&member=true", Ok([&half, &[1, 0, 0, 0], &[1]]));
        let nan = f32::NAN.to_le_bytes();
        check("fixed%20acidity=&color=&member=false", Ok([&nan, &(-2i32).to_le_bytes(), &[0]]));
        check("&fixed%20acidity=5e-1&color=7&member=false&", Ok([&half, &(-1i32).to_le_bytes(), &[0]]));
    }

    #[test]
    fn every_fault_is_listed_and_no_value_is_repeated() {
        check(
            "fixed+acidity=secret&size=3&member=1",
            Err("query.fixed acidity: Input should be a valid number; query.color: Field required; \
                 query.member: Input should be a valid boolean; query.size: Extra inputs are not permitted"),
        );
        check("fixed+acidity=1&color=red&color=red&member=true", Err("query.color: This feature stands twice"));
        check(
            "fixed+acidity=1&color=%ff&member=true",
            Err("query: Names and values should be percent-encoded UTF-8; query.color: Field required"),
        );
        check(
            "fixed+acidity=1e39&color=red&member=%2",
            Err("query: Names and values should be percent-encoded UTF-8; \
            query.fixed acidity: Input should be a finite number; query.member: Field required"),
        );
    }
}
