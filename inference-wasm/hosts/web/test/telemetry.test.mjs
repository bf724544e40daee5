// What leaves the device: sums, once, and only when asked for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { collector } from "./collector.mjs";
import { module } from "./example.mjs";
import { load } from "./package.mjs";

const record = (size, color, visits) => ({ size, color, visits });

test("features, score and errors are counted on the profile's edges", async (t) => {
  const { url, flushes, close } = await collector();
  t.after(close);
  const model = await load(module(), { telemetry: { url, ingestKey: "key" } });
  const before = Date.now();
  model.predict(record(0.5, "red", 3));
  model.predict([record(1, "blue", 10), record(null, null, 99), record(7, "green", 3)]);
  assert.throws(() => model.predict([record(1, "red", 3), record("x", "red", 3)]));
  assert.deepEqual(await model.flush(), { counted: true, model: "example", version: "1" });
  assert.equal(await model.flush(), null);
  assert.equal(flushes.length, 1);
  const { path, id, window_start_ms, counters: { latency, ...counters }, ...rest } = flushes[0];
  assert.equal(path, "/telemetry/counters");
  assert.match(id, /^[0-9a-f]{32}$/);
  assert(window_start_ms >= before && window_start_ms <= Date.now());
  assert.deepEqual(rest, {
    type: "text/plain;charset=UTF-8",
    ingest_key: "key",
    module_sha256: model.sha256,
    edges_sha256: "e".repeat(64),
    origin: "server",
    host: "node",
  });
  assert.deepEqual(counters, {
    predictions: 4,
    errors: 1,
    features: [
      { counts: [1, 1, 1], missing: 1, unseen: 0 },
      { counts: [1, 1], missing: 1, unseen: 1 },
      { counts: [2, 1], missing: 0, unseen: 1 },
    ],
    score: [2, 1],
  });
  assert.equal(latency.scale, 3);
  assert.equal(latency.counts.reduce((a, b) => a + b, 0), 4);
});

test("many rows, in pieces of every size, are all counted", async (t) => {
  const { url, flushes, close } = await collector();
  t.after(close);
  const model = await load(module(), { telemetry: { url } });
  for (let i = 0; i < 700; i++) model.predict(record(i % 4, "red", 3));
  model.predict(Array.from({ length: 1300 }, () => record(9, "green", 10)));
  await model.close();
  const { predictions, features } = flushes[0].counters;
  assert.equal(predictions, 2000);
  assert.deepEqual(features[0].counts, [175, 175, 350 + 1300]);
  assert.deepEqual(features[2].counts, [700, 1300]);
});

test("a failed flush is kept and sent again with the same id, before newer counts", async (t) => {
  const { url, flushes, answers, close } = await collector();
  t.after(close);
  const model = await load(module(), { telemetry: { url } });
  answers.push(503);
  model.predict(record(1, "red", 3));
  await assert.rejects(model.flush(), /answered 503/);
  model.predict([record(1, "red", 3), record(1, "red", 3)]);
  await model.flush();
  assert.deepEqual(flushes.map((flush) => flush.counters.predictions), [1, 1, 2]);
  assert.equal(flushes[0].id, flushes[1].id);
  assert.deepEqual(flushes[0], flushes[1]);
  assert.notEqual(flushes[1].id, flushes[2].id);
  answers.push(404); // what the server does not want is not sent again
  model.predict(record(1, "red", 3));
  await assert.rejects(model.flush(), /answered 404 and the counts are dropped/);
  assert.equal(await model.flush(), null);
});

test("a server that is not there loses nothing", async () => {
  const first = await collector();
  first.close();
  const model = await load(module(), { telemetry: { url: first.url } });
  model.predict(record(1, "red", 3));
  await assert.rejects(model.flush());
  await assert.rejects(model.flush());
});

test("without an address nothing is counted", async (t) => {
  const model = await load(module());
  model.predict(record(1, "red", 3));
  assert.equal(await model.flush(), null);
  const { url, flushes, close } = await collector();
  t.after(close);
  await model.observe({ url });
  await assert.rejects(model.observe({ url }), /observed already/);
  model.predict(record(1, "red", 3));
  await model.flush();
  assert.equal(flushes[0].counters.predictions, 1);
  const unsealed = await WebAssembly.compile(module({ seal: null }));
  await assert.rejects(load(unsealed, { telemetry: { url: "http://127.0.0.1:1" } }), /telemetry needs to know the module/);
});

test("a module without a profile counts predictions alone", async (t) => {
  const { url, flushes, close } = await collector();
  t.after(close);
  const model = await load(module({ seal: null }), { telemetry: { url, probe: true } });
  model.predict([record(1, "red", 3), record(1, "red", 3), record(1, "red", 3)]);
  await model.flush();
  const { probe, counters: { predictions, features, score }, edges_sha256 } = flushes[0];
  assert.deepEqual([probe, predictions, features, score, edges_sha256], [true, 3, [], [], ""]);
});

test("many models count side by side", async (t) => {
  const { url, flushes, close } = await collector();
  t.after(close);
  const bytes = module();
  const models = [];
  for (let i = 0; i < 60; i++) {
    models.push(await load(bytes, { telemetry: { url } })); // each has a ring and counters of its own
    for (const model of models) model.predict(record(1, "red", 3));
  }
  await Promise.all(models.map((model) => model.close()));
  const sums = flushes.map(({ counters }) => counters.features[0].counts[1]).sort((a, b) => a - b);
  assert.deepEqual(sums, Array.from({ length: 60 }, (_, i) => i + 1));
});
