// Golden rows: what the module answered where it was sealed must come out here, bit for bit.

import { rowBytes } from "./memory.js";

/** Runs the golden rows in chunks of `rows_max`; throws when an answer differs. */
export function check({ inputs, outputs, rows_max }, golden, { memory, run }) {
  const u8 = new Uint8Array(memory.buffer);
  for (let from = 0; from < golden.rows; from += rows_max) {
    const rows = Math.min(rows_max, golden.rows - from);
    inputs.forEach((spec, n) => {
      const width = rowBytes(spec), region = golden.inputs[n];
      for (let i = 0; i < rows * width; i++) u8[spec.offset + i] = byte(region, from * width + i);
    });
    const code = attempt(run, rows);
    if (code !== 0) throw new Error(`golden mismatch: the model stopped with code ${code}`);
    outputs.forEach((spec, n) => {
      const width = rowBytes(spec), region = golden.outputs[n];
      for (let i = 0; i < rows * width; i++) {
        if (u8[spec.offset + i] === byte(region, from * width + i)) continue;
        const place = `output \`${spec.name}\`, row ${from + Math.floor(i / width)}`;
        throw new Error(`golden mismatch: ${place}: the bits differ from those the module was sealed with; it is not used`);
      }
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

/** Byte `i` of a region in lower-case hex. */
function byte(region, i) {
  const high = region.charCodeAt(2 * i), low = region.charCodeAt(2 * i + 1);
  return 16 * (high - (high > 57 ? 87 : 48)) + low - (low > 57 ? 87 : 48);
}
