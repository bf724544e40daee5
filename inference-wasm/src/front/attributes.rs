//! Attributes of a node, by name and type.

use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto};

/// Reads attributes; every error is a sentence about this node.
pub trait Attributes {
    /// The attribute itself.
    fn find(&self, name: &str) -> Option<&AttributeProto>;

    /// An integer, or `default`.
    fn int(&self, name: &str, default: i64) -> i64 {
        self.find(name).map_or(default, |a| a.i)
    }

    /// A number, or `default`.
    fn float(&self, name: &str, default: f32) -> f32 {
        self.find(name).map_or(default, |a| a.f)
    }

    /// Integers; none when absent.
    fn ints(&self, name: &str) -> &[i64] {
        self.find(name).map_or(&[], |a| &a.ints)
    }

    /// Numbers; none when absent.
    fn floats(&self, name: &str) -> &[f32] {
        self.find(name).map_or(&[], |a| &a.floats)
    }

    /// Byte strings; none when absent.
    fn strings(&self, name: &str) -> &[Vec<u8>] {
        self.find(name).map_or(&[], |a| &a.strings)
    }

    /// One byte string.
    fn string(&self, name: &str) -> Option<&[u8]> {
        self.find(name).map(|a| &*a.s)
    }

    /// A tensor.
    fn tensor(&self, name: &str) -> Option<&TensorProto> {
        self.find(name).and_then(|a| a.t.as_ref())
    }

    /// A word of a fixed set, or `default`.
    fn word(&self, name: &str, default: &'static str) -> String {
        self.string(name).map_or(default.into(), |s| String::from_utf8_lossy(s).into_owned())
    }
}

impl Attributes for NodeProto {
    fn find(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|a| a.name == name)
    }
}

/// Numbers of a tensor of FLOAT or DOUBLE, widened.
pub fn doubles(tensor: &TensorProto) -> Vec<f64> {
    use tract_onnx::pb::tensor_proto::DataType;
    match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) if tensor.raw_data.is_empty() => tensor.float_data.iter().map(|v| f64::from(*v)).collect(),
        Ok(DataType::Float) => {
            tensor.raw_data.as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
        }
        Ok(DataType::Double) if tensor.raw_data.is_empty() => tensor.double_data.clone(),
        Ok(DataType::Double) => tensor.raw_data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        _ => Vec::new(),
    }
}

/// Integers of a tensor of INT64, INT32, INT16, INT8, UINT8 or BOOL, widened.
pub fn integers(tensor: &TensorProto) -> Vec<i64> {
    use tract_onnx::pb::tensor_proto::DataType;
    match DataType::try_from(tensor.data_type) {
        Ok(DataType::Int64) if tensor.raw_data.is_empty() => tensor.int64_data.clone(),
        Ok(DataType::Int64) => tensor.raw_data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
        Ok(DataType::Int32) if !tensor.raw_data.is_empty() => {
            tensor.raw_data.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b))).collect()
        }
        Ok(DataType::Int16) if !tensor.raw_data.is_empty() => {
            tensor.raw_data.as_chunks::<2>().0.iter().map(|b| i64::from(i16::from_le_bytes(*b))).collect()
        }
        Ok(DataType::Int8) if !tensor.raw_data.is_empty() => {
            tensor.raw_data.iter().map(|b| i64::from(*b as i8)).collect()
        }
        Ok(_) if !tensor.raw_data.is_empty() => tensor.raw_data.iter().map(|b| i64::from(*b)).collect(),
        _ => tensor.int32_data.iter().map(|v| i64::from(*v)).collect(),
    }
}

/// A list of integers as an attribute.
pub fn ints(name: &str, ints: Vec<i64>) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 7, ints, ..AttributeProto::default() }
}

/// An integer as an attribute.
pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 2, i, ..AttributeProto::default() }
}

/// A tensor as an attribute.
pub fn tensor(name: &str, t: TensorProto) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 4, t: Some(t), ..AttributeProto::default() }
}

/// A word as an attribute.
pub fn word(name: &str, s: &str) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: 3, s: s.into(), ..AttributeProto::default() }
}
