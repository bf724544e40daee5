// Makes the web package: `node package.mjs IN_WASM OUT_DIR` writes OUT_DIR/npm and OUT_DIR/cloudflare.
//
// IN_WASM is what `cargo build --profile web --target wasm32-unknown-unknown -p beira-host-web` built.
// `wasm-bindgen` (of the version in Cargo.lock) and `wasm-opt` are found on PATH, or named by WASM_BINDGEN
// and WASM_OPT.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { sha256 } from "./sha256.mjs";

const [input, output] = process.argv.slice(2);
if (!input || !output) {
  console.error("usage: node package.mjs IN_WASM OUT_DIR");
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
const js = join(here, "js");
const version = /^version = "(.+)"/m.exec(readFileSync(join(here, "../../../Cargo.toml"), "utf8"))[1];
mkdirSync(output, { recursive: true });
const work = mkdtempSync(join(resolve(output), ".package-"));

try {
  const npm = join(work, "npm"), cloudflare = join(work, "cloudflare");
  run(process.env.WASM_BINDGEN ?? "wasm-bindgen", [
    "--target", "web", "--no-typescript", "--out-name", "beira", "--out-dir", npm, input,
  ]);
  shrink(join(npm, "beira_bg.wasm"));

  const source = join(work, "source");
  cpSync(js, source, { recursive: true });
  renameSync(join(npm, "beira.js"), join(source, "beira.js"));
  writeFileSync(join(source, "sha256.wasm"), sha256());
  const entries = (names) => names.map((name) => join(source, name));
  const external = ["./counting.js"];
  await bundle({ entryPoints: entries(["index.js"]), external, outdir: npm });
  await bundle({ entryPoints: entries(["node.mjs"]), external, outdir: npm, platform: "node", outExtension: { ".js": ".mjs" } });
  await bundle({ entryPoints: entries(["counting.js"]), outdir: npm });
  for (const name of ["index.d.ts", "README.md", "example"]) cpSync(join(js, name), join(npm, name), { recursive: true });
  writeFileSync(join(npm, "package.json"), JSON.stringify(manifest(), null, 2) + "\n");

  await bundle({ entryPoints: entries(["cloudflare/worker.js"]), external: ["./beira_bg.wasm", "./model.wasm"], outdir: cloudflare });
  cpSync(join(npm, "beira_bg.wasm"), join(cloudflare, "beira_bg.wasm"));
  for (const name of ["workerd.capnp", "wrangler.toml"]) cpSync(join(js, "cloudflare", name), join(cloudflare, name));

  for (const name of ["npm", "cloudflare"]) {
    rmSync(join(output, name), { recursive: true, force: true });
    renameSync(join(work, name), join(output, name));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
const size = (name) => statSync(join(output, "npm", name)).size;
const scripts = readdirSync(join(output, "npm")).filter((name) => name.endsWith(".js"));
const total = scripts.reduce((sum, name) => sum + size(name), 0);
console.log(`web package: beira_bg.wasm ${size("beira_bg.wasm")} bytes, ${scripts.length} scripts ${total} bytes`);

/** wasm-opt for size; its float folding stays off, as determinism demands. */
function shrink(path) {
  run(process.env.WASM_OPT ?? "wasm-opt", [
    "-Oz", "--enable-bulk-memory", "--enable-mutable-globals", "--enable-nontrapping-float-to-int",
    "--enable-sign-ext", "--enable-reference-types", "--enable-multivalue", "--strip-debug", "--strip-producers",
    "--strip-target-features", path, "-o", path,
  ]);
}

/** One minified file per entry, and a map for whoever reads a stack trace. */
async function bundle(options) {
  await build({
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    loader: { ".wasm": "binary" },
    sourcemap: true,
    logLevel: "warning",
    ...options,
  });
}

function manifest() {
  return {
    name: "beira",
    version,
    description: "Model modules compiled by Beira, in pages, Node and workers",
    license: "MIT OR Apache-2.0",
    type: "module",
    sideEffects: false,
    types: "./index.d.ts",
    exports: { ".": { types: "./index.d.ts", node: "./node.mjs", default: "./index.js" }, "./*": "./*" },
    engines: { node: ">=20" },
  };
}

function run(program, args) {
  try {
    execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"], shell: process.platform === "win32" });
  } catch (error) {
    const hint = error.code === "ENOENT" ? " (not found on PATH)" : "";
    console.error(`package.mjs: ${program} failed${hint}`);
    process.exit(1);
  }
}
