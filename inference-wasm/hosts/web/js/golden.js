// Golden rows: what the module answered where it was sealed must come out here, bit for bit.

import { rowBytes } from "./memory.js";

/** Runs the golden rows in chunks of `rows_max`; throws when an answer differs. */
export function check(manifest, golden, { memory, run }) {
  const { inputs, outputs, rows_max } = manifest;
  const u8 = new Uint8Array(memory.buffer);
  for (let from = 0; from < golden.rows; from += rows_max) {
    const rows = Math.min(rows_max, golden.rows - from);
    inputs.forEach((spec, n) => {
      each(spec, golden.inputs[n], from, rows, (at, byte) => void (u8[at] = byte));
    });
    const code = attempt(run, rows);
    if (code !== 0) throw new Error(`golden mismatch: the model stopped with code ${code}`);
    outputs.forEach((spec, n) => {
      each(spec, golden.outputs[n], from, rows, (at, byte, index) => {
        if (u8[at] === byte) return;
        const row = from + Math.floor(index / rowBytes(spec));
        throw new Error(
          `golden mismatch: output \`${spec.name}\`, row ${row}: the bits differ from those the module was sealed with; it is not used`,
        );
      });
    });
  }
}

function attempt(run, rows) {
  try {
    return run(rows);
  } catch {
    throw new Error("golden mismatch: the model trapped");
  }
}

/** Address and value of every byte of rows in a region (lower-case hex), and its index from the first of these rows on. */
function each({ offset, ...spec }, region, from, rows, use) {
  const width = rowBytes(spec);
  const nibble = (at) => region.charCodeAt(at) - (region.charCodeAt(at) > 57 ? 87 : 48);
  for (let index = 0; index < rows * width; index++) {
    const digits = 2 * (from * width + index);
    use(offset + index, 16 * nibble(digits) + nibble(digits + 1), index);
  }
}
