// Prediction ids: the bytes of monitoring/src/prediction.rs.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { module } from "./example.mjs";
import { load } from "./package.mjs";

const model = await load(module());
const record = { size: 2, color: "green", visits: 7 };

/** What an id says. */
function read(id) {
  const bytes = Buffer.from(id, "hex");
  const [flags, sha256, minute] = [bytes[0], bytes.toString("hex", 1, 9), bytes.readUInt32BE(9)];
  return { flags, sha256, minute, bin: bytes.readUInt16BE(13), class: bytes.readUInt16BE(15), nonce: bytes.toString("hex", 17, 25), bytes };
}

test("answers are the same, with ids beside them", async () => {
  const before = Math.floor(Date.now() / 60_000);
  const answers = await model.predictWithIds([record, record, { ...record, size: 0 }]);
  const seen = answers.map(({ prediction_id, ...answer }) => [read(prediction_id), answer]);
  assert.deepEqual(seen.map(([, answer]) => answer), model.predict([record, record, { ...record, size: 0 }]));
  for (const [id] of seen) {
    assert.equal(id.flags, 0x21); // format 1, origin server, no value, no MAC
    assert.equal(id.sha256, model.sha256.slice(0, 16));
    assert(id.minute - before <= 1);
    assert.equal(id.bytes.length, 25);
  }
  assert.deepEqual(seen.map(([id]) => [id.bin, id.class]), [[1, 1], [1, 1], [0, 0]]);
  assert.equal(new Set(seen.map(([id]) => id.nonce)).size, 3);
  assert.equal(typeof (await model.predictWithIds(record)).prediction_id, "string");
  await assert.rejects(model.predictWithIds([{}]), /./);
});

test("a key signs", async () => {
  const { bytes, flags } = read((await model.predictWithIds(record, "secret")).prediction_id);
  assert.equal(flags, 0xa1);
  const mac = createHmac("sha256", "secret").update(bytes.subarray(0, 25)).digest().subarray(0, 16);
  assert.deepEqual(bytes.subarray(25), mac);
});
