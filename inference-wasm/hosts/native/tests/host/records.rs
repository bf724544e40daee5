//! Records in, records out.

use host_native::records::Request;
use serde_json::{Value, json};

use crate::example::{loaded, manifest};

fn predict(body: Value) -> Value {
    let module = loaded();
    let request = Request::read(module.manifest(), body).unwrap();
    request.answer(module.manifest(), &module.run(&request.batch).unwrap())
}

fn faults(body: Value) -> Vec<String> {
    let faults = Request::read(&manifest(), body).unwrap_err();
    faults.iter().map(|fault| format!("{} {fault}", fault.kind)).collect()
}

#[test]
fn an_object_or_an_array_is_answered_in_kind() {
    let record = json!({"size": 2, "color": "green", "visits": 7});
    let answer = json!({"label": 8, "probabilities": {"no": 0.375, "yes": 0.625}});
    assert_eq!(predict(record.clone()), answer);
    assert_eq!(predict(json!([record, record, record])), json!([answer, answer, answer]));
    assert_eq!(predict(json!([])), json!([]));
}

#[test]
fn missing_unseen_and_rounded_values() {
    // A missing float is NaN, a missing string has id -2, an unseen one -1; NaN is answered as null.
    let answer = |size: Value, color: Value| {
        predict(json!({"size": size, "color": color, "visits": 1.0}))["probabilities"]["yes"].clone()
    };
    assert_eq!(answer(json!(null), json!("red")), json!(null));
    assert_eq!(answer(json!(1), json!(null)), json!(0.0));
    assert_eq!(answer(json!(1), json!("blue")), json!(0.125));
    assert_eq!(answer(json!(0.1), json!("red")), json!(0.02500000037252903)); // 0.1f32 / 4, widened
}

#[test]
fn every_fault_is_listed_and_no_value_is_repeated() {
    assert_eq!(
        faults(json!([{"size": "secret", "visits": 1.5}, {"size": 1, "color": 3, "visits": 0, "Size": 2}, 7])),
        [
            "float_type body[0].size: Input should be a valid number",
            "missing body[0].color: Field required",
            "int_from_float body[0].visits: Input should be a valid integer, got a number with a fractional part",
            "string_type body[1].color: Input should be a valid string",
            "extra_forbidden body[1].Size: Extra inputs are not permitted",
            "dict_type body[2]: Input should be a valid dictionary of named features",
        ]
    );
    let one = |size: Value, visits: Value| faults(json!({"size": size, "color": "red", "visits": visits}));
    assert_eq!(one(json!(1e39), json!(0)), ["finite_number body.size: Input should be a finite number"]);
    assert_eq!(one(json!(true), json!(0)), ["float_type body.size: Input should be a valid number"]);
    assert_eq!(one(json!(1), json!(null)), ["int_type body.visits: Input should be a valid integer"]);
    assert_eq!(
        one(json!(1), json!(9007199254740993_i64)),
        ["less_than_equal body.visits: Input should be less than or equal to 9007199254740992"]
    );
    assert_eq!(faults(json!(3)), ["dict_type body: Input should be a valid dictionary of named features"]);
}
