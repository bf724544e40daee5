//! Open Inference Protocol v2: the JSON bodies of `/v2`.
//!
//! Source: the protocol's `required_api.md` (REST), as served by KServe and Triton.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Datatype;

/// `POST /v2/models/{name}/infer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InferRequest {
    /// Returned in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
    /// Input tensors, in any order.
    pub inputs: Vec<InferTensor>,
    /// Outputs wanted; absent or empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<RequestedOutput>,
}

/// One tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InferTensor {
    /// Name in the model's signature.
    pub name: String,
    /// Full shape, rows first.
    pub shape: Vec<u64>,
    /// Element type.
    pub datatype: Datatype,
    /// Ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
    /// Elements, flat or nested, row-major; `null` is a missing number or string.
    pub data: Value,
}

/// One output wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestedOutput {
    /// Name in the model's signature.
    pub name: String,
}

/// Answer to an [`InferRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InferResponse {
    /// Model.
    pub model_name: String,
    /// Version, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// The request's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Output tensors, `data` flat.
    pub outputs: Vec<InferTensor>,
}

/// `GET /v2/models/{name}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelMetadata {
    /// Model.
    pub name: String,
    /// Versions that can be asked for.
    pub versions: Vec<String>,
    /// `onnx_onnxv1`.
    pub platform: String,
    /// Signature.
    pub inputs: Vec<TensorMetadata>,
    /// Signature.
    pub outputs: Vec<TensorMetadata>,
}

/// One tensor of a signature; -1 marks the rows axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TensorMetadata {
    pub name: String,
    pub datatype: Datatype,
    pub shape: Vec<i64>,
}

/// Any answer that is not 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A sentence.
    pub error: String,
}
