// One cold process of edge.mjs: `node first.mjs beira|ort FOLDER NPM` loads the model in FOLDER with both engines,
// the named one first, and prints the milliseconds of each from bytes to the first prediction.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [first, folder, npm] = process.argv.slice(2);
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
    return answer.probabilities.data;
  },
};

const times = {}, answers = {};
for (const engine of first === "beira" ? ["beira", "ort"] : ["ort", "beira"]) {
  const start = performance.now();
  answers[engine] = await engines[engine]();
  times[engine] = performance.now() - start;
}
if (!answers.beira.every((p, i) => Math.abs(p - answers.ort[i]) <= 1e-5)) throw new Error("the two disagree");
console.log(JSON.stringify(times));
