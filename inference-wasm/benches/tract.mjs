// tract as WebAssembly (xtask/tract), a peer of edge.mjs and networks.mjs.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const TYPES = { float32: ["f32", Float32Array], int32: ["i32", Int32Array], int64: ["i64", BigInt64Array] };

/**
 * The model in `onnx` for `inputs`, a list of {type, dims, data} in the model's order: {run(), output(n)}, or {reason} where
 * tract does not load or run it. `folder` is where wasm-bindgen wrote the peer.
 */
export function tract(folder, onnx, inputs) {
  const { Peer } = createRequire(import.meta.url)(join(resolve(folder), "beira_peer_tract.js"));
  try {
    const peer = new Peer();
    for (const { type, dims, data } of inputs) {
      const [give, Array] = TYPES[type];
      peer[give](Uint32Array.from(dims), Array.from(data));
    }
    peer.load(onnx);
    peer.run();
    return { run: () => peer.run(), output: (n) => peer.output(n) };
  } catch (error) {
    const text = error instanceof WebAssembly.RuntimeError ? "it panics" : String(error.message ?? error);
    return { reason: text.length > 100 ? `${text.slice(0, 100)}…` : text };
  }
}
