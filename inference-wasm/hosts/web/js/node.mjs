// Beira in Node: `import { load } from "beira"`.

import { download, open } from "./load.js";

export { BeiraInputError } from "./fault.js";

/** Bytes below which a module is compiled here and now: that is quicker than to wait for a thread. */
const SMALL = 1 << 20;

/** Loads a model from a path, a URL, bytes or a `WebAssembly.Module`. See index.d.ts. */
export async function load(source, options) {
  return open(await bytes(source), options, platform);
}

let counting;

/** The Rust part: it counts, and checks what no seal vouches for. */
async function fetched() {
  const module = await import("./counting.js");
  module.initSync({ module: await read(new URL("beira_bg.wasm", import.meta.url)) });
  return module;
}

const platform = {
  origin: "server",
  host: "node",
  minRows: 1,
  compile: (bytes) => (bytes.length < SMALL ? new WebAssembly.Module(bytes) : WebAssembly.compile(bytes)),
  instantiate: (module) => new WebAssembly.Instance(module),
  counting: () => (counting ??= fetched()),
  start(telemetry, { intervalSeconds = 60 }) {
    const timer = setInterval(() => telemetry.flush().catch(() => null), intervalSeconds * 1000).unref();
    return () => clearInterval(timer);
  },
};

function bytes(source) {
  if (source instanceof URL && source.protocol === "file:") return read(source);
  if (source instanceof URL || (typeof source === "string" && /^https?:/.test(source))) return download(source);
  return typeof source === "string" ? read(source) : source;
}

/** Node's files, imported by who needs them: that takes as long as to load a model from bytes. */
async function read(path) {
  const { readFile } = await import("node:fs/promises");
  return readFile(path);
}
