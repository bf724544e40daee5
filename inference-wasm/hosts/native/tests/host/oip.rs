//! Open Inference Protocol tensors.

use contract::oip::InferRequest;
use host_native::oip;
use serde_json::{Value, json};

use crate::example::{loaded, manifest};

fn request(size: Value, color: Value, visits: Value) -> InferRequest {
    let tensor = |name: &str, datatype: &str, tensor: Value| {
        let mut tensor = tensor;
        tensor["name"] = json!(name);
        if tensor["datatype"].is_null() {
            tensor["datatype"] = json!(datatype);
        }
        tensor
    };
    let inputs =
        json!([tensor("visits", "INT64", visits), tensor("size", "FP32", size), tensor("color", "BYTES", color)]);
    serde_json::from_value(json!({"inputs": inputs})).unwrap()
}

fn rows(shape: Value, data: Value) -> Value {
    json!({"shape": shape, "data": data})
}

#[test]
fn tensors_in_any_order_flat_or_nested() {
    let module = loaded();
    let request = request(
        rows(json!([3, 1]), json!([[0], [1.0], [null]])),
        rows(json!([3, 1]), json!(["red", "green", null])),
        rows(json!([3, 1]), json!([1, 2, 3])),
    );
    let batch = oip::encode(module.manifest(), &request).unwrap();
    let outputs = oip::decode(module.manifest(), batch.rows, &module.run(&batch).unwrap());
    assert_eq!(
        serde_json::to_value(outputs).unwrap(),
        json!([
            {"name": "label", "shape": [3], "datatype": "INT64", "data": [2, 3, 4]},
            {"name": "probabilities", "shape": [3, 2], "datatype": "FP32", "data": [1.0, 0.0, 0.625, 0.375, null, null]},
        ])
    );
}

#[test]
fn faults_name_the_tensor_and_its_field() {
    let good =
        || (rows(json!([1, 1]), json!([1])), rows(json!([1, 1]), json!(["red"])), rows(json!([1, 1]), json!([1])));
    let check = |request: InferRequest, expected: &[&str]| {
        let faults = oip::encode(&manifest(), &request).unwrap_err();
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    };
    let (size, color, visits) = good();
    check(
        request(json!({"shape": [1, 1], "data": [1], "datatype": "FP64"}), color.clone(), rows(json!([1]), json!([1]))),
        &[
            "body.inputs[0].shape: Input should be of shape [rows, 1]",
            "body.inputs[1].datatype: Input should be of datatype FP32",
        ],
    );
    check(
        request(rows(json!([2, 1]), json!([1, 2])), color.clone(), visits.clone()),
        &["body.inputs: All inputs should have the same number of rows"],
    );
    check(
        request(rows(json!([u64::MAX, 1]), json!([1])), color.clone(), visits.clone()),
        &["body.inputs[1].data: Input should hold the 18446744073709551615 elements of its shape, not 1"],
    );
    let mut missing = request(size, color, rows(json!([1, 1]), json!(["many"])));
    missing.inputs.pop();
    missing.inputs[1].name = "weight".to_owned();
    check(
        missing,
        &[
            "body.inputs[0].data[0]: Input should be a valid integer",
            "body.inputs[1].name: The model has no input of this name",
            "body.inputs.size: Field required",
            "body.inputs.color: Field required",
        ],
    );
}
