//! `contract` types from JavaScript values, after `JSON.parse`.
//!
//! By hand, field by field: the engine's JSON parser is there already, and serde's generated readers
//! would make this crate nearly twice as large (measured: 46 KB more).

use std::collections::BTreeMap;

use contract::manifest::{Cost, Datatype, Golden, Manifest, Seal, TensorSpec};
use contract::number::INTEGER_MAX;
use contract::profile::{Bins, Profile, Reference, Score};
use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// A value and where it was found.
struct At {
    value: JsValue,
    path: String,
}

/// Reads what a host needs of `beira.manifest`; compiler, hashes and cost are left empty.
pub fn manifest(value: JsValue) -> Result<Manifest, String> {
    let at = At { value, path: "manifest".to_owned() };
    Ok(Manifest {
        version: at.field("version").unsigned()? as u32,
        compiler: String::new(),
        onnx_sha256: String::new(),
        opset: BTreeMap::new(),
        rows_max: at.field("rows_max").unsigned()? as u32,
        inputs: at.field("inputs").list(tensor)?,
        outputs: at.field("outputs").list(tensor)?,
        cost: Cost::default(),
        relaxed: false,
    })
}

/// Reads `beira.seal`.
pub fn seal(value: JsValue) -> Result<Seal, String> {
    let at = At { value, path: "seal".to_owned() };
    let golden = at.field("golden");
    Ok(Seal {
        golden: Golden {
            rows: golden.field("rows").unsigned()? as u32,
            inputs: golden.field("inputs").list(|at| at.text())?,
            outputs: golden.field("outputs").list(|at| at.text())?,
        },
        profile: at.field("profile").optional(profile)?,
    })
}

fn tensor(at: At) -> Result<TensorSpec, String> {
    use Datatype::*;
    let name = at.field("datatype").text()?;
    let all = [Bool, Uint8, Uint16, Uint32, Uint64, Int8, Int16, Int32, Int64, Fp16, Fp32, Fp64, Bytes];
    let datatype = all.into_iter().find(|datatype| datatype.name() == name);
    Ok(TensorSpec {
        name: at.field("name").text()?,
        datatype: datatype.ok_or_else(|| at.field("datatype").expected("a datatype"))?,
        shape: at.field("shape").list(|axis| axis.integer())?,
        offset: at.field("offset").unsigned()? as u32,
        strings: at.field("strings").optional(|at| at.list(|at| at.text()))?,
        columns: at.field("columns").optional(|at| at.list(|at| at.text()))?,
        date: None, // JavaScript reads it: by the time a row is counted, a date is a number
    })
}

fn profile(at: At) -> Result<Profile, String> {
    Ok(Profile {
        edges_sha256: at.field("edges_sha256").text()?,
        rows: at.field("rows").unsigned()?,
        features: at.field("features").list(|at| {
            Ok(Reference {
                name: at.field("name").text()?,
                bins: bins(at.field("bins"))?,
                counts: at.field("counts").list(|at| at.unsigned())?,
                missing: at.field("missing").optional(|at| at.unsigned())?.unwrap_or(0),
            })
        })?,
        score: at.field("score").optional(|at| {
            Ok(Score {
                output: at.field("output").text()?,
                element: at.field("element").optional(|at| at.unsigned())?.map(|element| element as usize),
                bins: bins(at.field("bins"))?,
                counts: at.field("counts").list(|at| at.unsigned())?,
                held_out: None, // of use to the server alone
            })
        })?,
    })
}

fn bins(at: At) -> Result<Bins, String> {
    match at.field("edges").optional(|at| at.list(|at| at.number()))? {
        Some(edges) => Ok(Bins::Edges(edges)),
        None => Ok(Bins::Categories(at.field("categories").list(|at| at.text())?)),
    }
}

impl At {
    fn field(&self, name: &str) -> At {
        // Reading a field of something that is no object gives undefined.
        let value = Reflect::get(&self.value, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
        At { value, path: [&self.path, ".", name].concat() }
    }

    fn expected(&self, what: &str) -> String {
        [&self.path, " should be ", what].concat()
    }

    fn text(&self) -> Result<String, String> {
        self.value.as_string().ok_or_else(|| self.expected("a string"))
    }

    fn number(&self) -> Result<f64, String> {
        self.value.as_f64().ok_or_else(|| self.expected("a number"))
    }

    fn integer(&self) -> Result<i64, String> {
        let number = self.number()?;
        let exact = number == number.trunc() && number.abs() <= INTEGER_MAX as f64;
        if exact { Ok(number as i64) } else { Err(self.expected("an integer")) }
    }

    fn unsigned(&self) -> Result<u64, String> {
        u64::try_from(self.integer()?).map_err(|_| self.expected("an integer of 0 or more"))
    }

    fn optional<T>(self, read: impl Fn(At) -> Result<T, String>) -> Result<Option<T>, String> {
        if self.value.is_undefined() || self.value.is_null() { Ok(None) } else { read(self).map(Some) }
    }

    fn list<T>(self, read: impl Fn(At) -> Result<T, String>) -> Result<Vec<T>, String> {
        let path = self.path;
        let array: &Array = self.value.dyn_ref().ok_or_else(|| [&path, " should be a list"].concat())?;
        let mut items = Vec::with_capacity(array.length() as usize);
        for value in array.iter() {
            items.push(read(At { value, path: [&path, "[]"].concat() })?);
        }
        Ok(items)
    }
}
