//! Records to regions in one pass over the JSON; every fault is found, not the first alone.

use std::collections::HashMap;
use std::fmt;

use contract::{Fault, Loc, Manifest};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Request;
use crate::Batch;
use crate::element::{Refused, Scalar, Writer};

/// Where the features of a model go; made once for each module.
pub struct Reader {
    writers: Vec<Writer>,
    row_bytes: Vec<usize>,
    slots: Vec<Slot>,
    by_name: HashMap<String, usize>,
}

/// The place of one feature.
struct Slot {
    name: String,
    /// Which input.
    input: usize,
    /// Its bytes in the input's row.
    start: usize,
    width: usize,
}

impl Reader {
    /// The reader of a model that [`contract::check::manifest`] has accepted.
    pub fn new(manifest: &Manifest) -> Reader {
        let mut slots = Vec::new();
        for (input, spec) in manifest.inputs.iter().enumerate() {
            let width = spec.datatype.bytes();
            let names = spec.element_names().into_iter().enumerate();
            slots.extend(names.map(|(i, name)| Slot { name, input, start: i * width, width }));
        }
        Reader {
            writers: manifest.inputs.iter().map(Writer::new).collect(),
            row_bytes: manifest.inputs.iter().map(|spec| spec.row_bytes()).collect(),
            by_name: slots.iter().map(|slot| slot.name.clone()).zip(0..).collect(),
            slots,
        }
    }

    /// Names of the features, in the order of the model's inputs.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.slots.iter().map(|slot| slot.name.as_str())
    }

    /// Reads a JSON body of at most `rows_max` rows. Faults are at `["body", feature]` for an object
    /// and `["body", row, feature]` for an array.
    pub fn json(&self, body: &[u8], rows_max: usize) -> Result<Request, Vec<Fault>> {
        let mut rows = Rows::new(self, rows_max);
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = Body(&mut rows).deserialize(&mut json).and_then(|()| json.end());
        if let Err(error) = read {
            let text = format!("The body is not JSON: line {}, column {}", error.line(), error.column());
            return Err(vec![Fault::new("json_invalid", vec!["body".into()], text)]);
        }
        rows.finish()
    }

    /// Reads a body that stands in memory, with any number of rows.
    pub fn value(&self, body: &Value) -> Result<Request, Vec<Fault>> {
        let mut rows = Rows::new(self, usize::MAX);
        let read: Result<(), serde_json::Error> = Body(&mut rows).deserialize(body);
        if read.is_err() {
            rows.refuse_row(); // values in memory are well-formed, so this does not happen
        }
        rows.finish()
    }

    /// Reads records that stand in memory: faults are at `["body", row, feature]`.
    pub fn records(&self, records: &[Map<String, Value>]) -> Result<Batch, Vec<Fault>> {
        let mut rows = Rows::new(self, usize::MAX);
        rows.many = true;
        for record in records {
            let read: Result<(), serde_json::Error> = record.deserialize_any(Record(&mut rows));
            if read.is_err() {
                rows.refuse_row(); // values in memory are well-formed, so this does not happen
            }
        }
        rows.finish().map(|request| request.batch)
    }
}

/// The rows read so far.
struct Rows<'a> {
    reader: &'a Reader,
    inputs: Vec<Vec<u8>>,
    rows: usize,
    rows_max: usize,
    many: bool,
    /// Features of the current row that were there.
    seen: Vec<bool>,
    /// Faults, each with the feature it belongs to, so that a row's faults come in the features' order.
    faults: Vec<(usize, Fault)>,
}

impl<'a> Rows<'a> {
    fn new(reader: &'a Reader, rows_max: usize) -> Rows<'a> {
        let inputs = vec![Vec::new(); reader.writers.len()];
        let seen = vec![false; reader.slots.len()];
        Rows { reader, inputs, rows: 0, rows_max, many: false, seen, faults: Vec::new() }
    }

    fn finish(self) -> Result<Request, Vec<Fault>> {
        if self.rows > self.rows_max {
            let text = format!("{} rows in one request, at most {} are taken", self.rows, self.rows_max);
            return Err(vec![Fault::new("too_long", vec!["body".into()], text)]);
        }
        if self.faults.is_empty() {
            Ok(Request { batch: Batch { rows: self.rows, inputs: self.inputs }, many: self.many })
        } else {
            Err(self.faults.into_iter().map(|(_, fault)| fault).collect())
        }
    }

    /// Where the current row, or a feature of it, stands in the body.
    fn at(&self, feature: Option<&str>) -> Vec<Loc> {
        let row = self.many.then_some(Loc::Index(self.rows));
        [Loc::from("body")].into_iter().chain(row).chain(feature.map(Loc::from)).collect()
    }

    fn fault(&mut self, slot: usize, fault: Fault) {
        self.faults.push((slot, fault));
    }

    /// The current row is no object.
    fn refuse_row(&mut self) {
        let fault = Fault::new("dict_type", self.at(None), "Input should be a valid dictionary of named features");
        self.fault(0, fault);
        self.rows += 1;
    }

    fn row<'de, A: MapAccess<'de>>(&mut self, mut record: A) -> Result<(), A::Error> {
        let (reader, first_fault) = (self.reader, self.faults.len());
        for (region, width) in self.inputs.iter_mut().zip(&reader.row_bytes) {
            region.resize(region.len() + width, 0);
        }
        self.seen.fill(false);
        let mut expected = 0;
        while let Some(key) = record.next_key_seed(Key { reader, expected })? {
            let index = match key {
                Ok(index) => index,
                Err(name) => {
                    record.next_value::<IgnoredAny>()?;
                    let fault = Fault::new("extra_forbidden", self.at(Some(&name)), "Extra inputs are not permitted");
                    self.fault(usize::MAX, fault);
                    continue;
                }
            };
            expected = index + 1;
            self.seen[index] = true;
            let slot = &reader.slots[index];
            let start = self.rows * reader.row_bytes[slot.input] + slot.start;
            let to = &mut self.inputs[slot.input][start..start + slot.width];
            if let Err(refused) = record.next_value_seed(Cell { writer: &reader.writers[slot.input], to })? {
                let fault = refused.at(self.at(Some(&slot.name)));
                self.fault(index, fault);
            }
        }
        for (index, slot) in reader.slots.iter().enumerate() {
            if !self.seen[index] {
                let fault = Fault::new("missing", self.at(Some(&slot.name)), "Field required");
                self.fault(index, fault);
            }
        }
        self.faults[first_fault..].sort_by_key(|(slot, _)| *slot);
        self.rows += 1;
        Ok(())
    }
}

/// The whole body: one record, or an array of them.
struct Body<'a, 'r>(&'a mut Rows<'r>);

/// One record.
struct Record<'a, 'r>(&'a mut Rows<'r>);

/// What is no record, whatever it is instead.
macro_rules! no_record {
    ($($visit:ident($value:ty)),*) => {
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a record of named features")
        }
        $(fn $visit<E>(self, _: $value) -> Result<(), E> {
            self.0.refuse_row();
            Ok(())
        })*
        fn visit_unit<E>(self) -> Result<(), E> {
            self.0.refuse_row();
            Ok(())
        }
    };
}

impl<'de> DeserializeSeed<'de> for Body<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body<'_, '_> {
    type Value = ();
    no_record!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));
    fn visit_map<A: MapAccess<'de>>(self, record: A) -> Result<(), A::Error> {
        self.0.row(record)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        self.0.many = true;
        while self.0.rows < self.0.rows_max {
            if records.next_element_seed(Record(self.0))?.is_none() {
                return Ok(());
            }
        }
        while records.next_element::<IgnoredAny>()?.is_some() {
            self.0.rows += 1; // beyond what is taken: counted, to say so
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Record<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Record<'_, '_> {
    type Value = ();
    no_record!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));
    fn visit_map<A: MapAccess<'de>>(self, record: A) -> Result<(), A::Error> {
        self.0.row(record)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.0.refuse_row();
        Ok(())
    }
}

/// A feature's name: its index, or the name that the model does not have. Records mostly come in
/// the model's order, so the `expected` one is compared before the table is asked.
struct Key<'a> {
    reader: &'a Reader,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Result<usize, String>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_bytes(self) // what is no UTF-8 is no feature's name either
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = Result<usize, String>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a feature")
    }
    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        self.visit_bytes(name.as_bytes())
    }
    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        if self.reader.slots.get(self.expected).is_some_and(|slot| slot.name.as_bytes() == name) {
            return Ok(Ok(self.expected));
        }
        let known = std::str::from_utf8(name).ok().and_then(|name| self.reader.by_name.get(name).copied());
        Ok(known.ok_or_else(|| String::from_utf8_lossy(name).into_owned()))
    }
}

/// One value, written where it belongs.
struct Cell<'a> {
    writer: &'a Writer,
    to: &'a mut [u8],
}

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = Result<(), Refused>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Cell<'_> {
    type Value = Result<(), Refused>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.writer.write(Scalar::Null, self.to))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.writer.write(Scalar::Bool(value), self.to))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(self.writer.write(Scalar::Int(value), self.to))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(self.writer.write(Scalar::Uint(value), self.to))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(self.writer.write(Scalar::Float(value), self.to))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.writer.write(Scalar::Text(text), self.to))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.writer.write(Scalar::Nested, self.to))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.writer.write(Scalar::Nested, self.to))
    }
}
