//! Fused products: `sum + a · b` of vectors becomes one instruction that an engine may round once or twice, as its machine
//! does it faster. What was written is rewritten, so that no operator knows of it.

use wasm_encoder::InstructionSink;
use wasmparser::{BinaryReader, Operator, OperatorsReader};

use crate::Error;

/// The instructions with every `sum, a, b, f32x4.mul, f32x4.add` as `a, b, sum, f32x4.relaxed_madd`, and how many there
/// were.
pub fn relax(code: &[u8]) -> Result<(Vec<u8>, usize), Error> {
    let read = |error: wasmparser::BinaryReaderError| Error::bug(format!("instructions cannot be read: {error}"));
    let mut operators = OperatorsReader::new(BinaryReader::new(code, 0));
    let (mut all, mut starts) = (Vec::new(), Vec::new());
    while !operators.eof() {
        starts.push(operators.original_position());
        all.push(operators.read().map_err(read)?);
    }
    starts.push(code.len());
    let bytes = |from: usize, to: usize| &code[starts[from]..starts[to]];
    let (mut new, mut done, mut fused) = (Vec::with_capacity(code.len()), 0, 0);
    for at in 1..all.len() {
        if !matches!((&all[at - 1], &all[at]), (Operator::F32x4Mul, Operator::F32x4Add)) {
            continue;
        }
        let Some(sum) = sum(&all[..at - 1]).filter(|sum| *sum >= done) else { continue };
        new.extend_from_slice(bytes(done, sum));
        new.extend_from_slice(bytes(sum + 1, at - 1));
        new.extend_from_slice(bytes(sum, sum + 1));
        InstructionSink::new(&mut new).f32x4_relaxed_madd();
        (done, fused) = (at + 1, fused + 1);
    }
    new.extend_from_slice(bytes(done, all.len()));
    Ok((new, fused))
}

/// Where a local is pushed below the two operands at the end of `before`, which are pushed by loads and locals alone:
/// nothing in between can change it.
fn sum(before: &[Operator]) -> Option<usize> {
    let mut missing = 2;
    for (at, operator) in before.iter().enumerate().rev() {
        if missing == 0 {
            return matches!(operator, Operator::LocalGet { .. }).then_some(at);
        }
        match operator {
            Operator::LocalGet { .. } | Operator::I32Const { .. } => missing -= 1,
            Operator::V128Load { .. } | Operator::V128Load32Splat { .. } => {}
            Operator::I32Add => missing += 1,
            _ => return None,
        }
    }
    None
}
