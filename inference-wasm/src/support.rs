//! What the compiler can take, checked on the ONNX file itself, so that errors name ONNX operators and nodes.

use std::collections::{BTreeMap, HashSet};

use contract::api::OperatorReport;
use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

use crate::Error;

mod functions;
mod help;
mod sizes;
mod tensor;

/// Operators of `ai.onnx` that compile.
const ONNX: &[&str] = &[
    "Abs",
    "Acos",
    "Acosh",
    "Add",
    "AffineGrid",
    "And",
    "ArgMax",
    "ArgMin",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "Attention",
    "AveragePool",
    "BatchNormalization",
    "BitCast",
    "BitShift",
    "BitwiseAnd",
    "BitwiseNot",
    "BitwiseOr",
    "BitwiseXor",
    "BlackmanWindow",
    "Cast",
    "CastLike",
    "CausalConvWithState",
    "Ceil",
    "Celu",
    "CenterCropPad",
    "Clip",
    "Col2Im",
    "Compress",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "ConvInteger",
    "ConvTranspose",
    "Cos",
    "Cosh",
    "CumProd",
    "CumSum",
    "DFT",
    "DepthToSpace",
    "DequantizeLinear",
    "Div",
    "Dropout",
    "DynamicQuantizeLinear",
    "Einsum",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "EyeLike",
    "Flatten",
    "Floor",
    "GRU",
    "Gather",
    "GatherElements",
    "GatherND",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "GlobalLpPool",
    "GlobalMaxPool",
    "Greater",
    "GreaterOrEqual",
    "GridSample",
    "GroupNormalization",
    "HammingWindow",
    "HannWindow",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "Identity",
    "If",
    "InstanceNormalization",
    "IsInf",
    "IsNaN",
    "LRN",
    "LSTM",
    "LayerNormalization",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "LinearAttention",
    "Log",
    "LogSoftmax",
    "Loop",
    "LpNormalization",
    "LpPool",
    "MatMul",
    "MatMulInteger",
    "Max",
    "MaxPool",
    "Mean",
    "MeanVarianceNormalization",
    "MelWeightMatrix",
    "Min",
    "Mish",
    "Mod",
    "Mul",
    "Neg",
    "NegativeLogLikelihoodLoss",
    "NonZero",
    "Not",
    "OneHot",
    "Or",
    "PRelu",
    "Pad",
    "Pow",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
    "RMSNormalization",
    "RNN",
    "Range",
    "Reciprocal",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
    "Relu",
    "Reshape",
    "Resize",
    "ReverseSequence",
    "RotaryEmbedding",
    "Round",
    "STFT",
    "Scan",
    "Scatter",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "SequenceConstruct",
    "Shape",
    "Shrink",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Size",
    "Slice",
    "Softmax",
    "SoftmaxCrossEntropyLoss",
    "Softplus",
    "Softsign",
    "SpaceToDepth",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Swish",
    "Tan",
    "Tanh",
    "ThresholdedRelu",
    "Tile",
    "TopK",
    "Transpose",
    "Trilu",
    "Unsqueeze",
    "Upsample",
    "Where",
    "Xor",
];

/// Operators of `ai.onnx.ml` that compile.
const ML: &[&str] = &[
    "ArrayFeatureExtractor",
    "Binarizer",
    "CastMap",
    "CategoryMapper",
    "DictVectorizer",
    "FeatureVectorizer",
    "Imputer",
    "LabelEncoder",
    "LinearClassifier",
    "LinearRegressor",
    "Normalizer",
    "OneHotEncoder",
    "SVMClassifier",
    "SVMRegressor",
    "Scaler",
    "TreeEnsemble",
    "TreeEnsembleClassifier",
    "TreeEnsembleRegressor",
    "ZipMap",
];

/// Branches in branches, at most.
const DEPTH_MAX: usize = 16;

/// Names of nodes in a report, at most.
const EXAMPLES: usize = 3;

/// Each kind of operator in the file, in the order of first appearance, and whether it compiles.
///
/// # Errors
/// [`Error::Damaged`] when the bytes are no ONNX file.
pub fn operators(onnx: &[u8]) -> Result<Vec<OperatorReport>, Error> {
    let model = parse(onnx)?;
    let mut reports: Vec<OperatorReport> = Vec::new();
    for node in &graph(&model)?.node {
        let domain = domain(node);
        let at = reports.iter().position(|r| r.domain == domain && r.op == node.op_type).unwrap_or_else(|| {
            let supported = is_supported(node);
            reports.push(OperatorReport {
                domain: domain.to_owned(),
                op: node.op_type.clone(),
                nodes: 0,
                examples: Vec::new(),
                supported,
                help: (!supported).then(|| help::of(node).to_owned()),
            });
            reports.len() - 1
        });
        reports[at].nodes += 1;
        if reports[at].examples.len() < EXAMPLES {
            reports[at].examples.push(name(node).to_owned());
        }
    }
    Ok(reports)
}

/// Reads the protobuf.
pub(crate) fn parse(onnx: &[u8]) -> Result<ModelProto, Error> {
    if onnx.is_empty() {
        return Err(Error::Damaged("the file is empty".into()));
    }
    let mut model = ModelProto::decode(onnx).map_err(|e| Error::Damaged(format!("{e}; is it complete?")))?;
    graph(&model)?;
    functions::inline(&mut model, onnx)?;
    Ok(model)
}

/// The model's graph; [`parse`] has seen that there is one.
pub(crate) fn graph(model: &ModelProto) -> Result<&GraphProto, Error> {
    model.graph.as_ref().ok_or_else(|| Error::Damaged("it holds no graph; is it complete?".into()))
}

/// Refuses what cannot be compiled: sizes and references first, then every operator.
pub(crate) fn check(model: &ModelProto) -> Result<(), Error> {
    let graph = graph(model)?;
    if graph.node.is_empty() {
        return Err(Error::invalid("the graph", "has no nodes; there is nothing to compile"));
    }
    if graph.output.is_empty() {
        return Err(Error::invalid("the graph", "has no outputs; name what is to be computed"));
    }
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", |v| &v.name);
        return Err(Error::unsupported(
            format!("initializer {name:?}"),
            "a sparse initializer",
            "store the weights densely",
        ));
    }
    contents(graph, 0)?;
    references(graph)
}

/// Constants and operators of a graph, and of those inside its nodes' attributes.
fn contents(graph: &GraphProto, depth: usize) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::invalid("the graph", format!("has branches nested more than {DEPTH_MAX} deep")));
    }
    sizes::check(graph)?;
    for initializer in &graph.initializer {
        tensor::check(&format!("initializer {:?}", initializer.name), initializer)?;
    }
    for node in &graph.node {
        operator(node)?;
        for inner in node.attribute.iter().filter_map(|a| a.g.as_ref()) {
            contents(inner, depth + 1)?;
        }
    }
    Ok(())
}

/// `node "name" (Op)`, for errors.
pub(crate) fn place(node: &NodeProto) -> String {
    format!("node {:?} ({})", name(node), node.op_type)
}

fn name(node: &NodeProto) -> &str {
    if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name }
}

fn domain(node: &NodeProto) -> &str {
    if node.domain == "ai.onnx" { "" } else { &node.domain }
}

fn is_supported(node: &NodeProto) -> bool {
    match domain(node) {
        "" => ONNX.contains(&&*node.op_type),
        "ai.onnx.ml" => ML.contains(&&*node.op_type),
        _ => false,
    }
}

fn operator(node: &NodeProto) -> Result<(), Error> {
    if !is_supported(node) {
        let what = match domain(node) {
            "" => format!("operator {}", node.op_type),
            domain => format!("operator {}.{}", domain, node.op_type),
        };
        return Err(Error::unsupported(place(node), what, help::of(node)));
    }
    let given = |list: &[String], i: usize| list.get(i).is_some_and(|name| !name.is_empty());
    if node.op_type == "Dropout" && given(&node.input, 2) {
        return Err(Error::unsupported(place(node), "Dropout in training mode", "export in inference mode"));
    }
    for attribute in &node.attribute {
        if !attribute.ref_attr_name.is_empty() {
            return Err(Error::unsupported(
                place(node),
                "an attribute that refers to a function's",
                "inline functions",
            ));
        }
        if let Some(value) = &attribute.t {
            tensor::check(&format!("{}, attribute {:?}", place(node), attribute.name), value)?;
        }
        if attribute.sparse_tensor.is_some() {
            return Err(Error::unsupported(place(node), "a sparse constant", "store it densely"));
        }
    }
    Ok(())
}

/// Every name is made once, and before it is used.
fn references(graph: &GraphProto) -> Result<(), Error> {
    let mut made: HashSet<&str> = graph.initializer.iter().map(|i| &*i.name).collect();
    for input in &graph.input {
        if input.name.is_empty() {
            return Err(Error::invalid("an input of the model", "has no name"));
        }
        made.insert(&input.name);
    }
    for node in &graph.node {
        for input in node.input.iter().filter(|i| !i.is_empty()) {
            if !made.contains(&**input) {
                return Err(Error::invalid(
                    place(node),
                    format!("its input {input:?} is no input, no initializer and no earlier node's output"),
                ));
            }
        }
        for output in node.output.iter().filter(|o| !o.is_empty()) {
            if !made.insert(output) {
                return Err(Error::invalid(place(node), format!("its output {output:?} is made a second time")));
            }
        }
        if node.output.is_empty() {
            return Err(Error::invalid(place(node), "has no output"));
        }
    }
    for output in &graph.output {
        if !made.contains(&*output.name) {
            return Err(Error::invalid(format!("output {:?} of the model", output.name), "is made by no node"));
        }
    }
    Ok(())
}

/// Operator sets of the file; the later entry wins where a converter lists a domain twice.
pub(crate) fn opset(model: &ModelProto) -> BTreeMap<String, i64> {
    let key = |domain: &str| if domain == "ai.onnx" { String::new() } else { domain.to_owned() };
    model.opset_import.iter().map(|set| (key(&set.domain), set.version)).collect()
}

/// Inputs of the model that are fed, initializers with a default value left out.
pub(crate) fn fed(graph: &GraphProto) -> impl Iterator<Item = &tract_onnx::pb::ValueInfoProto> {
    let initializers: HashSet<&str> = graph.initializer.iter().map(|i: &TensorProto| &*i.name).collect();
    graph.input.iter().filter(move |input| !initializers.contains(&*input.name))
}
