// Drives Chromium: a page served from an origin of its own imports the web package from the server,
// loads the champion, predicts every row, flushes its counters. Reads {chromium, server, model, rows}
// on standard input, prints the answers as JSON.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { chromium } from "playwright-core";

const request = JSON.parse(await text(process.stdin));

const page_html = `<!doctype html><meta charset="utf-8"><title>A page on another origin</title>`;
const other_origin = createServer((_, response) => response.setHeader("content-type", "text/html").end(page_html));
await new Promise((listening) => other_origin.listen(0, "127.0.0.1", listening));

const browser = await chromium.launch({
  executablePath: request.chromium,
  args: ["--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error.message}`));
  await page.goto(`http://127.0.0.1:${other_origin.address().port}/`);
  const answers = await page.evaluate(async ({ server, model, rows }) => {
    const { load } = await import(`${server}/npm/index.js`);
    const loaded = await load(`${server}/modules/${model}/@champion`, {
      telemetry: { url: `${server}/telemetry/counters` },
    });
    const answers = rows.map((row) => loaded.predict(row));
    await loaded.flush();
    return answers;
  }, request);
  process.stdout.write(JSON.stringify(answers));
} finally {
  await browser.close();
  other_origin.close();
}
