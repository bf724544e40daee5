// Models compiled by `beira compile`: Node answers what the native host answers, number for number.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { beira, load, root } from "./package.mjs";

const folder = mkdtempSync(join(tmpdir(), "beira-compiled-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The same numbers on every machine (Park & Miller 1988). */
function randoms() {
  let state = 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Values as a client may send them: missing, unseen, whole, broken. */
function value({ datatype, strings }, random) {
  if (datatype === "BYTES") {
    if (random() < 0.2) return random() < 0.5 ? null : "never seen";
    return strings[Math.floor(random() * strings.length)];
  }
  if (datatype === "BOOL") return random() < 0.5;
  if (!datatype.startsWith("FP")) return Math.floor(random() * 5);
  return random() < 0.1 ? null : (random() - 0.5) * 10;
}

for (const name of ["mixed_columns", "hist_gradient_boosting_missing", "random_forest", "mlp", "strings_to_strings"]) {
  test(name, async () => {
    const path = join(folder, `${name}.wasm`);
    execFileSync(beira, ["compile", join(root, `inference-wasm/tests/models/${name}.onnx`), "-o", path], { stdio: "pipe" });
    const model = await load(path);
    const random = randoms();
    const features = model.signature.inputs.flatMap((input) => input.features.map((feature) => [feature, input]));
    const record = () => Object.fromEntries(features.map(([feature, input]) => [feature, value(input, random)]));
    const records = Array.from({ length: 150 }, record);
    const native = execFileSync(beira, ["predict", path, "--input", "-"], { input: JSON.stringify(records), stdio: "pipe" });
    assert.deepEqual(model.predict(records), JSON.parse(native));
    assert.deepEqual(records.map((each) => model.predict(each)), JSON.parse(native));
  });
}
