// One cold process of edge.mjs: `node first.mjs beira|ort FOLDER NPM` loads the model in FOLDER with one engine and prints
// the milliseconds from bytes to the first prediction, and its probabilities.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [engine, folder, npm] = process.argv.slice(2);
const [onnx, wasm] = ["model.onnx", "model.wasm"].map((name) => readFileSync(join(folder, name)));
const row = JSON.parse(readFileSync(join(folder, "row.json")));

const engines = {
  async beira() {
    const { load } = await import(pathToFileURL(join(npm, "node.mjs")).href);
    const model = await load(wasm);
    return Object.values(model.predict(Object.fromEntries(row.map((value, i) => [`X[${i}]`, value]))).probabilities);
  },
  async ort() {
    const ort = await import("onnxruntime-web");
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = "error";
    const session = await ort.InferenceSession.create(onnx, { executionProviders: ["wasm"], logSeverityLevel: 3 });
    const answer = await session.run({ X: new ort.Tensor("float32", Float32Array.from(row), [1, row.length]) });
    return [...answer.probabilities.data];
  },
};

const start = performance.now();
const probabilities = await engines[engine]();
console.log(JSON.stringify({ ms: performance.now() - start, probabilities }));
