//! Writes slices to positions that are values, one after the other.

use wasm_encoder::ValType;

use super::Lower;
use super::elementwise::{Source, copy, loops};
use super::gather::position;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code};
use crate::graph::eval_windows::combine;
use crate::graph::{Id, Scatter, Type};

/// Lowers [`crate::graph::Op::Scatter`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, how: Scatter) {
    let node = lower.graph.node(id);
    let (n, bytes, simd) = (lower.graph.node(node.inputs[1]).len(), node.ty.bytes(), lower.simd);
    let all = Walk::new(lower.at(code, id), &[1], bytes);
    let from = Walk::new(lower.at(code, node.inputs[0]), &[1], bytes);
    copy(code, simd, &[node.len()], all.clone(), from, node.ty);
    let slice = lower.graph.node(node.inputs[2]).len() / n.max(1);
    if slice == 0 {
        return;
    }
    let program = combine(how, node.ty).expect("the verifier has seen it");
    let walks = [
        Walk::new(lower.at(code, node.inputs[1]), &[1], 8),
        Walk::new(lower.at(code, node.inputs[2]), &[slice], bytes),
    ];
    nest(code, &[n], &walks, 1, &mut |code, at| {
        let place = code.local(ValType::I32);
        position(code, Type::I64, at[0], node.len() / slice);
        code.i().i32_const((slice * bytes) as i32).i32_mul();
        if let Some(pointer) = all.start.pointer {
            code.i().local_get(pointer).i32_add();
        }
        code.i().local_set(place);
        let target = Walk::new(Address { pointer: Some(place), offset: all.start.offset }, &[1], bytes);
        let sources = vec![Source::Memory(target.clone()), Source::Memory(Walk::new(at[1], &[1], bytes))];
        loops(code, simd, &[slice], target, sources, &program);
        code.release(place);
    });
}
