// Golden rows: what the module answered where it was sealed must come out here, bit for bit; but for the floats of a module
// that declares itself relaxed, whose engine may round products and sums in its own way.

import { rowBytes } from "./memory.js";

/** Runs the golden rows in chunks of `rows_max`; throws when an answer differs. */
export function check({ inputs, outputs, rows_max, relaxed }, golden, { memory, run }) {
  const u8 = new Uint8Array(memory.buffer), view = new DataView(memory.buffer);
  for (let from = 0; from < golden.rows; from += rows_max) {
    const rows = Math.min(rows_max, golden.rows - from);
    inputs.forEach((spec, n) => {
      const width = rowBytes(spec), region = golden.inputs[n];
      const period = region.length / 2; // a shorter region repeats
      for (let i = 0; i < rows * width; i++) u8[spec.offset + i] = byte(region, (from * width + i) % period);
    });
    const code = attempt(run, rows);
    if (code !== 0) throw new Error(`golden mismatch: the model stopped with code ${code}`);
    outputs.forEach((spec, n) => {
      const width = rowBytes(spec), region = golden.outputs[n];
      for (let i = 0; i < rows * width; i++) {
        if (u8[spec.offset + i] === byte(region, from * width + i)) continue;
        const size = relaxed ? (FLOATS[spec.datatype] ?? 0) : 0, start = i - (i % size);
        if (size && close(view, spec.offset + start, region, from * width + start, size)) {
          i = start + size - 1;
          continue;
        }
        const place = `output \`${spec.name}\`, row ${from + Math.floor(i / width)}`;
        throw new Error(`golden mismatch: ${place}: the bits differ from those the module was sealed with; it is not used`);
      }
    });
  }
}

const FLOATS = { FP32: 4, FP64: 8 };
/** How far the numbers of a relaxed module may be apart, as a part of the larger one and of 1. */
const RELAXED = 1e-3;

function close(view, at, region, from, size) {
  const golden = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < size; i++) golden.setUint8(i, byte(region, from + i));
  const read = (view, at) => (size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true));
  const a = read(view, at), b = read(golden, 0);
  return Math.abs(a - b) <= RELAXED * Math.max(Math.abs(a), Math.abs(b), 1);
}

function attempt(run, rows) {
  try {
    return run(rows);
  } catch {
    throw new Error("golden mismatch: the model trapped");
  }
}

/** Byte `i` of a region in lower-case hex. */
function byte(region, i) {
  const high = region.charCodeAt(2 * i), low = region.charCodeAt(2 * i + 1);
  return 16 * (high - (high > 57 ? 87 : 48)) + low - (low > 57 ? 87 : 48);
}
