//! Rewrites the file so that no string tensor remains: a string becomes its INT32 id in a vocabulary.
//!
//! Strings that operators bring together (Concat, Where, Equal, …) share one vocabulary. A string
//! that the model never mentions has the id −1, a missing one −2; both equal nothing in the model.
//! Attributes of strings become attributes of ids: `cats_strings` is `cats_ids`, and so on.

use std::collections::BTreeMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, type_proto};

use super::attributes::{Attributes, int, integers, ints};
use super::vocabulary::Vocabularies;
use crate::Error;
use crate::support::place;

const STRING: i32 = DataType::String as i32;
const INT32: i32 = DataType::Int32 as i32;

/// What LabelEncoder answers for an unknown key when the file does not say (ONNX specification).
const UNUSED: &str = "_Unused";

/// Rewrites the graph; the answer gives the strings by id of each input and output that was made of strings.
pub fn destring(graph: &mut GraphProto) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut vocabularies = group(graph)?;
    for initializer in graph.initializer.iter_mut().filter(|i| i.data_type == STRING) {
        let name = initializer.name.clone();
        tensor(initializer, &name, &mut vocabularies)?;
    }
    for node in &mut graph.node {
        rewrite(node, &mut vocabularies)?;
    }
    for value in graph.input.iter_mut().chain(&mut graph.output) {
        if let Some(type_proto::Value::TensorType(ty)) = value.r#type.as_mut().and_then(|t| t.value.as_mut())
            && ty.elem_type == STRING
        {
            ty.elem_type = INT32;
        }
    }
    let outside = graph.input.iter().chain(&graph.output);
    Ok(outside.filter_map(|v| vocabularies.strings(&v.name).map(|s| (v.name.clone(), s))).collect())
}

/// Finds the string values and joins those that meet in an operator.
fn group(graph: &GraphProto) -> Result<Vocabularies, Error> {
    let mut v = Vocabularies::default();
    for initializer in graph.initializer.iter().filter(|i| i.data_type == STRING) {
        v.add(&initializer.name);
    }
    for input in &graph.input {
        if let Some(type_proto::Value::TensorType(ty)) = input.r#type.as_ref().and_then(|t| t.value.as_ref())
            && ty.elem_type == STRING
        {
            v.add(&input.name);
        }
    }
    for node in &graph.node {
        node_group(node, &mut v)?;
    }
    Ok(v)
}

fn node_group(node: &NodeProto, v: &mut Vocabularies) -> Result<(), Error> {
    let from = node.input.first().map_or("", String::as_str);
    let to = node.output.first().map_or("", String::as_str);
    let fed = node.input.iter().any(|i| v.has(i));
    let refuse = |what: &str, help: &str| Err(Error::unsupported(place(node), what, help));
    let compared = match &*node.op_type {
        "Concat" | "Equal" => &node.input[..],
        "Where" => node.input.get(1..).unwrap_or_default(),
        _ => &[],
    };
    if compared.iter().any(|i| v.has(i)) && !compared.iter().all(|i| v.has(i)) {
        return Err(Error::invalid(place(node), "brings strings together with numbers"));
    }
    match &*node.op_type {
        "Constant" => {
            let tensor = node.tensor("value").is_some_and(|t| t.data_type == STRING);
            if tensor || node.find("value_string").is_some() || node.find("value_strings").is_some() {
                v.add(to);
            }
        }
        "Cast" => match (node.int("to", 0) == i64::from(STRING), v.has(from)) {
            (true, true) => v.join(from, to),
            (true, false) => {
                return refuse("a cast of numbers to strings", "keep labels as integers, or as strings throughout");
            }
            (false, true) => {
                return refuse("a cast of strings to numbers", "feed numbers, or map them with a LabelEncoder");
            }
            (false, false) => {}
        },
        "LinearClassifier" | "SVMClassifier" | "TreeEnsembleClassifier"
            if !node.strings("classlabels_strings").is_empty() =>
        {
            v.add(to);
        }
        "LabelEncoder" | "CategoryMapper" => {
            let (keys, values) = sides(node, v.has(from));
            if keys != v.has(from) {
                return Err(Error::invalid(place(node), "has keys that are not of its input's type"));
            }
            if values {
                v.add(to);
            }
        }
        "Concat" if fed => node.input.iter().for_each(|i| v.join(i, to)),
        "Where" if fed => node.input.iter().skip(1).for_each(|i| v.join(i, to)),
        "Equal" if fed => {
            if let [a, b] = &node.input[..] {
                v.join(a, b);
            }
        }
        "Split" if fed => node.output.iter().for_each(|o| v.join(from, o)),
        "Identity"
        | "Reshape"
        | "Flatten"
        | "Squeeze"
        | "Unsqueeze"
        | "Transpose"
        | "Slice"
        | "Expand"
        | "Dropout"
        | "Gather"
        | "ArrayFeatureExtractor"
            if v.has(from) =>
        {
            v.join(from, to);
        }
        "OneHotEncoder" if node.strings("cats_strings").is_empty() == fed => {
            return Err(Error::invalid(place(node), "has categories that are not of its input's type"));
        }
        "OneHotEncoder" | "Shape" => {}
        _ if fed => {
            return refuse(
                "strings as operands of this operator",
                "encode categories with OneHotEncoder or LabelEncoder",
            );
        }
        _ => {}
    }
    Ok(())
}

/// Whether keys and values of a LabelEncoder or CategoryMapper are strings.
fn sides(node: &NodeProto, fed: bool) -> (bool, bool) {
    let of_strings = |name: &str| node.tensor(name).is_some_and(|t| t.data_type == STRING);
    if node.op_type == "CategoryMapper" || !node.strings("classes_strings").is_empty() {
        return (fed, !fed);
    }
    let keys = !node.strings("keys_strings").is_empty() || of_strings("keys_tensor");
    let values = !node.strings("values_strings").is_empty() || of_strings("values_tensor");
    (keys, values)
}

fn rewrite(node: &mut NodeProto, v: &mut Vocabularies) -> Result<(), Error> {
    let at = place(node);
    let from = node.input.first().cloned().unwrap_or_default();
    let to = node.output.first().cloned().unwrap_or_default();
    let ids = |node: &NodeProto, attribute: &str, value: &str, v: &mut Vocabularies| {
        node.strings(attribute).iter().map(|s| Ok(v.id(value, text(&at, s)?))).collect::<Result<Vec<i64>, Error>>()
    };
    match &*node.op_type {
        "Constant" if v.has(&to) => {
            let mut value = match (node.tensor("value"), node.string("value_string")) {
                (Some(value), _) => value.clone(),
                (None, Some(one)) => strings_tensor(vec![], vec![one.to_vec()]),
                (None, None) => {
                    let all = node.strings("value_strings").to_vec();
                    strings_tensor(vec![all.len() as i64], all)
                }
            };
            tensor(&mut value, &to, v)?;
            node.attribute =
                vec![AttributeProto { name: "value".into(), r#type: 4, t: Some(value), ..Default::default() }];
        }
        "Cast" if v.has(&to) => {
            node.op_type = "Identity".into();
            node.attribute.clear();
        }
        "OneHotEncoder" if v.has(&from) => {
            let cats = ids(node, "cats_strings", &from, v)?;
            node.attribute.retain(|a| a.name == "zeros");
            node.attribute.push(ints("cats_ids", cats));
        }
        "LinearClassifier" | "SVMClassifier" | "TreeEnsembleClassifier" if v.has(&to) => {
            let labels = ids(node, "classlabels_strings", &to, v)?;
            node.attribute.retain(|a| !a.name.starts_with("classlabels_"));
            node.attribute.push(ints("classlabels_ids", labels));
        }
        "CategoryMapper" => {
            let (strings, numbers) = (node.strings("cats_strings").len(), node.ints("cats_int64s").to_vec());
            if strings != numbers.len() {
                return Err(Error::invalid(at, "needs as many `cats_int64s` as `cats_strings`"));
            }
            let value = if v.has(&from) { &from } else { &to };
            let cats = ids(node, "cats_strings", value, v)?;
            table(node, v, &at, &to, v.has(&from), cats, numbers)?;
        }
        "LabelEncoder" if !node.strings("classes_strings").is_empty() => {
            let value = if v.has(&from) { &from } else { &to };
            let classes = ids(node, "classes_strings", value, v)?;
            let numbers = (0..classes.len() as i64).collect();
            table(node, v, &at, &to, v.has(&from), classes, numbers)?;
        }
        "LabelEncoder" => {
            for (side, value) in [("keys", &from), ("values", &to), ("default", &to)] {
                let attribute = format!("{side}_tensor");
                let Some(mut strings) = node.tensor(&attribute).filter(|t| t.data_type == STRING).cloned() else {
                    continue;
                };
                tensor(&mut strings, value, v)?;
                node.attribute.retain(|a| a.name != attribute);
                let listed = integers(&strings);
                node.attribute.push(match (side, listed.first()) {
                    ("default", Some(id)) => int("default_id", *id),
                    _ => ints(&format!("{side}_ids"), listed),
                });
            }
            for (side, value) in [("keys", &from), ("values", &to)] {
                let attribute = format!("{side}_strings");
                if !node.strings(&attribute).is_empty() {
                    let listed = ids(node, &attribute, value, v)?;
                    node.attribute.push(ints(&format!("{side}_ids"), listed));
                }
            }
            if v.has(&to) && node.find("default_id").is_none() {
                let id = default(node, v, &at, &to)?;
                node.attribute.push(int("default_id", id));
            }
            node.attribute.retain(|a| !a.name.ends_with("_strings") && a.name != "default_string");
        }
        _ => {}
    }
    Ok(())
}

/// A LabelEncoder that maps between strings and numbers, either way.
fn table(
    node: &mut NodeProto,
    v: &mut Vocabularies,
    at: &str,
    to: &str,
    forth: bool,
    ids: Vec<i64>,
    numbers: Vec<i64>,
) -> Result<(), Error> {
    node.attribute = if forth {
        vec![ints("keys_ids", ids), ints("values_int64s", numbers), int("default_int64", node.int("default_int64", -1))]
    } else {
        let id = default(node, v, at, to)?;
        vec![ints("keys_int64s", numbers), ints("values_ids", ids), int("default_id", id)]
    };
    node.op_type = "LabelEncoder".into();
    Ok(())
}

fn default(node: &NodeProto, v: &mut Vocabularies, at: &str, to: &str) -> Result<i64, Error> {
    let string = node.string("default_string").map(|s| text(at, s)).transpose()?.unwrap_or(UNUSED);
    Ok(v.id(to, string))
}

/// Strings of a constant to ids.
fn tensor(tensor: &mut TensorProto, value: &str, v: &mut Vocabularies) -> Result<(), Error> {
    let at = format!("the strings of {value:?}");
    tensor.int32_data =
        tensor.string_data.iter().map(|s| Ok(v.id(value, text(&at, s)?) as i32)).collect::<Result<_, Error>>()?;
    tensor.string_data.clear();
    tensor.data_type = INT32;
    Ok(())
}

fn strings_tensor(dims: Vec<i64>, string_data: Vec<Vec<u8>>) -> TensorProto {
    TensorProto { dims, data_type: STRING, string_data, ..TensorProto::default() }
}

fn text<'a>(at: &str, bytes: &'a [u8]) -> Result<&'a str, Error> {
    std::str::from_utf8(bytes).map_err(|_| Error::invalid(at, "holds a string that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two inputs that meet in a Concat share one vocabulary; a third has its own.
    #[test]
    fn strings_that_meet_share_ids() {
        let node = |op: &str, inputs: &[&str], output: &str, cats: &[&str]| NodeProto {
            op_type: op.into(),
            input: inputs.iter().map(|s| s.to_string()).collect(),
            output: vec![output.into()],
            attribute: vec![AttributeProto {
                name: "cats_strings".into(),
                strings: cats.iter().map(|s| s.as_bytes().to_vec()).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let input = |name: &str| tract_onnx::pb::ValueInfoProto {
            name: name.into(),
            r#type: Some(tract_onnx::pb::TypeProto {
                denotation: String::new(),
                value: Some(type_proto::Value::TensorType(type_proto::Tensor { elem_type: STRING, shape: None })),
            }),
            doc_string: String::new(),
        };
        let mut graph = GraphProto {
            input: vec![input("a"), input("b"), input("c")],
            node: vec![
                node("Concat", &["a", "b"], "ab", &[]),
                node("OneHotEncoder", &["c"], "c1", &["x", "y"]),
                node("OneHotEncoder", &["ab"], "ab1", &["red", "x"]),
                node("OneHotEncoder", &["b"], "b1", &["blue", "red"]),
            ],
            ..Default::default()
        };
        let strings = destring(&mut graph).unwrap();
        assert_eq!(strings["a"], ["red", "x", "blue"]);
        assert_eq!(strings["b"], strings["a"]);
        assert_eq!(strings["c"], ["x", "y"]);
        assert_eq!(graph.node[3].ints("cats_ids"), [2, 0]);
    }
}
