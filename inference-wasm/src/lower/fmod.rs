//! The exact remainder of two f64, with the sign of the dividend: subtract the divisor, doubled as
//! often as it fits, until the rest is below it. Each subtraction is exact (Sterbenz).

use wasm_encoder::{BlockType, ValType};

use crate::emit::Code;

/// Takes dividend and divisor from the stack, leaves the remainder.
pub(crate) fn emit(code: &mut Code) {
    let [a, b, r, d, t] = [0; 5].map(|_| code.local(ValType::F64));
    let mut i = code.i();
    i.local_set(b).local_tee(a).f64_abs().local_set(r);
    i.local_get(b).f64_abs().local_set(d);
    // NaN for a NaN, an infinite dividend or a divisor of 0.
    i.block(BlockType::Result(ValType::F64));
    i.local_get(r).f64_const(f64::INFINITY.into()).f64_lt().i32_eqz();
    i.local_get(d).f64_const(0.0.into()).f64_gt().i32_eqz().i32_or();
    i.if_(BlockType::Empty).f64_const(f64::NAN.into()).br(1).end();
    i.local_get(d).local_set(t);
    // t = d 2^n, the greatest that is at most r / 2 times 2 (never overflowing).
    i.block(BlockType::Empty).loop_(BlockType::Empty);
    i.local_get(t).local_get(r).f64_const(0.5.into()).f64_mul().f64_le().i32_eqz().br_if(1);
    i.local_get(t).local_get(t).f64_add().local_set(t).br(0).end().end();
    // Down again, taking t off where it fits, until the rest is below the divisor.
    i.block(BlockType::Empty).loop_(BlockType::Empty);
    i.local_get(r).local_get(d).f64_lt().br_if(1);
    i.local_get(r).local_get(t).f64_ge().if_(BlockType::Empty);
    i.local_get(r).local_get(t).f64_sub().local_set(r).end();
    i.local_get(t).f64_const(0.5.into()).f64_mul().local_set(t).br(0).end().end();
    i.local_get(r).local_get(a).f64_copysign();
    i.end();
    [a, b, r, d, t].into_iter().for_each(|local| code.release(local));
}
