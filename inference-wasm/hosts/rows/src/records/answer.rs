//! Regions to records, written as JSON without a detour.

use contract::{Manifest, TensorSpec};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::element::Element;

/// Where an id stands beside its answer.
pub const PREDICTION_ID: &str = "prediction_id";

/// One object for each row, output name to answer: the value alone where a row has one element,
/// an object by label where the manifest has `columns`, else an array.
pub struct Answer<'a> {
    /// The model's.
    pub manifest: &'a Manifest,
    /// Rows predicted.
    pub rows: usize,
    /// Regions of the outputs, as the module left them.
    pub outputs: &'a [Vec<u8>],
    /// An array of rows; else the one row alone.
    pub many: bool,
    /// One for each row, written as `prediction_id`; empty for none.
    pub ids: &'a [String],
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.many { to.collect_seq((0..self.rows).map(|row| Row(self, row))) } else { Row(self, 0).serialize(to) }
    }
}

struct Row<'a>(&'a Answer<'a>, usize);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Row(answer, row) = *self;
        let mut map = to.serialize_map(None)?;
        for (spec, region) in answer.manifest.outputs.iter().zip(answer.outputs) {
            let width = spec.row_bytes();
            let bytes = region.get(row * width..(row + 1) * width).unwrap_or_default();
            map.serialize_entry(&spec.name, &Tensor { spec, bytes })?;
        }
        if let Some(id) = answer.ids.get(row) {
            map.serialize_entry(PREDICTION_ID, id)?;
        }
        map.end()
    }
}

struct Tensor<'a> {
    spec: &'a TensorSpec,
    bytes: &'a [u8],
}

impl Serialize for Tensor<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let spec = self.spec;
        let mut elements = self.bytes.chunks_exact(spec.datatype.bytes()).map(|bytes| Element(spec, bytes));
        match &spec.columns {
            _ if spec.row_elements() == 1 => elements.next().serialize(to),
            Some(columns) => to.collect_map(columns.iter().zip(elements)),
            None => {
                let mut seq = to.serialize_seq(Some(spec.row_elements()))?;
                elements.try_for_each(|element| seq.serialize_element(&element))?;
                seq.end()
            }
        }
    }
}
