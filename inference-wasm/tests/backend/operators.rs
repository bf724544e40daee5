//! Every operator, on every type it allows.

use beira_inference_wasm::graph::Graph;
use beira_inference_wasm::graph::{Binary, Type, Unary};
use beira_inference_wasm::math::element;

use crate::check::{check, check_text, f32s, graph, to_f32s, to_i64s, values};

const TYPES: [Type; 11] = [
    Type::Bool,
    Type::I8,
    Type::U8,
    Type::I16,
    Type::U16,
    Type::I32,
    Type::U32,
    Type::I64,
    Type::U64,
    Type::F32,
    Type::F64,
];

#[test]
fn element_wise_operators_on_all_types() {
    use {Binary::*, Unary::*};
    for ty in TYPES {
        let mut g = Graph::default();
        let (a, b) = (g.input(&[3, 7], ty, "a"), g.input(&[7], ty, "b"));
        let unary = [
            Abs, Neg, Floor, Ceil, Round, Sqrt, Reciprocal, Exp, Log, Tanh, Erf, Sigmoid, Relu, Sign, Sin, Cos, Tan,
            Asin, Acos, Atan, Sinh, Cosh, Asinh, Acosh, Atanh, IsNan, Not, BitNot, FromHalf, ToHalf, FromBits,
        ];
        for op in unary.into_iter().filter(|op| element::unary(*op, ty).is_some()) {
            let y = g.unary(op, a);
            g.outputs.push(y);
        }
        let binary = [
            Add, Sub, Mul, Div, Mod, Fmod, Pow, Min, Max, Equal, Less, LessEqual, And, Or, Xor, BitAnd, BitOr, BitXor,
            ShiftLeft, ShiftRight,
        ];
        for op in binary.into_iter().filter(|op| element::binary(*op, ty).is_some()) {
            let y = g.binary(op, a, b);
            g.outputs.push(y);
        }
        let condition = g.binary(Equal, a, b);
        let chosen = g.select(condition, a, b);
        g.outputs.push(chosen);
        for to in TYPES {
            let y = g.cast(a, to);
            g.outputs.push(y);
        }
        check(&g, 20, &vec![values(ty, 21 * 20, 1), values(ty, 7 * 20, 2)]);
    }
}

#[test]
fn reductions_products_and_movements_on_all_types() {
    use beira_inference_wasm::graph::Reduce::*;
    for ty in TYPES {
        let mut g = Graph::default();
        let (a, b) = (g.input(&[2, 3, 5], ty, "a"), g.input(&[2, 5, 6], ty, "b"));
        let index = g.input(&[4], Type::I64, "index");
        let mut outputs = vec![g.transpose(a, &[2, 0, 1]), g.slice(a, 2, 4, -2, 3), g.slice(b, 1, 1, 1, 3)];
        outputs.push(g.gather(a, index, 1));
        outputs.push(g.concat(&[a, outputs[2]].map(|x| x)[..1], 0));
        let flat = g.reshape(a, &[30]);
        let twice = g.concat(&[flat, flat], 0);
        outputs.push(twice);
        let row = g.slice(a, 0, 1, 1, 1);
        outputs.push(g.broadcast(row, &[4, 3, 5]));
        for axis in (0..3).filter(|_| ty != Type::U64) {
            outputs.push(g.arg_extreme(a, axis, axis == 1, axis == 2));
        }
        if ty != Type::Bool {
            outputs.push(g.matmul(a, b));
            for op in [Sum, Mean, Max, Min, Prod] {
                for axes in [&[0][..], &[2], &[0, 2], &[0, 1, 2]] {
                    outputs.push(g.reduce(op, a, axes));
                }
            }
        }
        if ty.is_float() {
            outputs.extend((0..3).map(|axis| g.softmax(a, axis)));
        }
        g.outputs = outputs;
        let index: Vec<u8> = (0..12).map(|i| [0i64, -1, 2, 9, -7][i % 5]).flat_map(i64::to_le_bytes).collect();
        check(&g, 3, &vec![values(ty, 90, 5), values(ty, 180, 6), index]);
    }
}

#[test]
fn a_layer_of_any_width() {
    for n in [1, 2, 3, 4, 7, 16, 20, 35] {
        for k in [1, 5, 8, 9, 30] {
            let mut g = Graph::default();
            let x = g.input(&[1, k], Type::F32, "x");
            let weights: Vec<f32> = (0..k * n).map(|i| (i % 17) as f32 * 0.37 - 2.0).collect();
            let bias: Vec<f32> = (0..n).map(|i| i as f32 * 0.1 - 0.3).collect();
            let (w, bias) = (g.f32s(&weights, &[k, n]), g.f32s(&bias, &[n]));
            let y = g.matmul(x, w);
            let y = g.reshape(y, &[n]);
            let y = g.binary(Binary::Add, y, bias);
            let y = g.unary(Unary::Relu, y);
            g.outputs.push(y);
            check(&g, 5, &vec![values(Type::F32, 5 * k, 3)]);
        }
    }
}

#[test]
fn softmax_is_known() {
    let g = graph("%0 = input 0 : f32[3]\n%1 = softmax %0 axis=0 : f32[3]\nreturn %1");
    let y = to_f32s(&check(&g, 1, &vec![f32s(&[1.0, 2.0, 3.0])])[0]);
    let expected = [0.09003057, 0.24472848, 0.66524094];
    assert!(y.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-7), "{y:?}");
}

#[test]
fn the_first_or_the_last_of_equal_ones() {
    let g = graph(
        "%0 = input 0 : f32[4]\n%1 = arg %0 axis=0 greatest first : i64[1]\n%2 = arg %0 axis=0 greatest last : i64[1]\n\
         %3 = arg %0 axis=0 least first : i64[1]\nreturn %1, %2, %3",
    );
    let y = check(&g, 1, &vec![f32s(&[1.0, 3.0, 3.0, 1.0])]);
    assert_eq!(y.iter().map(|y| to_i64s(y)[0]).collect::<Vec<_>>(), [1, 2, 0]);
}

#[test]
fn lookups_find_each_key_and_nothing_else() {
    let y = check_text(
        "%0 = input 0 : f32[9]
         %1 = lookup %0 f32 [3, -1, NaN, 2, 0.5] [30, -10, 99, 20, 5] -7 : i64[9]
         %2 = input 1 : i64[5]
         %3 = lookup %2 i64 [1, 0, 2] [1.5, 2.5, 3.5] NaN : f32[5]
         %4 = input 2 : i32[4]
         %5 = lookup %4 i32 [2] [1] 0 : bool[4]
         %6 = lookup %4 i32 [] [] 5 : i32[4]
         return %1, %3, %5, %6",
    );
    assert!(to_i64s(&y[0]).contains(&-7));
    let g = graph("%0 = input 0 : f32[4]\n%1 = lookup %0 f32 [2, 1, NaN] [20, 10, 99] -7 : i64[4]\nreturn %1");
    let y = check(&g, 1, &vec![f32s(&[1.0, f32::NAN, 2.0, 1.5])]);
    assert_eq!(to_i64s(&y[0]), [10, 99, 20, -7]);
}

#[test]
fn one_hot_and_constants_as_outputs() {
    check_text(
        "%0 = input 0 : i32[2]
         %1 = onehot %0 categories=i32 [0, 1, 2, -1, -2] : f32[2, 5]
         %2 = const [1, NaN, -0] : f32[3]
         %3 = const [7] : i64[1]
         %4 = reshape %0 : i32[1, 2]
         return %1, %2, %3, %0, %4, %4",
    );
}

#[test]
fn an_operand_read_after_long_stays_as_it_is() {
    // %1 must not be overwritten while %2 to %5 come and go.
    check_text(
        "%0 = input 0 : f32[9]
         %1 = softmax %0 axis=0 : f32[9]
         %2 = softmax %1 axis=0 : f32[9]
         %3 = softmax %2 axis=0 : f32[9]
         %4 = softmax %3 axis=0 : f32[9]
         %5 = add %4, %1 : f32[9]
         %6 = reshape %1 : f32[3, 3]
         %7 = softmax %6 axis=0 : f32[3, 3]
         %8 = reducesum %6 axes=[1] : f32[3, 1]
         return %5, %7, %8",
    );
}

#[test]
fn convolutions_of_every_kind() {
    // 3 × 3 over 2 channels into 5, in strides of 1 (whole vectors and a rest) and of 2.
    for (steps, size) in [(1, 9), (2, 4)] {
        let (start, down) = (1, 11 * steps);
        check_text(&format!(
            "%0 = input 0 : f32[2, 11, 11]
             %1 = input 1 : f32[5, 2, 3, 3]
             %2 = contract %1, %0 inner=[2, 3, 3] left=0 [18, 0, 0] [9, 3, 1] right={start} [0, {down}, {steps}] [121, 11, 1] : f32[5, {size}, {}]
             %3 = relu %2 : f32[5, {size}, {}]
             return %3",
            size - steps % 2,
            size - steps % 2,
        ));
    }
    // Each channel by itself, on both kinds of numbers and of a fused bias.
    for ty in ["f32", "f64", "i32", "u8"] {
        check_text(&format!(
            "%0 = input 0 : {ty}[6, 5, 8]
             %1 = input 1 : {ty}[6, 3, 2]
             %2 = contract %1, %0 inner=[3, 2] left=0 [6, 0, 0] [2, 1] right=0 [40, 8, 1] [8, 1] : {ty}[6, 3, 7]
             %3 = input 2 : {ty}[6, 1, 1]
             %4 = add %2, %3 : {ty}[6, 3, 7]
             return %4"
        ));
    }
    // 1 × 1: a matrix product over a long window.
    check_text(
        "%0 = input 0 : f32[37, 13]
         %1 = input 1 : f32[7, 37]
         %2 = contract %1, %0 inner=[37] left=0 [37, 0] [1] right=0 [0, 1] [13] : f32[7, 13]
         return %2",
    );
}

/// Results that the next one reads padded are written to where it reads them; where they are few, too many or not
/// for it alone they are copied.
#[test]
fn convolutions_in_a_frame() {
    for (width, more) in [(16, ""), (20, ""), (18, ""), (7, ""), (16, ", %5")] {
        check_text(&format!(
            "%0 = input 0 : f32[3, 6, {width}]
             %1 = input 1 : f32[5, 3]
             %2 = contract %1, %0 inner=[3] left=0 [3, 0, 0] [1] right=0 [0, {width}, 1] [{plane}] : f32[5, 6, {width}]
             %3 = input 2 : f32[5, 1, 1]
             %4 = add %2, %3 : f32[5, 6, {width}]
             %5 = relu %4 : f32[5, 6, {width}]
             %6 = pad %5 before=[0, 1, 2] between=[0, 0, 0] value=7 : f32[5, 9, {padded}]
             %7 = poolmax %6 inner=[3, 3] operand=0 [{outer}, {padded}, 1] [{padded}, 1] : f32[5, 7, {over}]
             return %7{more}",
            plane = 6 * width,
            padded = width + 3,
            outer = 9 * (width + 3),
            over = width + 1,
        ));
    }
}

/// Columns that many rows read, not one after the other: they are packed. Every second one, windows of two axes, a rest of
/// rows and of columns, two pictures.
#[test]
fn convolutions_that_pack() {
    for (steps, size) in [(1, 13), (2, 7)] {
        check_text(&format!(
            "%0 = input 0 : f32[2, 2, 15, 15]
             %1 = input 1 : f32[18, 2, 3, 3]
             %2 = contract %1, %0 inner=[2, 3, 3] left=0 [0, 18, 0, 0] [9, 3, 1] right=0 [450, 0, {down}, {steps}] [225, 15, 1] : f32[2, 18, {size}, {size}]
             %3 = relu %2 : f32[2, 18, {size}, {size}]
             return %3",
            down = 15 * steps,
        ));
    }
}

/// More weights than picture: the loops are turned round.
#[test]
fn convolutions_with_many_weights() {
    check_text(
        "%0 = input 0 : f32[2, 21, 11]
         %1 = input 1 : f32[2, 30, 21]
         %2 = contract %1, %0 inner=[21] left=0 [630, 21, 0] [1] right=0 [231, 0, 1] [11] : f32[2, 30, 11]
         return %2",
    );
}

/// Panels of all columns, of as many as a cache holds, and what is left of rows and columns.
#[test]
fn convolutions_that_pack_many_columns() {
    for (window, columns) in [(700, 42), (3000, 90)] {
        check_text(&format!(
            "%0 = input 0 : f32[{window}, {columns}]
             %1 = input 1 : f32[98, {window}]
             %2 = contract %1, %0 inner=[{window}] left=0 [{window}, 0] [1] right=0 [0, 1] [{columns}] : f32[98, {columns}]
             return %2"
        ));
    }
}

/// Each channel by itself behind a sum over all channels: a few channels go through both, then the next ones. In a frame,
/// with a border and without, in steps of 1 and 2, columns packed or too many for it; where the channels do not divide or
/// one of the values has another reader, one after the other.
#[test]
fn convolutions_band_by_band() {
    for (window, channels, size, steps, more) in [
        (3, 20, 16, 1, ""),
        (3, 24, 16, 2, ""),
        (3, 8, 7, 1, ""),
        (3, 10, 16, 1, ""),
        (3, 8, 7, 1, ", %3"),
        (3, 8, 7, 1, ", %4"),
        (700, 100, 16, 1, ""),
        (70, 20, 14, 2, ""),
        (200, 20, 80, 1, ""),
    ] {
        let results = (size - 1) / steps + 1;
        check_text(&format!(
            "%0 = input 0 : f32[{window}, {size}, {size}]
             %1 = input 1 : f32[{channels}, {window}]
             %2 = contract %1, %0 inner=[{window}] left=0 [{window}, 0, 0] [1] right=0 [0, {size}, 1] [{plane}] : f32[{channels}, {size}, {size}]
             %3 = relu %2 : f32[{channels}, {size}, {size}]
             %4 = pad %3 before=[0, 1, 1] between=[0, 0, 0] value=0 : f32[{channels}, {padded}, {padded}]
             %5 = input 2 : f32[{channels}, 3, 3]
             %6 = contract %5, %4 inner=[3, 3] left=0 [9, 0, 0] [3, 1] right=0 [{outer}, {down}, {steps}] [{padded}, 1] : f32[{channels}, {results}, {results}]
             %7 = input 3 : f32[{channels}, 1, 1]
             %8 = add %6, %7 : f32[{channels}, {results}, {results}]
             return %8{more}",
            plane = size * size,
            padded = size + 2,
            outer = (size + 2) * (size + 2),
            down = (size + 2) * steps,
        ));
    }
}

/// A product of many rows with constant weights is made tile by tile.
#[test]
fn products_of_many_rows() {
    for (rows, columns) in [(9, 13), (33, 6), (5, 3)] {
        let weights: Vec<String> = (0..7 * columns).map(|i| format!("{}", (i * 37 % 19) as f32 * 0.25 - 2.0)).collect();
        check_text(&format!(
            "%0 = input 0 : f32[2, {rows}, 7]
             %1 = const [{}] : f32[7, {columns}]
             %2 = matmul %0, %1 : f32[2, {rows}, {columns}]
             %3 = input 1 : f32[{columns}]
             %4 = add %2, %3 : f32[2, {rows}, {columns}]
             return %4",
            weights.join(", "),
        ));
    }
}

/// Bounds of either sign, zeros among them, on both sides of the operand.
#[test]
fn bounds() {
    for bound in ["0", "-0", "1.5", "-2"] {
        for op in ["min", "max"] {
            check_text(&format!(
                "%0 = input 0 : f32[23]
                 %1 = const [{bound}] : f32[1]
                 %2 = {op} %0, %1 : f32[23]
                 %3 = {op} %1, %0 : f32[23]
                 return %2, %3"
            ));
        }
    }
}

#[test]
fn paddings_and_pools() {
    for ty in ["f32", "f64", "i64", "i8"] {
        check_text(&format!(
            "%0 = input 0 : {ty}[3, 4, 5]
             %1 = pad %0 before=[0, 1, 2] between=[0, 1, 0] value=7 : {ty}[3, 9, 10]
             %2 = poolmax %0 inner=[2, 2] operand=0 [20, 5, 1] [5, 1] : {ty}[3, 3, 4]
             %3 = poolsum %0 inner=[2, 2] operand=0 [20, 10, 2] [5, 1] : {ty}[3, 2, 2]
             %4 = poolmean %0 inner=[3, 1] operand=5 [20, 1, 1] [5, 1] : {ty}[3, 1, 5]
             return %1, %2, %3, %4"
        ));
    }
}

#[test]
fn positions_that_are_values() {
    let g = graph(
        "%0 = input 0 : f32[4, 2]
         %1 = input 1 : i64[3]
         %2 = input 2 : f32[3, 2]
         %3 = scatter %0, %1, %2 : f32[4, 2]
         %4 = scatteradd %0, %1, %2 : f32[4, 2]
         %5 = scattermax %0, %1, %2 : f32[4, 2]
         %6 = topk %0 axis=0 greatest : i64[2, 2]
         %7 = cumsum %0 axis=0 : f32[4, 2]
         %8 = cumsum %0 axis=1 reverse exclusive : f32[4, 2]
         %9 = cumprod %0 axis=0 : f32[4, 2]
         return %3, %4, %5, %6, %7, %8, %9",
    );
    let places: Vec<u8> = [1i64, -1, 1].into_iter().flat_map(i64::to_le_bytes).collect();
    let data = f32s(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, f32::NAN, 8.0]);
    let y = check(&g, 1, &vec![data, places, f32s(&[10.0, 20.0, 30.0, 40.0, 50.0, 60.0])]);
    assert_eq!(to_f32s(&y[0])[..4], [1.0, 2.0, 50.0, 60.0]);
    assert_eq!(to_f32s(&y[1])[..4], [1.0, 2.0, 63.0, 84.0]);
    assert_eq!(to_i64s(&y[3]), [3, 3, 2, 2]); // NaN is the greatest
    assert_eq!(to_f32s(&y[4])[..6], [1.0, 2.0, 4.0, 6.0, 9.0, 12.0]);
    assert_eq!(to_f32s(&y[5])[..2], [2.0, 0.0]);
    for ty in ["f64", "i32", "u8", "i16"] {
        check_text(&format!(
            "%0 = input 0 : {ty}[2, 9]
             %1 = topk %0 axis=1 least : i64[2, 4]
             %2 = topk %0 axis=1 greatest : i64[2, 9]
             %3 = cumsum %0 axis=1 reverse : {ty}[2, 9]
             return %1, %2, %3"
        ));
    }
}
