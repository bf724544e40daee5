//! Operators that tract lacks, or has in fewer forms: examples with their answers.

use tract_onnx::pb::tensor_proto::DataType::{self, Bool, Float, Int8, Int64, Uint8, Undefined};

use crate::answers::{answer, check, floats, number, one, region};
use crate::build::{bytes, float, int, int64, ints, model, node, typed, word};

#[test]
fn one_hot_of_values_that_are_fed() {
    let depth = vec![int64("d", &[], &[3])];
    let nodes = vec![node("OneHot", &["x", "d", "v"], "y", vec![int("axis", 1)])];
    let model = typed(&[("x", Int64, &[2]), ("v", Float, &[2])], ("y", Float), depth, nodes);
    let places: Vec<u8> = [0i64, -1].iter().flat_map(|i| i.to_le_bytes()).collect();
    let got = answer(&model, vec![places, region(&[5.0, 7.0])]).1;
    assert_eq!(floats(&got), [7.0, 5.0, 5.0, 5.0, 5.0, 7.0]);
}

#[test]
fn running_products() {
    let along = |attributes| one(&[0, 4], vec![int64("a", &[], &[1])], "CumProd", &["x", "a"], attributes);
    let x: &[f32] = &[2.0, 3.0, 0.5, 4.0];
    check(&along(vec![]), &[x], &[2.0, 6.0, 3.0, 12.0]);
    check(&along(vec![int("exclusive", 1), int("reverse", 1)]), &[x], &[6.0, 2.0, 4.0, 1.0]);
}

#[test]
fn windows() {
    let x: &[f32] = &[3.0, -4.0, 12.0, 5.0];
    check(
        &one(&[0, 1, 4], vec![], "LpPool", &["x"], vec![ints("kernel_shape", &[2])]),
        &[x],
        &[5.0, 160f32.sqrt(), 13.0],
    );
    let cube = vec![ints("kernel_shape", &[2]), ints("strides", &[2]), int("p", 3)];
    check(&one(&[0, 1, 4], vec![], "LpPool", &["x"], cube), &[x], &[91f32.cbrt(), 1853f32.cbrt()]);
    let lrn = vec![int("size", 3), number("alpha", 3.0), number("beta", 0.5), number("bias", 1.0)];
    let by = |squares: f32| (1.0 + squares).sqrt();
    check(
        &one(&[0, 4, 1], vec![], "LRN", &["x"], lrn),
        &[x],
        &[3.0 / by(25.0), -4.0 / by(169.0), 12.0 / by(185.0), 5.0 / by(169.0)],
    );
}

#[test]
fn sampling_between_elements_and_beyond_them() {
    let at = |mode: &str, padding: &str, corners: i64, places: &[f32]| {
        let grid = float("g", &[1, 1, places.len() as i64 / 2, 2], places);
        let attributes = vec![word("mode", mode), word("padding_mode", padding), int("align_corners", corners)];
        one(&[1, 1, 2, 2], vec![grid], "GridSample", &["x", "g"], attributes)
    };
    let x: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    check(&at("bilinear", "zeros", 1, &[0.0, 0.0, -1.0, 1.0, 3.0, 0.0]), &[x], &[2.5, 3.0, 0.0]);
    check(&at("bilinear", "border", 0, &[-9.0, -9.0, 0.5, 0.0]), &[x], &[1.0, 3.0]);
    check(&at("nearest", "reflection", 0, &[1.6, -0.5]), &[x], &[2.0]);
    check(&at("bicubic", "border", 1, &[0.0, -1.0]), &[x], &[1.5]);
}

#[test]
fn normalized_by_given_numbers_and_by_the_batch() {
    let channels = |name: &str, numbers| float(name, &[2], numbers);
    let given = || {
        vec![
            channels("s", &[2.0, 1.0]),
            channels("b", &[0.5, 0.0]),
            channels("m", &[1.0, 2.0]),
            channels("v", &[4.0, 1.0]),
        ]
    };
    let names = ["x", "s", "b", "m", "v"];
    let model = one(&[0, 2], given(), "BatchNormalization", &names, vec![number("epsilon", 0.0)]);
    check(&model, &[&[3.0, 5.0]], &[2.5, 3.0]);
    let training = vec![number("epsilon", 0.0), int("training_mode", 1)];
    let model = one(&[2, 2], given(), "BatchNormalization", &names, training);
    check(&model, &[&[1.0, 0.0, 3.0, 4.0]], &[-1.5, -1.0, 2.5, 1.0]);
}

#[test]
fn padding_of_every_kind() {
    let pads = |pads: &[i64]| vec![int64("p", &[4], &[0, pads[0], 0, pads[1]])];
    let x: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    let wrap = one(&[0, 4], pads(&[1, 2]), "Pad", &["x", "p"], vec![word("mode", "wrap")]);
    check(&wrap, &[x], &[4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0]);
    check(&one(&[0, 4], pads(&[-1, 1]), "Pad", &["x", "p"], vec![]), &[x], &[2.0, 3.0, 4.0, 0.0]);
    let mirror = one(&[0, 4], pads(&[4, 1]), "Pad", &["x", "p"], vec![word("mode", "reflect")]);
    check(&mirror, &[x], &[3.0, 4.0, 3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0]);
    let edge = one(&[0, 4], pads(&[2, 1]), "Pad", &["x", "p"], vec![word("mode", "edge")]);
    check(&edge, &[x], &[1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
    let fed = [("x", Float, &[1, 2][..]), ("v", Float, &[])];
    let fed = typed(&fed, ("y", Float), pads(&[1, 1]), vec![node("Pad", &["x", "p", "v"], "y", vec![])]);
    check(&fed, &[&[1.0, 2.0], &[9.0]], &[9.0, 1.0, 2.0, 9.0]);
}

#[test]
fn chosen_slices_and_slopes_by_channel() {
    let chosen = vec![bytes("c", Bool, &[3], &[0, 1, 1])];
    check(&one(&[0, 4], chosen, "Compress", &["x", "c"], vec![int("axis", 1)]), &[&[1.0, 2.0, 3.0, 4.0]], &[2.0, 3.0]);
    let slopes = vec![float("s", &[2], &[0.5, 0.1])];
    let x: &[f32] = &[-1.0, 2.0, -3.0, -1.0, 2.0, -3.0];
    check(&one(&[0, 2, 3], slopes, "PRelu", &["x", "s"], vec![]), &[x], &[-0.5, 2.0, -1.5, -0.1, 2.0, -0.3]);
}

#[test]
fn convolutions_of_integers() {
    let kernel = || bytes("w", Int8, &[1, 1, 2], &[1, 0xff]);
    let zero = |name: &str, ty: DataType, at: u8| bytes(name, ty, &[], &[at]);
    let constants = vec![kernel(), zero("z", Uint8, 128)];
    let nodes = vec![node("ConvInteger", &["x", "w", "z"], "y", vec![ints("pads", &[1, 0])])];
    let model = typed(&[("x", Uint8, &[1, 1, 3])], ("y", Undefined), constants, nodes);
    let sums: Vec<u8> = [-2i32, 2 - 127, 127].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(answer(&model, vec![vec![130, 255, 128]]).1, sums);
    let scale = |name: &str, x: f32| float(name, &[], &[x]);
    let constants = vec![
        kernel(),
        zero("z", Uint8, 128),
        zero("k", Int8, 0),
        zero("o", Uint8, 10),
        scale("a", 0.5),
        scale("b", 2.0),
        scale("c", 4.0),
    ];
    let nodes = vec![node("QLinearConv", &["x", "a", "z", "w", "b", "k", "c", "o"], "y", vec![])];
    let model = typed(&[("x", Uint8, &[1, 1, 3])], ("y", Undefined), constants, nodes);
    assert_eq!(answer(&model, vec![vec![148, 128, 255]]).1, [15, 0], "20 / 4 + 10, and below 0");
}

#[test]
fn scales_for_blocks() {
    let constants = vec![float("s", &[1, 2], &[0.5, 2.0])];
    let nodes = vec![node("DequantizeLinear", &["x", "s"], "y", vec![int("axis", 1), int("block_size", 2)])];
    let model = typed(&[("x", Int8, &[1, 4])], ("y", Float), constants, nodes);
    assert_eq!(floats(&answer(&model, vec![vec![1, 2, 3, 0xff]]).1), [0.5, 1.0, 6.0, -2.0]);
}

#[test]
fn extremes_and_diagonals_of_every_type() {
    let nodes = vec![node("ReduceMax", &["x"], "y", vec![ints("axes", &[1]), int("keepdims", 0)])];
    let any = typed(&[("x", Bool, &[0, 3])], ("y", Bool), vec![], nodes);
    assert_eq!(answer(&any, vec![vec![0, 1, 0]]).1, [1]);
    let nodes = vec![node("Einsum", &["x"], "y", vec![word("equation", "bii->bi")])];
    check(&model(&[0, 2, 2], vec![], nodes), &[&[1.0, 2.0, 3.0, 4.0]], &[1.0, 4.0]);
}

/// Two places that look at two others: a mask hides one, a cap keeps scores near 0.
#[test]
fn attention_with_cap_and_mask() {
    let constants = vec![
        float("k", &[1, 1, 2, 1], &[1.0, -1.0]),
        float("v", &[1, 1, 2, 1], &[10.0, 20.0]),
        bytes("m", Bool, &[2, 2], &[1, 1, 0, 1]),
    ];
    let attributes = vec![number("scale", 1.0), number("softcap", 0.5)];
    let model = one(&[1, 1, 2, 1], constants, "Attention", &["x", "k", "v", "m"], attributes);
    let capped = 0.5 * (3f32 / 0.5).tanh();
    let share = 1.0 / (1.0 + (-2.0 * capped).exp());
    check(&model, &[&[3.0, 1.0]], &[10.0 * share + 20.0 * (1.0 - share), 20.0]);
}

#[test]
fn spectra() {
    let x: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    let along = |attributes| one(&[0, 4, 1], vec![], "DFT", &["x"], attributes);
    check(&along(vec![int("onesided", 1), int("axis", 1)]), &[x], &[10.0, 0.0, -2.0, 2.0, -2.0, 0.0]);
    let there_and_back = vec![
        node("DFT", &["x"], "f", vec![int("axis", 1)]),
        node("DFT", &["f"], "b", vec![int("axis", 1), int("inverse", 1)]),
        node("Mul", &["b", "real"], "r", vec![]),
        node("ReduceSum", &["r", "last"], "y", vec![]),
    ];
    let constants = vec![float("real", &[2], &[1.0, 0.0]), int64("last", &[1], &[2])];
    check(&model(&[0, 4, 1], constants, there_and_back), &[x], x);
    let constants = vec![int64("step", &[], &[2]), float("w", &[2], &[1.0, 0.5])];
    let frames = one(&[0, 4, 1], constants, "STFT", &["x", "step", "w"], vec![]);
    check(&frames, &[x], &[2.0, 0.0, 0.0, 0.0, 5.0, 0.0, 1.0, 0.0]);
}

#[test]
fn grids_and_sizes() {
    let size = vec![int64("s", &[4], &[1, 1, 1, 2])];
    let grid = one(&[0, 2, 3], size, "AffineGrid", &["x", "s"], vec![]);
    check(&grid, &[&[1.0, 0.0, 0.25, 0.0, 1.0, 0.5]], &[-0.25, 0.5, 0.75, 0.5]);
    let crop = |to: i64| {
        let attributes = vec![ints("axes", &[1])];
        one(&[0, 4], vec![int64("s", &[1], &[to])], "CenterCropPad", &["x", "s"], attributes)
    };
    let x: &[f32] = &[1.0, 2.0, 3.0, 4.0];
    check(&crop(3), &[x], &[1.0, 2.0, 3.0]);
    check(&crop(7), &[x], &[0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0]);
    let scales = vec![float("s", &[3], &[1.0, 1.0, 2.0])];
    let mut twice = one(&[0, 1, 2], scales, "Upsample", &["x", "s"], vec![word("mode", "nearest")]);
    twice.opset_import[0].version = 9;
    check(&twice, &[&[1.0, 2.0]], &[1.0, 1.0, 2.0, 2.0]);
}

#[test]
fn sequences_turned_round_and_bits_as_they_are() {
    let lengths = vec![int64("n", &[2], &[2, 3])];
    let attributes = vec![int("batch_axis", 0), int("time_axis", 1)];
    let turned = one(&[2, 3], lengths, "ReverseSequence", &["x", "n"], attributes);
    check(&turned, &[&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], &[2.0, 1.0, 3.0, 6.0, 5.0, 4.0]);
    let nodes = vec![node("BitCast", &["x"], "y", vec![int("to", DataType::Uint32 as i64)])];
    let bits = typed(&[("x", Float, &[0, 1])], ("y", Undefined), vec![], nodes);
    assert_eq!(answer(&bits, vec![region(&[1.0])]).1, 0x3f80_0000u32.to_le_bytes());
}

#[test]
fn a_convolution_that_goes_on() {
    let constants = vec![float("w", &[1, 1, 2], &[10.0, 1.0]), float("p", &[1, 1, 1], &[5.0])];
    let continued = one(&[1, 1, 2], constants, "CausalConvWithState", &["x", "w", "", "p"], vec![]);
    check(&continued, &[&[1.0, 2.0]], &[51.0, 12.0]);
}

#[test]
fn attention_that_forgets() {
    let constants = vec![float("k", &[1, 2, 1], &[1.0, 2.0]), float("d", &[1, 2, 1], &[0.0, 0.5f32.ln()])];
    let attributes =
        vec![int("q_num_heads", 1), int("kv_num_heads", 1), word("update_rule", "gated"), number("scale", 1.0)];
    let model = one(&[1, 2, 1], constants, "LinearAttention", &["x", "k", "x", "", "d"], attributes);
    // The state is 3, then 3 / 2 + 2 · 4.
    check(&model, &[&[3.0, 4.0]], &[9.0, 38.0]);
}

#[test]
fn blocks_put_back() {
    let sizes = vec![int64("i", &[2], &[1, 3]), int64("b", &[2], &[1, 2])];
    let image = one(&[0, 2, 2], sizes, "Col2Im", &["x", "i", "b"], vec![]);
    check(&image, &[&[1.0, 2.0, 3.0, 4.0]], &[1.0, 5.0, 4.0]);
}
