// Beira in Node: `import { load } from "beira"`.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { initSync } from "./beira.js";
import { download, open } from "./load.js";

export { BeiraInputError } from "./fault.js";

let memory;

/** Loads a model from a path, a URL, bytes or a `WebAssembly.Module`. See index.d.ts. */
export async function load(source, options) {
  memory ??= initSync({ module: readFileSync(new URL("beira_bg.wasm", import.meta.url)) }).memory;
  return open(await bytes(source), options, { ...platform, memory });
}

const platform = {
  origin: "server",
  host: "node",
  minRows: 1,
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
