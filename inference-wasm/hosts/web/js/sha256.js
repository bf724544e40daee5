// SHA-256, quick from the first call on: the machine code is made by ../sha256.mjs.

import wasm from "./sha256.wasm";

/** Bytes from which on the platform's own SHA-256 pays, where there is one (plain http has none). */
const LARGE = 1 << 20;
/** Where `blocks` reads, and the most it is given at once. */
const PLACE = 1024, MOST = 1 << 16;

/** SHA-256 of bytes in hex; a promise for large ones. */
export function hash(bytes) {
  return bytes.length >= LARGE && globalThis.crypto?.subtle ? native(bytes) : sha256(bytes);
}

async function native(bytes) {
  return hex(new DataView(await crypto.subtle.digest("SHA-256", bytes)), false);
}

function sha256(bytes) {
  const { memory, blocks } = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports;
  const place = new Uint8Array(memory.buffer, PLACE);
  let at = 0;
  for (; bytes.length - at >= MOST; at += MOST) {
    place.set(bytes.subarray(at, at + MOST));
    blocks(MOST / 64);
  }
  // The rest, a one, zeros, and the number of bits in the last eight bytes.
  const rest = bytes.subarray(at);
  const count = (rest.length + 72) >> 6;
  place.fill(0, 0, 64 * count);
  place.set(rest);
  place[rest.length] = 0x80;
  const view = new DataView(memory.buffer);
  view.setUint32(PLACE + 64 * count - 8, bytes.length / 2 ** 29);
  view.setUint32(PLACE + 64 * count - 4, bytes.length << 3);
  blocks(count);
  return hex(view, true);
}

/** The eight words of the state. */
function hex(view, littleEndian) {
  let text = "";
  for (let at = 0; at < 32; at += 4) text += view.getUint32(at, littleEndian).toString(16).padStart(8, "0");
  return text;
}
