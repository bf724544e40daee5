//! What helps when an operator is not supported.

use tract_onnx::pb::NodeProto;

/// A hint for the person who exports the model.
pub fn of(node: &NodeProto) -> &'static str {
    match &*node.op_type {
        "StringNormalizer" | "StringConcat" | "StringSplit" | "RegexFullMatch" | "TfIdfVectorizer" | "Tokenizer"
        | "LabelBinarizer" => "compute text features before the model: it takes strings only as categories",
        "SequenceAt" | "SplitToSequence" | "ConcatFromSequence" => {
            "export with tensors instead of sequences (skl2onnx: `options={\"zipmap\": False}`)"
        }
        "RandomNormal" | "RandomUniform" | "RandomNormalLike" | "RandomUniformLike" | "Multinomial" | "Bernoulli" => {
            "export the model in inference mode: a module gives the same answer every time"
        }
        op if op.contains("Quantize") || op.contains("QLinear") || op.contains("Integer") => {
            "export the model before it is quantized"
        }
        _ => "express it with supported operators when exporting",
    }
}
