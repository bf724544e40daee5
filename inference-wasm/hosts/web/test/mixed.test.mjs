// The mixed table, trained by `beira train`: strings, dates, times and missing values answer in Node what they
// answer natively, on every row; what is no date is refused in the same words.

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { beira, load } from "./package.mjs";

const folder = mkdtempSync(join(tmpdir(), "beira-mixed-"));
const module = join(folder, "model.wasm");
let server;

/** A port that is free now. */
function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** The table as records: what is empty is missing, what is not a number is a string. */
function records() {
  const [header, ...lines] = readFileSync(join(folder, "mixed.csv"), "utf8").trim().split("\n").map((line) => line.split(","));
  const features = header.filter((name) => name !== "customer" && name !== "churned");
  const value = (text) => (text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text));
  return lines.map((cells) => Object.fromEntries(features.map((name) => [name, value(cells[header.indexOf(name)])])));
}

function native(input) {
  return spawnSync(beira, ["predict", module, "--input", "-"], { input: JSON.stringify(input), encoding: "utf8", maxBuffer: 1 << 28 });
}

before(async () => {
  execFileSync(beira, ["init", "--example", "mixed", "."], { cwd: folder, stdio: "pipe" });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  server = spawn(beira, ["serve", "--port", port], { cwd: folder, stdio: "ignore" });
  for (let tries = 0; tries < 100 && !(await fetch(`${url}/version`).catch(() => null))?.ok; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const trained = JSON.parse(execFileSync(beira, ["train", "pipeline.yaml", "--json", "--server", url], { cwd: folder, stdio: "pipe" }));
  assert.equal(trained.metrics.module_answers_differing, 0);
  const answer = await fetch(`${url}/get-artifact?run_uuid=${trained.run_id}&path=model/model.wasm`);
  writeFileSync(module, Buffer.from(await answer.arrayBuffer()));
});

after(() => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

test("every row answers what it answers natively", async () => {
  const model = await load(module);
  const rows = records();
  assert.equal(rows.length, 6060);
  const { stdout, stderr } = native(rows);
  assert.equal(stderr, "");
  assert.deepEqual(model.predict(rows), JSON.parse(stdout));
});

test("a date may be given as its number", async () => {
  const model = await load(module);
  const row = { ...records()[1], joined: "2024-02-29", last_login: "2024-12-24 12:34:56" };
  const numbers = { ...row, joined: 19782, last_login: Date.UTC(2024, 11, 24, 12, 34, 56) };
  assert.deepEqual(model.predict(row), model.predict(numbers));
  assert.deepEqual(JSON.parse(native(row).stdout), JSON.parse(native(numbers).stdout));
  const { date } = model.signature.inputs.find((input) => input.name === "joined");
  assert.deepEqual(date, { format: "%Y-%m-%d", unit: "days" });
});

test("what is no date is refused in the same words", async () => {
  const model = await load(module);
  const row = { ...records()[0], joined: "2024-02-30", last_login: true };
  assert.throws(() => model.predict(row), (error) => {
    assert.deepEqual(error.detail, [
      { type: "date_parsing", loc: ["body", "joined"], msg: "Input should be a valid date in the format %Y-%m-%d" },
      { type: "date_type", loc: ["body", "last_login"], msg: "Input should be a valid date" },
    ]);
    const said = native(row).stderr;
    for (const { loc, msg } of error.detail) assert.ok(said.includes(`${loc.join(".")}: ${msg}`), said);
    return true;
  });
});
