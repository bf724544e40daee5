// The package in Chromium, on a page of another origin, under a strict content security policy.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { collector } from "./collector.mjs";
import { module } from "./example.mjs";
import { dist, load } from "./package.mjs";

const executablePath = process.env.BEIRA_CHROMIUM ?? "/usr/bin/chromium";
const bytes = module();
const TYPES = { js: "text/javascript", wasm: "application/wasm" };
let server, files, pages, browser;

before(async () => {
  server = await collector();
  files = await serve((url, response) => {
    const path = join(dist, "npm", normalize(url));
    const found = url === "/model.wasm" ? bytes : existsSync(path) && readFileSync(path);
    response.writeHead(found ? 200 : 404, {
      "content-type": TYPES[url.split(".").at(-1)] ?? "text/plain",
      "access-control-allow-origin": "*",
    });
    response.end(found);
  });
  pages = await serve((_, response) => {
    response.writeHead(200, {
      "content-type": "text/html",
      "content-security-policy": `default-src 'none'; script-src ${files.url} 'wasm-unsafe-eval'; connect-src ${files.url} ${server.url}`,
    });
    response.end("<!doctype html><title>A page on another origin</title>");
  });
  // By that name the page is no secure context: there is no crypto.subtle, as on many an intranet.
  const args = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"];
  browser = await chromium.launch({ executablePath, args: [...args, "--host-resolver-rules=MAP plain.test 127.0.0.1"] });
});

after(async () => {
  await browser?.close();
  for (const { close } of [server, files, pages].filter(Boolean)) close();
});

async function serve(answer) {
  const server = createServer((request, response) => answer(request.url, response));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  return { url: `http://127.0.0.1:${port}`, port, close: () => server.closeAllConnections() ?? server.close() };
}

async function page(host = "127.0.0.1") {
  const page = await browser.newPage();
  await page.goto(`http://${host}:${pages.port}/`);
  return page;
}

test("a page predicts what Node predicts; 20 rows are the least that leave", async () => {
  const record = { size: 0.1, color: "green", visits: 7 };
  const there = await page();
  const { answers, early } = await there.evaluate(
    async ({ files, url, record }) => {
      const { load } = await import(`${files}/index.js`);
      const model = await load(`${files}/model.wasm`, { telemetry: { url } });
      const answers = [];
      for (let i = 0; i < 19; i++) answers.push(model.predict(record));
      const early = await model.flush();
      for (let i = 0; i < 200; i++) answers.push(model.predict(record));
      await model.flush();
      return { answers, early };
    },
    { files: files.url, url: server.url, record },
  );
  const model = await load(bytes);
  assert.deepEqual(answers, Array(219).fill(model.predict(record)));
  assert.equal(early, null);
  const [{ origin, host, counters, module_sha256 }] = server.flushes.splice(0);
  assert.deepEqual([origin, host, counters.predictions, module_sha256], ["browser", "chromium", 219, model.sha256]);
  await there.close();
});

test("a page that goes away sends a beacon", async () => {
  const there = await page();
  await there.evaluate(
    async ({ files, url }) => {
      const { load } = await import(`${files}/index.js`);
      const model = await load(`${files}/model.wasm`, { telemetry: { url } });
      model.predict(Array.from({ length: 25 }, () => ({ size: 1, color: "red", visits: 3 })));
    },
    { files: files.url, url: server.url },
  );
  await there.goto("about:blank");
  for (let i = 0; i < 60 && server.flushes.length === 0; i++) await sleep(50);
  assert.deepEqual(server.flushes.splice(0).map(({ counters }) => counters.predictions), [25]);
  await there.close();
});

test("plain http has no crypto.subtle, and damage is found all the same", async () => {
  const there = await page("plain.test");
  const [secure, answer, refused] = await there.evaluate(async (files) => {
    const { load } = await import(`${files}/index.js`);
    const bytes = new Uint8Array(await (await fetch(`${files}/model.wasm`)).arrayBuffer());
    const model = await load(bytes);
    const answer = model.predict({ size: 2, color: "green", visits: 7 });
    bytes[bytes.length - 200] ^= 1; // in the profile
    const refused = await load(bytes).then(() => "loaded", (error) => error.message);
    return [isSecureContext, answer, refused];
  }, files.url);
  assert.equal(secure, false);
  assert.deepEqual(answer, { label: 8, probabilities: { no: 0.375, yes: 0.625 } });
  assert.match(refused, /^damaged module: its bytes are not the ones that were sealed/);
  await there.close();
});
