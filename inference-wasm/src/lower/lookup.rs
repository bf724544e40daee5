//! A table of pairs: keys sorted when compiling, found by a binary search without branches whose
//! few steps are written out.

use wasm_encoder::ValType;

use super::Lower;
use crate::emit::code::val_type;
use crate::emit::nest::{Walk, nest};
use crate::emit::{Address, Code, scalar};
use crate::graph::build::strides;
use crate::graph::eval::Reader;
use crate::graph::{Id, Lookup, Type};
use crate::math::{Bin, Kind, run};

/// Lowers [`crate::graph::Op::Lookup`].
pub(super) fn lower(lower: &mut Lower, code: &mut Code, id: Id, table: &Lookup) {
    let node = lower.graph.node(id);
    let sorted = Sorted::new(table, node.ty);
    let (keys, values) = (lower.table(&sorted.keys), lower.table(&sorted.values));
    let steps = strides(&node.shape);
    let walks = [
        Walk::new(lower.at(code, id), &steps, node.ty.bytes()),
        Walk::new(lower.at(code, node.inputs[0]), &steps, table.key_type.bytes()),
    ];
    nest(code, &node.shape, &walks, 1, &mut |code, at| {
        find(code, table.key_type, node.ty, &sorted, keys, values, at);
    });
}

/// The table, by ascending key, NaN apart.
struct Sorted {
    n: usize,
    keys: Vec<u8>,
    values: Vec<u8>,
    default: u64,
    nan: Option<u64>,
}

impl Sorted {
    fn new(table: &Lookup, ty: Type) -> Sorted {
        let kind = Kind::from(table.key_type);
        let (keys, values) = (Reader(table.key_type, &table.keys.0), Reader(ty, &table.values.0));
        let is = |op: Bin, a: u64, b: u64| run::bin(op, kind, a, b) != 0;
        let (nan, mut order): (Vec<usize>, Vec<usize>) =
            (0..keys.len()).partition(|i| is(Bin::Ne, keys.get(*i), keys.get(*i)));
        order.sort_by(|a, b| match (keys.get(*a), keys.get(*b)) {
            (x, y) if is(Bin::Lt, x, y) => std::cmp::Ordering::Less,
            (x, y) if is(Bin::Gt, x, y) => std::cmp::Ordering::Greater,
            _ => a.cmp(b),
        });
        order.dedup_by(|b, a| is(Bin::Eq, keys.get(*a), keys.get(*b))); // the first of equal keys counts
        let pick = |reader: &Reader| -> Vec<u8> {
            let bytes = reader.0.bytes();
            order.iter().flat_map(|i| reader.1[i * bytes..(i + 1) * bytes].to_vec()).collect()
        };
        Sorted {
            n: order.len(),
            keys: pick(&keys),
            values: pick(&values),
            default: Reader(ty, &table.default.0).get(0),
            nan: nan.first().map(|i| values.get(*i)),
        }
    }
}

fn find(code: &mut Code, key: Type, value: Type, table: &Sorted, keys: u32, values: u32, at: &[Address]) {
    let kind = Kind::from(key);
    let (x, position) = (code.local(val_type(kind)), code.local(ValType::I32));
    code.load(key, at[1]);
    code.i().local_set(x).i32_const(0).local_set(position);
    let load = |code: &mut Code, ty: Type, base: u32, position: u32| {
        let pointer = code.local(ValType::I32);
        code.i().local_get(position).i32_const(ty.bytes() as i32).i32_mul().local_set(pointer);
        code.load(ty, Address { pointer: Some(pointer), offset: i64::from(base) });
        code.release(pointer);
    };
    let mut n = table.n;
    while n > 1 {
        let half = n / 2; // go on by half if the key there is not above x
        code.i().local_get(position);
        load(code, key, keys + (half * key.bytes()) as u32, position);
        code.i().local_get(x);
        scalar::bin(code, Bin::Le, kind);
        code.i().i32_const(half as i32).i32_mul().i32_add().local_set(position);
        n -= half;
    }
    let store = code.begin_store(at[0]);
    if table.n == 0 {
        code.constant(value.into(), table.default);
    } else {
        load(code, value, values, position);
        code.constant(value.into(), table.default);
        load(code, key, keys, position);
        code.i().local_get(x);
        scalar::bin(code, Bin::Eq, kind);
        code.i().select();
    }
    if let Some(nan) = table.nan {
        code.constant(value.into(), nan);
        code.i().local_get(x).local_get(x);
        scalar::bin(code, Bin::Eq, kind);
        code.i().select();
    }
    code.store(value, store);
    [x, position].into_iter().for_each(|local| code.release(local));
}
