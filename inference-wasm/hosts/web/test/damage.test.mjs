// Modules that must be refused before the first prediction, each with its reason.

import assert from "node:assert/strict";
import { test } from "node:test";
import { golden, manifest, module, profile } from "./example.mjs";
import { load } from "./package.mjs";

async function refused(source, options) {
  return load(source, options).then(() => assert.fail("the module should be refused"), (error) => error.message);
}

function changed(change) {
  const m = manifest();
  change(m);
  return module({ manifest: m, seal: null });
}

test("bytes, a view on them and a compiled module are taken", async () => {
  const bytes = module();
  const wide = new Uint8Array([9, ...bytes, 9]);
  const sources = [bytes, bytes.buffer, new DataView(wide.buffer, 1, bytes.length), await WebAssembly.compile(bytes)];
  for (const source of sources) assert.match((await load(source)).sha256, /^[0-9a-f]{64}$/);
  assert.equal((await load(sources[0])).sha256, (await load(sources[3])).sha256);
  assert.match(await refused(7), /takes a URL, bytes or a WebAssembly.Module/);
});

test("every cut and every flipped bit is found", async () => {
  const whole = module();
  for (let end = 0; end < whole.length; end += 23) await refused(whole.subarray(0, end));
  for (let at = 0; at < whole.length; at += 17) {
    const flipped = whole.slice();
    flipped[at] ^= 0x10;
    await refused(flipped);
  }
});

test("reasons", async () => {
  const check = async (bytes, expected) => assert.match(await refused(bytes), expected);
  await check(new TextEncoder().encode("<!doctype html>"), /does not begin like a WebAssembly module/);
  await check(module({ wat: "(module)", manifest: null, seal: null }), /no section `beira.manifest`/);
  await check(module({ wat: "(module)", seal: null }), /does not export `memory`/);
  await check(module({ wat: `(module (import "env" "now" (func)))`, seal: null }), /imports `env.now`/);
  await check(changed((m) => (m.version = 9)), /manifest version 9/);
  await check(changed((m) => (m.inputs[0].offset = 65536)), /inputs `size`: region ends outside/);
  await check(changed((m) => (m.inputs[0].name = 7)), /manifest.inputs\[\].name should be a string/);
  await check(changed((m) => (m.rows_max = 1.5)), /manifest.rows_max should be an integer/);
  await check(changed((m) => (m.inputs = {})), /manifest.inputs should be a list/);
  await check(module({ identity: null }), /has a seal but no section `beira.identity`/);
  await check(module({ identity: "0".repeat(64) }), /sha256 differs/);
  const short = { ...profile, features: profile.features.slice(1) };
  // Who counts needs the profile. (Who does not trusts the seal, which vouches that it was checked.)
  const counted = await refused(module({ seal: { golden, profile: short } }), { telemetry: { url: "http://127.0.0.1:1" } });
  assert.match(counted, /`size` is not where the manifest has it/);
});

test("a shorter region of golden rows repeats", async () => {
  const twice = { ...golden, rows: 4, outputs: golden.outputs.map((region) => region + region) };
  await (await load(module({ seal: { golden: twice, profile } }))).close();
});

test("golden rows must come out", async () => {
  const outputs = [golden.outputs[0], golden.outputs[1].replace(/..$/, "40")];
  const wrong = module({ seal: { golden: { ...golden, outputs }, profile } });
  const expected = /^golden mismatch: output `probabilities`, row 1: the bits differ/;
  assert.match(await refused(wrong), expected);
  assert.match(await refused(await WebAssembly.compile(wrong)), expected);
});
