//! Picks slices by index. A negative index counts from the end; one beyond the axis is brought to
//! its nearest end, so that no input can make the module read elsewhere.

use wasm_encoder::ValType;

use super::Lower;
use super::elementwise::copy;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code};
use crate::graph::{Id, Type};

/// Lowers [`crate::graph::Op::Gather`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, axis: usize) {
    let graph = lower.graph;
    let node = graph.node(id);
    let (data, index) = (graph.node(node.inputs[0]), graph.node(node.inputs[1]));
    let bytes = node.ty.bytes();
    let outer: usize = data.shape[..axis].iter().product();
    let inner: usize = data.shape[axis + 1..].iter().product();
    let (dim, count) = (data.shape[axis], index.len());
    let walks = [
        Walk::new(lower.at(code, id), &[count * inner, inner], bytes),
        Walk::new(lower.at(code, node.inputs[0]), &[dim * inner, 0], bytes),
        Walk::new(lower.at(code, node.inputs[1]), &[0, 1], index.ty.bytes()),
    ];
    let simd = lower.simd;
    nest(code, &[outer, count], &walks, 1, &mut |code, at| {
        let from = code.local(ValType::I32);
        position(code, index.ty, at[2], dim);
        code.i().i32_const((inner * bytes) as i32).i32_mul();
        if let Some(pointer) = at[1].pointer {
            code.i().local_get(pointer).i32_add();
        }
        code.i().local_set(from);
        let source = Address { pointer: Some(from), offset: at[1].offset };
        copy(code, simd, &[inner], Walk::new(at[0], &[1], bytes), Walk::new(source, &[1], bytes), node.ty);
        code.release(from);
    });
}

/// Pushes the position that the index at `at` means, as i32.
pub(super) fn position(code: &mut Code, ty: Type, at: Address, dim: usize) {
    let (i, dim) = (code.local(ValType::I64), dim as i64);
    code.load(ty, at);
    if ty == Type::I32 {
        code.i().i64_extend_i32_s();
    }
    let mut w = code.i();
    w.local_tee(i).i64_const(dim).i64_add().local_get(i).local_get(i).i64_const(0).i64_lt_s().select().local_set(i);
    w.i64_const(0).local_get(i).local_get(i).i64_const(0).i64_lt_s().select().local_set(i);
    w.i64_const(dim - 1).local_get(i).local_get(i).i64_const(dim - 1).i64_gt_s().select().i32_wrap_i64();
    code.release(i);
}
