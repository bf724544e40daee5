//! Running batches.

use contract::manifest::TensorSpec;
use host_native::{Batch, Module, seal};

use crate::example::{batch, loaded, manifest, unsealed};

#[test]
fn batches_of_any_size_are_split_in_chunks() {
    let module = loaded();
    for rows in [0usize, 1, 2, 3, 7] {
        let input: Vec<(f32, i32, i64)> = (0..rows).map(|i| (i as f32, 1, 10 * i as i64)).collect();
        let outputs = module.run(&batch(&input)).unwrap();
        let labels: Vec<u8> = (0..rows as i64).flat_map(|i| (10 * i + 1).to_le_bytes()).collect();
        let yes: Vec<f32> = (0..rows).map(|i| i as f32 * 0.25 + 0.125).collect();
        let probabilities: Vec<u8> = yes.iter().flat_map(|p| [1.0 - p, *p]).flat_map(f32::to_le_bytes).collect();
        assert_eq!(outputs, [labels, probabilities], "{rows} rows");
    }
}

#[test]
fn threads_share_a_module() {
    let module = loaded();
    let expected = module.run(&batch(&[(2.0, 0, 5)])).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| assert_eq!(module.run(&batch(&[(2.0, 0, 5)])).unwrap(), expected)));
        }
    });
}

#[test]
fn a_failed_run_says_why_and_the_next_one_works() {
    let module = loaded();
    let check = |input: Batch, expected: &str| assert_eq!(module.run(&input).unwrap_err().to_string(), expected);
    check(batch(&[(1.0, 0, -7)]), "the model stopped with code 3");
    check(batch(&[(1.0, 0, -8)]), "the model did not finish: wasm trap: wasm `unreachable` instruction executed");
    check(Batch { rows: 1, inputs: vec![vec![0; 4]] }, "batch: 1 inputs where the model takes 3");
    let mut short = batch(&[(1.0, 0, 0)]);
    short.inputs[2].pop();
    check(short, "batch: input `visits`: 7 bytes, not 1 rows of 8");
    assert_eq!(module.run(&batch(&[(1.0, 0, 0)])).unwrap().len(), 2);
}

#[test]
fn pseudo_rows_are_the_same_everywhere() {
    let rows = seal::pseudo_rows(&manifest(), 3);
    assert_eq!(rows, seal::pseudo_rows(&manifest(), 3));
    assert_ne!(rows.inputs[0][..4], rows.inputs[0][4..8]);
    assert_eq!(rows.inputs.iter().map(Vec::len).collect::<Vec<_>>(), [12, 12, 24]);
    assert!(manifest().inputs.iter().map(TensorSpec::row_bytes).sum::<usize>() == 16);
}

#[test]
fn a_run_without_end_is_stopped() {
    let wat = r#"(module (memory (export "memory") 1)
      (func (export "run") (param i32) (result i32) (loop (br 0)) (unreachable)))"#;
    let module = Module::load(&unsealed(wat, &manifest())).unwrap();
    let error = module.run(&batch(&[(1.0, 0, 0)])).unwrap_err();
    assert_eq!(error.to_string(), "the model did not finish: it ran for more than 10 s and was stopped");
}
