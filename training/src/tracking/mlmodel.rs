//! `MLmodel`: the file by which MLflow's Python client loads a model folder (flavours `onnx` and `python_function`).

use contract::{Datatype, Manifest, TensorSpec};
use serde::Serialize;
use serde_json::{Value, json};

/// Version of the Python package `onnx` that the format was checked with.
const ONNX: &str = "1.22.0";

#[derive(Serialize)]
struct File<'a> {
    artifact_path: &'a str,
    flavors: Flavors<'a>,
    mlflow_version: &'a str,
    model_size_bytes: usize,
    model_uuid: &'a str,
    run_id: &'a str,
    signature: Signature,
    utc_time_created: String,
}

#[derive(Serialize)]
struct Flavors<'a> {
    onnx: Onnx<'a>,
    python_function: Function<'a>,
}

#[derive(Serialize)]
struct Onnx<'a> {
    code: Option<&'a str>,
    data: &'a str,
    onnx_version: &'a str,
    providers: [&'a str; 1],
}

#[derive(Serialize)]
struct Function<'a> {
    data: &'a str,
    env: Env<'a>,
    loader_module: &'a str,
    python_version: &'a str,
}

#[derive(Serialize)]
struct Env<'a> {
    virtualenv: &'a str,
}

#[derive(Serialize)]
struct Signature {
    inputs: String,
    outputs: String,
    params: Option<String>,
}

/// The file's text. `created_ms` is the time in milliseconds since 1970.
pub(crate) fn mlmodel(manifest: &Manifest, run_id: &str, onnx_bytes: usize, created_ms: i64) -> String {
    let file = File {
        artifact_path: "model",
        flavors: Flavors {
            onnx: Onnx { code: None, data: "model.onnx", onnx_version: ONNX, providers: ["CPUExecutionProvider"] },
            python_function: Function {
                data: "model.onnx",
                env: Env { virtualenv: "python_env.yaml" },
                loader_module: "mlflow.onnx",
                python_version: "3.11",
            },
        },
        mlflow_version: "3.17.2",
        model_size_bytes: onnx_bytes,
        model_uuid: run_id,
        run_id,
        signature: Signature {
            inputs: signature(&manifest.inputs),
            outputs: signature(&manifest.outputs),
            params: None,
        },
        utc_time_created: utc(created_ms),
    };
    serde_norway::to_string(&file).unwrap_or_default()
}

/// `requirements.txt`: what Python needs to run the model.
pub(crate) fn requirements() -> String {
    format!("mlflow==3.17.2\nonnx=={ONNX}\nonnxruntime\nprotobuf<7\n")
}

/// Tensors as MLflow's signature spells them.
fn signature(specs: &[TensorSpec]) -> String {
    let tensor = |spec: &TensorSpec| -> Value {
        let dtype = match spec.datatype {
            Datatype::Bytes => "str".to_owned(),
            Datatype::Fp16 => "float16".to_owned(),
            Datatype::Fp32 => "float32".to_owned(),
            Datatype::Fp64 => "float64".to_owned(),
            other => other.name().to_lowercase(),
        };
        json!({"name": spec.name, "type": "tensor", "tensor-spec": {"dtype": dtype, "shape": spec.shape}})
    };
    Value::Array(specs.iter().map(tensor).collect()).to_string()
}

/// `2026-11-23 10:00:00.000000`.
fn utc(ms: i64) -> String {
    contract::date::iso_time(ms).replace('T', " ").replace('Z', "000")
}

#[cfg(test)]
mod tests {
    #[test]
    fn time_in_utc() {
        assert_eq!(super::utc(1_709_210_096_789), "2024-02-29 12:34:56.789000");
        assert_eq!(super::utc(0), "1970-01-01 00:00:00.000000");
    }
}
