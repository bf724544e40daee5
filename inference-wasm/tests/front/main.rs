//! The front against onnxruntime: each model of `tests/models` with the answers that onnxruntime gave.

mod answers;
mod build;
mod errors;
mod forms;
mod hostile;
mod operators;
mod signature;
mod support;

use support::{check, folder};

#[test]
fn every_model_answers_as_onnxruntime_does() {
    let mut names: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
    names.retain(|p| p.extension().is_some_and(|e| e == "onnx"));
    names.sort();
    assert!(names.len() >= 10, "make_models.py has made {} models", names.len());
    for path in names {
        check(&path, &path.with_extension("json"));
    }
}

/// Models of one's own: `BEIRA_MODELS=folder cargo nextest run --run-ignored all`; each is a folder with `model.onnx` and
/// cases `case*.json`.
#[test]
#[ignore = "needs a folder of models, named by BEIRA_MODELS"]
fn models_of_ones_own() {
    let root = std::env::var("BEIRA_MODELS").expect("BEIRA_MODELS names a folder");
    let mut failed = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let mut cases: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        cases.retain(|p| p.extension().is_some_and(|e| e == "json"));
        cases.sort();
        for case in cases {
            if std::panic::catch_unwind(|| check(&folder.join("model.onnx"), &case)).is_err() {
                failed.push(case);
            }
        }
    }
    assert!(failed.is_empty(), "{} failed: {failed:#?}", failed.len());
}
