// Beira beside onnxruntime-web in one Node process.
//
//   node edge.mjs BEIRA DIST FOLDER     FOLDER holds NAME/model.onnx and NAME/rows.json
//
// For each model: bytes shipped (raw, and gzip beside it; host and model), time from bytes to the first
// prediction (package import included; the first model's line is a page's, later ones find the engine compiled), median time of one
// prediction. The two take turns, so that both meet the same machine. Goals: 1/100, 1/50, 1/10.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const [beira, dist, folder] = process.argv.slice(2);
const npm = resolve(dist, "npm");
const require = createRequire(import.meta.url);

/** Bytes of files, raw and gzip. */
function size(files) {
  const contents = files.map((file) => readFileSync(file));
  const sum = (list) => list.reduce((total, bytes) => total + bytes.length, 0);
  return { raw: sum(contents), gzip: sum(contents.map((bytes) => gzipSync(bytes, { level: 9 }))) };
}

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** What a page loads of the package: its scripts and the host, without types, examples and other entries. */
function beiraFiles() {
  const { files } = JSON.parse(readFileSync(join(npm, "package.json")));
  const all = (files ?? readdirSync(npm)).map((file) => join(npm, file));
  return all.filter((file) => /\.(js|wasm)$/.test(file) && !/node\.js$/.test(file) && statSync(file).isFile());
}

function ortFiles() {
  const place = dirname(require.resolve("onnxruntime-web"));
  return ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"].map((file) => join(place, file));
}

async function timed(work) {
  const start = performance.now();
  const result = await work();
  return [performance.now() - start, result];
}

const names = readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory()).sort();
const models = names.map((name) => {
  const onnx = join(folder, name, "model.onnx");
  const wasm = join(folder, name, "model.wasm");
  execFileSync(beira, ["compile", onnx, "-o", wasm], { stdio: ["ignore", "ignore", "inherit"] });
  const rows = JSON.parse(readFileSync(join(folder, name, "rows.json")));
  return { name, onnx, wasm, rows, onnxBytes: readFileSync(onnx), wasmBytes: readFileSync(wasm) };
});

const [ortImport, ort] = await timed(async () => {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  return ort;
});
const [beiraImport, { load }] = await timed(() => import(pathToFileURL(join(npm, "node.js")).href));
console.log(`package import: onnxruntime-web ${ortImport.toFixed(1)} ms, beira ${beiraImport.toFixed(1)} ms`);

const ortHost = size(ortFiles());
const beiraHost = size(beiraFiles());
let first = true;
for (const model of models) {
  const tensor = (row) => ({ X: new ort.Tensor("float32", Float32Array.from(row), [1, row.length]) });
  const records = model.rows.map((row) => Object.fromEntries(row.map((value, i) => [`X[${i}]`, value])));
  // Ours first: V8 goes on optimising ort-web's 14 MB in the background, on the cores that we would be timed on.
  const [beiraFirst, ours] = await timed(async () => {
    const ours = await load(model.wasmBytes);
    ours.predict(records[0]);
    return ours;
  });
  const [ortFirst, session] = await timed(async () => {
    const session = await ort.InferenceSession.create(model.onnxBytes, { executionProviders: ["wasm"], logSeverityLevel: 3 });
    await session.run(tensor(model.rows[0]));
    return session;
  });

  for (let i = 0; i < model.rows.length; i += 50) {
    const expected = await session.run(tensor(model.rows[i]));
    const answer = ours.predict(records[i]);
    const probabilities = Array.isArray(answer.probabilities) ? answer.probabilities : Object.values(answer.probabilities);
    const error = Math.max(...probabilities.map((p, c) => Math.abs(p - expected.probabilities.data[c])));
    if (!(error <= 1e-5)) throw new Error(`${model.name}, row ${i}: ${error} off`);
  }

  // Turns of 200 calls each; a call of ours is too short for the clock, so a turn is divided by its calls.
  const turns = { ort: [], ours: [] };
  for (let turn = 0; turn < 31; turn++) {
    let start = performance.now();
    for (let i = 0; i < 200; i++) await session.run(tensor(model.rows[i]));
    turns.ort.push((performance.now() - start) / 200);
    start = performance.now();
    for (let i = 0; i < 200; i++) ours.predict(records[i]);
    turns.ours.push((performance.now() - start) / 200);
  }
  const [ortCall, ourCall] = [median(turns.ort), median(turns.ours)];
  // The engine's own start (import and, for the first session, WebAssembly compilation) is part of a page's first prediction.
  const [ortReady, ourReady] = [ortImport + ortFirst, beiraImport + beiraFirst];
  const [ortBytes, ourBytes] = [
    { raw: ortHost.raw + model.onnxBytes.length, gzip: ortHost.gzip + gzipSync(model.onnxBytes, { level: 9 }).length },
    { raw: beiraHost.raw + model.wasmBytes.length, gzip: beiraHost.gzip + gzipSync(model.wasmBytes, { level: 9 }).length },
  ];
  const ratio = (ours, theirs) => `1/${(theirs / ours).toFixed(1)}`;
  console.log(`\n${model.name}  (ONNX ${model.onnxBytes.length} B, module ${model.wasmBytes.length} B)`);
  console.log(`  one prediction       ort-web ${(ortCall * 1e3).toFixed(1)} µs   beira ${(ourCall * 1e3).toFixed(2)} µs   ${ratio(ourCall, ortCall)}`);
  console.log(`  to first prediction  ort-web ${ortReady.toFixed(1)} ms   beira ${ourReady.toFixed(1)} ms   ${ratio(ourReady, ortReady)}${first ? "" : "  (ort-web's WebAssembly is already compiled)"}`);
  console.log(`  bytes shipped, raw   ort-web ${ortBytes.raw}   beira ${ourBytes.raw}   ${ratio(ourBytes.raw, ortBytes.raw)}`);
  console.log(`  bytes shipped, gzip  ort-web ${ortBytes.gzip}   beira ${ourBytes.gzip}   ${ratio(ourBytes.gzip, ortBytes.gzip)}`);
  ours.close();
  await session.release();
  first = false;
}
