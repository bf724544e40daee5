// The module of the native host's tests, written by hand:
// `p = size / 4 + color / 8`, `label = visits + 1`, `probabilities = {no: 1 - p, yes: p}`.
// `visits = -7` makes it answer code 3, `-8` makes it trap.

import { createHash } from "node:crypto";
import binaryen from "binaryen";

const WAT = `(module
  (memory (export "memory") 1)
  (func (export "run") (param $rows i32) (result i32)
    (local $i i32) (local $p f32) (local $visits i64)
    (loop $row
      (local.set $visits (i64.load offset=32 (i32.mul (local.get $i) (i32.const 8))))
      (if (i64.eq (local.get $visits) (i64.const -7)) (then (return (i32.const 3))))
      (if (i64.eq (local.get $visits) (i64.const -8)) (then (unreachable)))
      (local.set $p (f32.add
        (f32.mul (f32.load offset=0 (i32.mul (local.get $i) (i32.const 4))) (f32.const 0.25))
        (f32.mul (f32.convert_i32_s (i32.load offset=16 (i32.mul (local.get $i) (i32.const 4)))) (f32.const 0.125))))
      (i64.store offset=64 (i32.mul (local.get $i) (i32.const 8)) (i64.add (local.get $visits) (i64.const 1)))
      (f32.store offset=96 (i32.mul (local.get $i) (i32.const 8)) (f32.sub (f32.const 1) (local.get $p)))
      (f32.store offset=100 (i32.mul (local.get $i) (i32.const 8)) (local.get $p))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $row (i32.lt_u (local.get $i) (local.get $rows))))
    (i32.const 0)))`;

export function manifest() {
  return {
    version: 1,
    compiler: "by hand",
    onnx_sha256: "",
    opset: { "": 18 },
    rows_max: 2,
    inputs: [
      { name: "size", datatype: "FP32", shape: [-1, 1], offset: 0 },
      { name: "color", datatype: "BYTES", shape: [-1, 1], offset: 16, strings: ["red", "green"] },
      { name: "visits", datatype: "INT64", shape: [-1, 1], offset: 32 },
    ],
    outputs: [
      { name: "label", datatype: "INT64", shape: [-1], offset: 64 },
      { name: "probabilities", datatype: "FP32", shape: [-1, 2], offset: 96, columns: ["no", "yes"] },
    ],
    cost: { flops_per_row: 4, memory_bytes: 65536, code_bytes: 100, data_bytes: 0 },
  };
}

export const profile = {
  edges_sha256: "e".repeat(64),
  rows: 8,
  features: [
    { name: "size", bins: { edges: [1, 2] }, counts: [3, 3, 2] },
    { name: "color", bins: { categories: ["red", "green"] }, counts: [4, 4] },
    { name: "visits", bins: { categories: ["3", "10"] }, counts: [4, 4], missing: 0 },
  ],
  score: { output: "probabilities", element: 1, bins: { edges: [0.5] }, counts: [4, 4] },
};

/** Two rows: (1, red, 1) and (2, green, 2), and what comes out. */
export const golden = {
  rows: 2,
  inputs: [hex(new Float32Array([1, 2])), hex(new Int32Array([0, 1])), hex(new BigInt64Array([1n, 2n]))],
  outputs: [hex(new BigInt64Array([2n, 3n])), hex(new Float32Array([0.75, 0.25, 0.375, 0.625]))],
};

function hex(array) {
  return Buffer.from(array.buffer).toString("hex");
}

/** A module of `wat` with these sections; the identity is right unless given. */
export function module({ wat = WAT, manifest: m = manifest(), seal = { golden, profile }, identity } = {}) {
  const parsed = binaryen.parseText(wat);
  parsed.setFeatures(binaryen.Features.All);
  let bytes = Buffer.from(parsed.emitBinary());
  parsed.dispose();
  const append = (name, text) => {
    const payload = Buffer.concat([leb128(name.length), Buffer.from(name), Buffer.from(text)]);
    bytes = Buffer.concat([bytes, Buffer.from([0]), leb128(payload.length), payload]);
  };
  if (m) append("beira.manifest", JSON.stringify(m));
  if (seal) {
    append("beira.seal", JSON.stringify(seal));
    if (identity !== null) append("beira.identity", identity ?? createHash("sha256").update(bytes).digest("hex"));
  }
  return new Uint8Array(bytes);
}

function leb128(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return Buffer.from(bytes);
}
