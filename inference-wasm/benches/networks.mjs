// Networks beside onnxruntime-web (one thread) and tract in one Node process: the time of one run, as ratios to onnxruntime-web's.
//
//   node networks.mjs BEIRA TRACT FOLDER[:INPUT=d,d…]...
//
// FOLDER holds model.onnx; sizes that it leaves free are given. All get the same numbers, drawn with a fixed seed. They run in
// turns, after half a second that is not counted: engines optimize what has run a while, in the background. Ratios are those of
// the medians over the turns.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as ort from "onnxruntime-web";
import { tract } from "./tract.mjs";

const [beira, tractFolder, ...networks] = process.argv.slice(2);
const [TURNS, WARM_MS] = [31, 500];
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** xorshift32 (Marsaglia, 2003), as numbers from 0 to 1. */
function* numbers(seed) {
  for (let x = seed; ; yield (x >>> 0) / 2 ** 32) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
}

const TYPES = {
  FP32: [Float32Array, "float32", (v) => v],
  INT32: [Int32Array, "int32", (v) => Math.floor(v * 250)],
  INT64: [BigInt64Array, "int64", () => 16000n],
};

function manifest(module) {
  const [section] = WebAssembly.Module.customSections(module, "beira.manifest");
  return JSON.parse(new TextDecoder().decode(section));
}

for (const [folder, ...shapes] of networks.map((network) => network.split(":"))) {
  const onnx = join(folder, "model.onnx");
  const wasm = join(tmpdir(), `${basename(folder)}-${process.pid}.wasm`);
  execFileSync(beira, ["compile", onnx, "-o", wasm, ...shapes.flatMap((shape) => ["--shape", shape])], { stdio: ["ignore", "ignore", "inherit"] });
  const bytes = readFileSync(wasm);
  rmSync(wasm);
  const module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module);
  const { inputs, outputs, cost } = manifest(module);
  const feeds = {};
  const random = numbers(2463534242);
  for (const { name, datatype, shape, offset } of inputs) {
    const [Array, type, make] = TYPES[datatype];
    const dims = shape.map((d) => Math.abs(d));
    const data = new Array(dims.reduce((a, b) => a * b, 1)).map(() => make(random.next().value));
    new Array(exports.memory.buffer, offset, data.length).set(data);
    feeds[name] = new ort.Tensor(type, data, dims);
  }
  const session = await ort.InferenceSession.create(readFileSync(onnx), { logSeverityLevel: 3 });
  const peer = tract(tractFolder, readFileSync(onnx), Object.values(feeds));
  const times = { ours: [], theirs: [], tract: [] };
  let answer;
  const begin = performance.now() + WARM_MS;
  for (let turn = 0; turn < TURNS; ) {
    const counted = performance.now() > begin;
    const timed = async (list, work) => {
      const start = performance.now();
      const result = await work();
      if (counted) list.push(performance.now() - start);
      return result;
    };
    if ((await timed(times.ours, () => exports.run(1))) !== 0) throw new Error(`${folder}: run failed`);
    answer = await timed(times.theirs, () => session.run(feeds));
    if (peer.run) await timed(times.tract, () => peer.run());
    turn += counted ? 1 : 0;
  }
  let apart = 0;
  for (const { name, datatype, offset } of outputs.filter((o) => o.datatype === "FP32")) {
    const ours = new TYPES[datatype][0](exports.memory.buffer, offset, answer[name].data.length);
    ours.forEach((v, i) => (apart = Math.max(apart, Math.abs(v - answer[name].data[i]))));
  }
  const [ours, theirs, tracts] = [times.ours, times.theirs, times.tract].map(median);
  const beside = peer.run ? `tract ${tracts.toFixed(2)} ms, ratio ${(tracts / theirs).toFixed(2)}` : `tract: ${peer.reason}`;
  console.log(
    `${basename(folder)}: ${ours.toFixed(2)} ms to ${theirs.toFixed(2)} ms, ratio ${(ours / theirs).toFixed(2)}; ` +
      `${(cost.flops_per_row / ours / 1e6).toFixed(1)} GFLOP/s; largest difference ${apart.toExponential(1)}; ` +
      `code ${cost.code_bytes} bytes; ${beside}`,
  );
}
