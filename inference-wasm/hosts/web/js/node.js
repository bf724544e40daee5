// Beira in Node: `import { load } from "beira"`.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { download, open } from "./load.js";

export { BeiraInputError } from "./fault.js";

/** Bytes below which a module is compiled here and now: that is quicker than to wait for a thread. */
const SMALL = 1 << 20;

/** Loads a model from a path, a URL, bytes or a `WebAssembly.Module`. See index.d.ts. */
export async function load(source, options) {
  return open(await bytes(source), options, platform);
}

let host;

/** The Rust part: it counts, and checks what no seal vouches for. */
async function rust() {
  const { initSync, Host } = await import("./beira.js");
  initSync({ module: readFileSync(new URL("beira_bg.wasm", import.meta.url)) });
  return Host;
}

const platform = {
  origin: "server",
  host: "node",
  minRows: 1,
  compile: (bytes) => (bytes.length < SMALL ? new WebAssembly.Module(bytes) : WebAssembly.compile(bytes)),
  instantiate: (module) => new WebAssembly.Instance(module),
  rust: () => (host ??= rust()),
  start(telemetry, { intervalSeconds = 60 }) {
    const timer = setInterval(() => telemetry.flush().catch(() => null), intervalSeconds * 1000).unref();
    return () => clearInterval(timer);
  },
};

function bytes(source) {
  if (source instanceof URL && source.protocol === "file:") return readFile(source);
  if (source instanceof URL || (typeof source === "string" && /^https?:/.test(source))) return download(source);
  return typeof source === "string" ? readFile(source) : source;
}
