// The shipped worker in workerd, the runtime of Cloudflare Workers.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { collector } from "./collector.mjs";
import { module } from "./example.mjs";
import { dist, load, root } from "./package.mjs";

let server, worker, url, folder;
const bytes = module();

before(async () => {
  server = await collector();
  folder = mkdtempSync(join(tmpdir(), "beira-worker-"));
  cpSync(join(dist, "cloudflare"), folder, { recursive: true });
  writeFileSync(join(folder, "model.wasm"), bytes);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const config = join(folder, "workerd.capnp");
  const text = readFileSync(config, "utf8").replace("127.0.0.1:8787", `127.0.0.1:${port}`);
  writeFileSync(config, text.replace("http://127.0.0.1:8080", server.url).replace('"2"', '"1"'));
  const workerd = join(root, "node_modules/workerd/bin/workerd");
  worker = spawn(workerd, ["serve", config], { stdio: "inherit" });
  for (let i = 0; ; i++) {
    if (await fetch(`${url}/health`).then((r) => r.ok, () => false)) break;
    assert(i < 200, "workerd does not answer");
    await sleep(50);
  }
});

after(() => {
  worker.kill("SIGKILL");
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => probe.once("listening", done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

async function predict(body) {
  const response = await fetch(`${url}/predict`, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });
  return [response.status, await response.json()];
}

test("answers as Node does, in kind", async () => {
  const model = await load(bytes);
  const record = { size: 0.1, color: "green", visits: 7 };
  assert.deepEqual(await predict(record), [200, model.predict(record)]);
  assert.deepEqual(await predict([record, record, record]), [200, model.predict([record, record, record])]);
  assert.deepEqual(await predict([]), [200, []]);
});

test("faults are 422, as FastAPI words them", async () => {
  const [status, body] = await predict([{ size: 1, color: "red", visits: 1 }, { size: "x", color: "red" }]);
  assert.equal(status, 422);
  assert.deepEqual(body, {
    detail: [
      { type: "float_type", loc: ["body", 1, "size"], msg: "Input should be a valid number" },
      { type: "missing", loc: ["body", 1, "visits"], msg: "Field required" },
    ],
  });
  assert.deepEqual(await predict("{"), [422, { detail: [{ type: "json_invalid", loc: ["body"], msg: "Body should be JSON" }] }]);
  assert.equal((await predict({ size: 1, color: "red", visits: -7 }))[0], 500);
});

test("other addresses and methods are refused with a sentence", async () => {
  assert.equal((await fetch(`${url}/`)).status, 404);
  const get = await fetch(`${url}/predict`);
  assert.deepEqual([get.status, get.headers.get("allow"), await get.json()], [405, "POST", { detail: "Use POST" }]);
  const { status, sha256 } = await (await fetch(`${url}/health`)).json();
  assert.deepEqual([status, sha256], ["ok", (await load(bytes)).sha256]);
});

test("counters arrive in batches, each row once", async () => {
  for (let i = 0; i < 30; i++) await predict({ size: 1, color: "red", visits: 3 });
  await sleep(1100);
  await fetch(`${url}/health`);
  const deadline = Date.now() + 5000;
  const counted = () => server.flushes.reduce((sum, flush) => sum + flush.counters.predictions, 0);
  while (counted() < 34 && Date.now() < deadline) await sleep(50);
  assert.equal(counted(), 1 + 3 + 30); // the first test's four; an empty array predicts nothing
  assert.equal(server.flushes.reduce((sum, flush) => sum + flush.counters.errors, 0), 2);
  assert(server.flushes.length < 10, `${server.flushes.length} flushes`);
  for (const { origin, host } of server.flushes) assert.deepEqual([origin, host], ["edge", "workerd"]);
  assert.equal(new Set(server.flushes.map(({ id }) => id)).size, server.flushes.length);
});
