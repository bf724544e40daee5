// Visits every page of a running dashboard as a reader would, light and dark, wide and narrow, and
// keeps a picture of each:  node dashboard/e2e/screenshots.mjs http://127.0.0.1:8080 target/screenshots
//
// Fails on messages in the console, uncaught exceptions, failed requests, a page that scrolls
// sideways, or one whose content does not appear. BEIRA_CHROMIUM names the browser.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, folder] = process.argv.slice(2);
if (!base || !folder) {
  console.error("usage: node dashboard/e2e/screenshots.mjs BASE_URL FOLDER");
  process.exit(2);
}
await mkdir(folder, { recursive: true });

const faults = [];
const pages = await discover();
const browser = await chromium.launch({
  executablePath: process.env.BEIRA_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
try {
  for (const width of [1440, 390]) {
    for (const scheme of ["light", "dark"]) await tour(width, scheme);
  }
} finally {
  await browser.close();
}
for (const fault of faults) console.error(`✗ ${fault}`);
const visits = pages.length * 4;
console.log(`${visits} pages visited, ${faults.length} fault${faults.length === 1 ? "" : "s"}; pictures in ${folder}`);
process.exit(faults.length === 0 ? 0 : 1);

/** Addresses from what the server has: [name, path, what must be there, what to do first]. */
async function discover() {
  const overview = await api("/api/beira/overview");
  const run = overview.recent_runs.find((card) => card.info.status === "FINISHED") ?? overview.recent_runs[0];
  const model = overview.models.find((card) => card.champion) ?? overview.models[0];
  if (!run || !model) throw new Error("the server has no run or no model yet: train one first (beira train)");
  const experiment = run.info.experiment_id;
  const { runs = [] } = await api("/ajax-api/2.0/mlflow/runs/search", { experiment_ids: [experiment], max_results: 3 });
  const select = runs.map((r) => r.info.run_id).join(",");
  const detail = await api(`/api/beira/models/${encodeURIComponent(model.name)}`);
  const source = detail.versions.find((v) => v.version.run_id && v.module)?.version.run_id ?? run.info.run_id;
  const onnx = await artifact(source, "model/model.onnx");
  const picture = await find_artifact(source, "", /\.(svg|png|json|ya?ml)$/);
  const at = `/models/${encodeURIComponent(model.name)}`;
  return [
    ["overview", "/", ".model-card"],
    ["experiments", "/experiments", ".row-link"],
    ["experiment", `/experiments/${experiment}?select=${select}`, "table.runs tbody tr"],
    ["run", `/runs/${source}${picture ? `?artifact=${encodeURIComponent(picture)}` : ""}`, ".artifacts .entry"],
    ["models", "/models", ".model-card"],
    ["model", at, ".version"],
    ["production", `${at}/production?minutes=60`, ".stats", hover_chart],
    ["playground", `${at}/playground`, "form", predict],
    ["compile", "/compile", ".drop", onnx && ((page) => compile(page, onnx))],
    ["not-found", "/no/such/page", ".empty h1"],
  ];
}

async function tour(width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  for (const [name, path, content, act] of pages) {
    const here = `${name}, ${width} px, ${colorScheme}`;
    const page = await context.newPage();
    let leaving = false;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) faults.push(`${here}: console: ${message.text()}`);
    });
    page.on("pageerror", (error) => faults.push(`${here}: exception: ${error.message}`));
    page.on("requestfailed", (request) => {
      if (!leaving) faults.push(`${here}: request failed: ${request.url()} ${request.failure()?.errorText}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) faults.push(`${here}: ${response.status()} from ${response.url()}`);
    });
    try {
      await page.goto(base + path);
      await page.waitForSelector(`main ${content}`, { timeout: 20_000 });
      await page.waitForSelector("main .skeleton", { state: "detached", timeout: 20_000 });
      if (act) await act(page);
      await page.waitForTimeout(400); // what came last is drawn
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) faults.push(`${here}: scrolls sideways by ${wide} px`);
      // The window grows to the page, so that what is fixed at its edges stays there.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height: Math.max(height, 900) });
      await page.waitForTimeout(100);
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) });
    } catch (error) {
      faults.push(`${here}: ${error.message.split("\n")[0]}`);
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) }).catch(() => {});
    }
    leaving = true;
    await page.close();
  }
  await context.close();
}

/** Both answers must come, and be the same. */
async function predict(page) {
  await page.waitForSelector("button.primary:not([disabled])", { timeout: 20_000 });
  await page.click("form button.primary");
  await page.waitForSelector(".verdict.good", { timeout: 20_000 });
}

async function compile(page, onnx) {
  await page.setInputFiles("input[type=file]", { name: "model.onnx", mimeType: "application/octet-stream", buffer: onnx });
  await page.waitForSelector("main .signature", { timeout: 60_000 });
  await page.waitForSelector("main .skeleton", { state: "detached", timeout: 20_000 });
}

async function hover_chart(page) {
  const chart = page.locator(".chart").first();
  if ((await chart.count()) === 0) return; // no traffic yet
  await chart.focus();
  await page.keyboard.press("ArrowLeft");
  await page.waitForSelector(".tooltip", { timeout: 5_000 });
}

async function api(path, body) {
  const options = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(base + path, options);
  if (!response.ok) throw new Error(`${response.status} from ${path}`);
  return response.json();
}

async function artifact(run, path) {
  const response = await fetch(`${base}/get-artifact?run_uuid=${run}&path=${encodeURIComponent(path)}`);
  return response.ok ? Buffer.from(await response.arrayBuffer()) : undefined;
}

/** The first artifact of a run whose path matches, pictures in folders before other files. */
async function find_artifact(run, path, wanted) {
  const { files = [] } = await api(`/ajax-api/2.0/mlflow/artifacts/list?run_id=${run}&path=${encodeURIComponent(path)}`);
  for (const folder of files.filter((file) => file.is_dir)) {
    const found = await find_artifact(run, folder.path, /\.(svg|png)$/);
    if (found) return found;
  }
  return files.find((file) => !file.is_dir && wanted.test(file.path))?.path;
}
