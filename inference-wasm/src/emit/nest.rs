//! Loops over strided memory: as few as the strides allow, short ones written out.

use wasm_encoder::ValType;

use super::code::{Address, Code};

/// How one operand is walked through.
#[derive(Clone, Debug)]
pub struct Walk {
    /// Where it begins.
    pub start: Address,
    /// Bytes to go on for a step of each loop, outermost first.
    pub strides: Vec<i64>,
}

impl Walk {
    /// A walk from `start` with strides in elements of `bytes` bytes.
    pub fn new(start: Address, strides: &[usize], bytes: usize) -> Walk {
        Walk { start, strides: strides.iter().map(|s| (s * bytes) as i64).collect() }
    }
}

/// Loops of length 1 taken out, and loops that are one for every operand made one. At least one stays.
pub fn merge(extents: &[usize], walks: &[Walk]) -> (Vec<usize>, Vec<Walk>) {
    let mut dims: Vec<(usize, Vec<i64>)> = Vec::new();
    for (d, extent) in extents.iter().enumerate().filter(|(_, e)| **e != 1) {
        let strides: Vec<i64> = walks.iter().map(|w| w.strides[d]).collect();
        match dims.last_mut() {
            Some((n, outer)) if outer.iter().zip(&strides).all(|(o, s)| *o == s * *extent as i64) => {
                *n *= extent;
                *outer = strides;
            }
            _ => dims.push((*extent, strides)),
        }
    }
    if dims.is_empty() {
        dims.push((1, vec![0; walks.len()]));
    }
    let merged = walks
        .iter()
        .enumerate()
        .map(|(n, w)| Walk { start: w.start, strides: dims.iter().map(|(_, s)| s[n]).collect() })
        .collect();
    (dims.into_iter().map(|(n, _)| n).collect(), merged)
}

/// Runs `body` for each combination of the loops, with the address of each operand. Inner loops of
/// at most `unroll` rounds together are written out.
pub fn nest(
    code: &mut Code,
    extents: &[usize],
    walks: &[Walk],
    unroll: usize,
    body: &mut dyn FnMut(&mut Code, &[Address]),
) {
    if extents.contains(&0) {
        return;
    }
    let mut loops = extents.len();
    let mut rounds = 1;
    while loops > 0 && rounds * extents[loops - 1] <= unroll {
        loops -= 1;
        rounds *= extents[loops];
    }
    // A pointer for each operand that moves in a loop; operands that move alike share one.
    let mut pointers: Vec<(Option<u32>, Vec<i64>, u32)> = Vec::new();
    let mut addresses = Vec::new();
    for walk in walks {
        let start = walk.start;
        let moves = &walk.strides[..loops];
        if moves.iter().all(|s| *s == 0) {
            addresses.push(start);
            continue;
        }
        let backward = moves.iter().any(|s| *s < 0);
        let known = pointers.iter().find(|(base, strides, _)| !backward && *base == start.pointer && strides == moves);
        if let Some((.., local)) = known {
            addresses.push(Address { pointer: Some(*local), offset: start.offset });
            continue;
        }
        let local = code.local(ValType::I32);
        match start.pointer {
            Some(base) => code.i().local_get(base),
            None => code.i().i32_const(0),
        };
        code.i().local_set(local);
        let mut address = Address { pointer: Some(local), offset: start.offset };
        if backward {
            code.advance(local, start.offset);
            address.offset = 0; // so that the pointer never falls below 0
            pointers.push((Some(u32::MAX), moves.to_vec(), local));
        } else {
            pointers.push((start.pointer, moves.to_vec(), local));
        }
        addresses.push(address);
    }
    level(code, extents, walks, loops, 0, &pointers, &addresses, body);
    pointers.into_iter().for_each(|(.., local)| code.release(local));
}

type Pointers = [(Option<u32>, Vec<i64>, u32)];

#[allow(clippy::too_many_arguments)] // the state of a recursion
fn level(
    code: &mut Code,
    extents: &[usize],
    walks: &[Walk],
    loops: usize,
    depth: usize,
    pointers: &Pointers,
    addresses: &[Address],
    body: &mut dyn FnMut(&mut Code, &[Address]),
) {
    if depth == loops {
        return unrolled(code, extents, walks, depth, addresses, body);
    }
    code.times(extents[depth], |code| {
        level(code, extents, walks, loops, depth + 1, pointers, addresses, body);
        for (_, strides, local) in pointers {
            // What the inner loops moved is taken back in the same step.
            let inner = if depth + 1 < loops { extents[depth + 1] as i64 * strides[depth + 1] } else { 0 };
            code.advance(*local, strides[depth] - inner);
        }
    });
}

fn unrolled(
    code: &mut Code,
    extents: &[usize],
    walks: &[Walk],
    depth: usize,
    addresses: &[Address],
    body: &mut dyn FnMut(&mut Code, &[Address]),
) {
    if depth == extents.len() {
        return body(code, addresses);
    }
    for i in 0..extents[depth] as i64 {
        let moved: Vec<Address> = addresses.iter().zip(walks).map(|(a, w)| a.plus(i * w.strides[depth])).collect();
        unrolled(code, extents, walks, depth + 1, &moved, body);
    }
}
