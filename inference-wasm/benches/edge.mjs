// Beira beside onnxruntime-web and tract in one Node process, for three models of scikit-learn.
//
//   node edge.mjs BEIRA DIST TRACT FOLDER     FOLDER holds NAME/model.onnx and NAME/rows.json
//
// Goals, as ratios to onnxruntime-web: bytes shipped 1/100, time to the first prediction 1/50, one prediction 1/10.
//
// - Bytes shipped: what a page loads, host and model, raw (gzip beside it). Of ours all scripts and the Rust part are
//   counted, though a page that does not count predictions never fetches the latter.
// - To the first prediction: from bytes in memory to an answer, each engine in turn in a fresh Node process of its own
//   (first.mjs), importing its package, compiling and loading the model. Not both in one: the threads that still
//   optimize the first one's code would hold up the second. Medians over all processes.
// - One prediction: both engines in this process, in turns of 200 calls over 200 rows; medians over the turns. Ours takes a
//   record of named features and gives named answers; onnxruntime-web is handed numbers that lie ready as f32. Each
//   turn is divided by its calls, for a call of ours is too short for the clock.
// - A batch: the same in turns of one call with 1,000 rows, records against one tensor (goal for the forest: 1/2).
// - tract, as WebAssembly, is called in turns with onnxruntime-web too; where it does not load a model, its reason stands.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { tract } from "./tract.mjs";

/** Fresh processes per model and engine for the time to the first prediction. */
const PROCESSES = 9;

const [beira, dist, tractFolder, folder] = process.argv.slice(2);
const npm = resolve(dist, "npm");
const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/** Bytes of contents, raw and gzip. */
function size(contents) {
  const sum = (list) => list.reduce((total, bytes) => total + bytes.length, 0);
  return { raw: sum(contents), gzip: sum(contents.map((bytes) => gzipSync(bytes, { level: 9 }))) };
}

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** What a page loads of the package: its scripts and the host, without types, examples, maps and Node's entry (`.mjs`). */
function beiraFiles() {
  return readdirSync(npm).filter((name) => /\.(js|wasm)$/.test(name)).map((name) => join(npm, name));
}

function ortFiles() {
  const place = dirname(require.resolve("onnxruntime-web"));
  return ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"].map((file) => join(place, file));
}

/** Medians of both engines' times to the first prediction, from processes of their own, which must agree. */
function first(folder) {
  const times = { ort: [], beira: [] };
  for (let process = 0; process < PROCESSES; process++) {
    const [theirs, ours] = Object.keys(times).map((engine) => {
      const printed = execFileSync(execPath, [join(here, "first.mjs"), engine, folder, npm], { encoding: "utf8" });
      const { ms, probabilities } = JSON.parse(printed);
      times[engine].push(ms);
      return probabilities;
    });
    if (!ours.every((p, i) => Math.abs(p - theirs[i]) <= 1e-5)) throw new Error(`${folder}: the two disagree`);
  }
  return [median(times.ort), median(times.beira)];
}

/** Medians over turns, in which `theirs` and `ours` each are called `calls` times; milliseconds for one call. */
async function turns(count, calls, theirs, ours) {
  const times = [[], []];
  for (let turn = 0; turn < count; turn++) {
    let start = performance.now();
    for (let i = 0; i < calls; i++) await theirs(i);
    times[0].push((performance.now() - start) / calls);
    start = performance.now();
    for (let i = 0; i < calls; i++) ours(i);
    times[1].push((performance.now() - start) / calls);
  }
  return times.map(median);
}

const names = readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory()).sort();
const models = names.map((name) => {
  const onnx = join(folder, name, "model.onnx");
  const wasm = join(folder, name, "model.wasm");
  execFileSync(beira, ["compile", onnx, "-o", wasm], { stdio: ["ignore", "ignore", "inherit"] });
  const rows = JSON.parse(readFileSync(join(folder, name, "rows.json")));
  writeFileSync(join(folder, name, "row.json"), JSON.stringify(rows[0]));
  return { name, onnx, wasm, rows, onnxBytes: readFileSync(onnx), wasmBytes: readFileSync(wasm) };
});

const ready = models.map(({ name }) => first(join(folder, name)));
const ort = await import("onnxruntime-web");
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
const { load } = await import(pathToFileURL(join(npm, "node.mjs")).href);

const ortHost = size(ortFiles().map((file) => readFileSync(file)));
const beiraHost = size(beiraFiles().map((file) => readFileSync(file)));
for (const [n, { name, onnxBytes, wasmBytes, rows }] of models.entries()) {
  const session = await ort.InferenceSession.create(onnxBytes, { executionProviders: ["wasm"], logSeverityLevel: 3 });
  const model = await load(wasmBytes);
  const features = rows[0].length;
  const tensor = (numbers) => ({ X: new ort.Tensor("float32", numbers, [numbers.length / features, features]) });
  const arrays = rows.map((row) => Float32Array.from(row));
  const records = rows.map((row) => Object.fromEntries(row.map((value, i) => [`X[${i}]`, value])));
  for (let i = 0; i < rows.length; i += 50) {
    const expected = await session.run(tensor(arrays[i]));
    const answer = model.predict(records[i]);
    const error = Math.max(...Object.values(answer.probabilities).map((p, c) => Math.abs(p - expected.probabilities.data[c])));
    if (!(error <= 1e-5)) throw new Error(`${name}, row ${i}: ${error} off`);
  }
  const call = await turns(31, 200, (i) => session.run(tensor(arrays[i])), (i) => model.predict(records[i]));
  const many = Array.from({ length: 1000 }, (_, i) => i % rows.length);
  const manyNumbers = Float32Array.from(many.flatMap((i) => rows[i]));
  const manyRecords = many.map((i) => records[i]);
  const batch = await turns(31, 1, () => session.run(tensor(manyNumbers)), () => model.predict(manyRecords));

  const bytes = (kind) => [ortHost[kind] + size([onnxBytes])[kind], beiraHost[kind] + size([wasmBytes])[kind]];
  console.log(`\n${name}  (ONNX ${onnxBytes.length} B, module ${wasmBytes.length} B)`);
  const line = (what, [theirs, ours], unit, digits) =>
    console.log(`  ${what.padEnd(22)} ort-web ${theirs.toFixed(digits)} ${unit}   beira ${ours.toFixed(digits)} ${unit}   1/${(theirs / ours).toFixed(1)}`);
  line("one prediction", call.map((ms) => ms * 1e3), "µs", 2);
  line("to first prediction", ready[n], "ms", 1);
  line("bytes shipped, raw", bytes("raw"), "B", 0);
  line("bytes shipped, gzip", bytes("gzip"), "B", 0);
  line("a batch of 1,000 rows", batch, "ms", 3);
  const peer = (numbers) => tract(tractFolder, onnxBytes, [tensor(numbers).X]);
  const [one, thousand] = [peer(arrays[0]), peer(manyNumbers)];
  if (one.run && thousand.run) {
    const [ortCall, tractCall] = await turns(5, 20, () => session.run(tensor(arrays[0])), () => one.run());
    const [ortBatch, tractBatch] = await turns(1, 1, () => session.run(tensor(manyNumbers)), () => thousand.run());
    const beside = (ours, theirs) => `1/${(theirs / ours).toFixed(1)}`;
    console.log(`  tract, beside ort-web  one ${(tractCall * 1e3).toFixed(2)} µs, ${beside(tractCall, ortCall)}; ` +
      `1,000 rows ${tractBatch.toFixed(3)} ms, ${beside(tractBatch, ortBatch)}`);
  } else {
    console.log(`  tract                  ${one.reason ?? thousand.reason}`);
  }
  await model.close();
  await session.release();
}
