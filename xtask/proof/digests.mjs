// Runs modules in every JavaScript engine: Node here, Chromium and Firefox on a page, workerd and JavaScriptCore's shell as
// programs. Reads {jobs, chromium, firefox, jsc} on standard input, prints {engine: [version, digests]}.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const request = JSON.parse(await text(process.stdin));
const { jobs } = request;
const runner = fileURLToPath(new URL("answer.js", import.meta.url));
const workerd = fileURLToPath(new URL("../../node_modules/workerd/bin/workerd", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "beira-digests-"));

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const version = (program) => execFileSync(program, ["--version"], { encoding: "utf8" }).trim().split("\n")[0];

/** Any script that defines `answer`, as a function. */
const answer = new Function(`${readFileSync(runner, "utf8")}; return answer;`)();

/** Node, in this process. */
async function node() {
  return jobs.map(({ module, inputs, layout }) => {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(module)));
    return sha256(answer(instance, layout, readFileSync(inputs)));
  });
}

/** A page in a browser: it asks for the jobs one by one and posts the bytes of its answers. */
async function page(start) {
  const script = `
    (async () => {
      for (const [i, layout] of (await (await fetch("/jobs")).json()).entries()) {
        let body;
        try {
          const bytes = async (kind) => new Uint8Array(await (await fetch("/" + kind + "/" + i)).arrayBuffer());
          const { instance } = await WebAssembly.instantiate(await bytes("module"));
          body = answer(instance, layout, await bytes("inputs"));
        } catch (error) {
          await fetch("/failed/" + i, { method: "POST", body: String(error) });
          throw error;
        }
        await fetch("/answers/" + i, { method: "POST", body });
      }
      await fetch("/agent", { method: "POST", body: navigator.userAgent });
    })();`;
  const digests = [];
  let done, failed;
  const agent = new Promise((resolve, reject) => ([done, failed] = [resolve, reject]));
  const server = createServer(async (incoming, response) => {
    const [, kind, i] = incoming.url.split("/");
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const files = { module: () => readFileSync(jobs[i].module), inputs: () => readFileSync(jobs[i].inputs) };
    response.setHeader("content-type", kind === "" ? "text/html" : "application/octet-stream");
    if (kind === "") response.end(`<!doctype html><meta charset="utf-8"><title>Digests</title><script src="/script"></script>`);
    else if (kind === "script") response.end(`${readFileSync(runner, "utf8")}\n${script}`);
    else if (kind === "jobs") response.end(JSON.stringify(jobs.map((job) => job.layout)));
    else if (files[kind]) response.end(files[kind]());
    else {
      if (kind === "answers") digests[i] = sha256(body);
      if (kind === "agent") done(body.toString());
      if (kind === "failed") failed(new Error(`${jobs[i].module}: ${body}`));
      response.end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = start(`http://127.0.0.1:${server.address().port}/`);
  const ended = new Promise((_, reject) => browser.once("exit", (code) => reject(new Error(`the browser ended with ${code}`))));
  const late = sleep(300_000, undefined, { ref: false }).then(() => {
    throw new Error("the browser took more than five minutes");
  });
  try {
    await Promise.race([agent, ended, late]);
    return digests;
  } finally {
    ended.catch(() => {});
    browser.kill("SIGKILL");
    server.closeAllConnections();
    server.close();
  }
}

function chromium() {
  const profile = `--user-data-dir=${join(scratch, "chromium")}`;
  const quiet = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--disable-background-networking"];
  return page((url) => spawn(request.chromium, [...quiet, profile, "--no-first-run", url], { stdio: "ignore" }));
}

function firefox() {
  const profile = mkdtempSync(join(scratch, "firefox-"));
  // Nothing but the page: no updates, no reports, no questions.
  const off = ["app.update.enabled", "app.normandy.enabled", "toolkit.telemetry.enabled", "browser.shell.checkDefaultBrowser",
    "datareporting.healthreport.uploadEnabled", "datareporting.policy.dataSubmissionEnabled", "browser.safebrowsing.malware.enabled",
    "browser.safebrowsing.phishing.enabled", "network.captive-portal-service.enabled", "network.connectivity-service.enabled"];
  writeFileSync(join(profile, "user.js"), off.map((name) => `user_pref("${name}", false);\n`).join(""));
  const environment = { ...process.env, HOME: profile, MOZ_HEADLESS: "1" };
  return page((url) => spawn(request.firefox, ["--headless", "--no-remote", "--profile", profile, url], { stdio: "ignore", env: environment }));
}

/** JavaScriptCore's shell prints hex. */
async function jsc() {
  return jobs.map(({ module, inputs, layout }) => {
    const read = (file) => `readFile(${JSON.stringify(file)}, "binary")`;
    const script = join(scratch, "jsc.js");
    writeFileSync(script, `${readFileSync(runner, "utf8")}
      const instance = new WebAssembly.Instance(new WebAssembly.Module(${read(module)}));
      const bytes = answer(instance, ${JSON.stringify(layout)}, ${read(inputs)});
      print(Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));`);
    const hex = execFileSync(request.jsc, [script], { encoding: "utf8", maxBuffer: 1 << 30 });
    return sha256(Buffer.from(hex.trim(), "hex"));
  });
}

/** workerd: one worker with all modules, which Cloudflare compiles ahead. */
async function worker() {
  const folder = join(scratch, "worker");
  cpSync(runner, join(folder, "answer.js"));
  const names = jobs.map(({ module }, i) => (cpSync(module, join(folder, `${i}.wasm`)), `${i}.wasm`));
  writeFileSync(join(folder, "worker.js"), `${names.map((name, i) => `import module${i} from "${name}";`).join("\n")}
    ${readFileSync(runner, "utf8")}
    const modules = [${names.map((_, i) => `module${i}`)}];
    export default {
      async fetch(request) {
        if (request.method === "GET") return new Response("ready");
        const i = new URL(request.url).pathname.slice(1);
        const layout = JSON.parse(request.headers.get("layout"));
        const inputs = new Uint8Array(await request.arrayBuffer());
        return new Response(answer(new WebAssembly.Instance(modules[i]), layout, inputs));
      },
    };`);
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => probe.once("listening", listening));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  writeFileSync(join(folder, "config.capnp"), `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [(name = "main", worker = .worker)],
      sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
    );
    const worker :Workerd.Worker = (
      compatibilityDate = "2026-01-01",
      modules = [
        (name = "worker.js", esModule = embed "worker.js"),
        ${names.map((name) => `(name = "${name}", wasm = embed "${name}")`).join(",\n        ")},
      ],
    );`);
  const child = spawn(workerd, ["serve", join(folder, "config.capnp")], { stdio: ["ignore", "inherit", "inherit"] });
  const url = `http://127.0.0.1:${port}/`;
  try {
    for (let tries = 0; !(await fetch(url).then((r) => r.ok, () => false)); tries++) {
      if (tries > 600) throw new Error("workerd does not answer");
      await sleep(100);
    }
    const digests = [];
    for (const [i, { inputs, layout }] of jobs.entries()) {
      const headers = { layout: JSON.stringify(layout) };
      const response = await fetch(url + i, { method: "POST", headers, body: readFileSync(inputs) });
      if (!response.ok) throw new Error(`workerd: ${jobs[i].module}: ${await response.text()}`);
      digests.push(sha256(Buffer.from(await response.arrayBuffer())));
    }
    return digests;
  } finally {
    child.kill("SIGKILL");
  }
}

try {
  const engines = {
    Node: [`${process.version}, V8 ${process.versions.v8}`, node],
    Chromium: [version(request.chromium), chromium],
    workerd: [version(workerd), worker],
    Firefox: [`${version(request.firefox)} (SpiderMonkey)`, firefox],
    JavaScriptCore: ["the shell of WebKitGTK", jsc],
  };
  const answers = {};
  for (const [engine, [name, run]] of Object.entries(engines)) {
    console.error(`  ${engine}: ${name}`);
    answers[engine] = [name, await run()];
  }
  process.stdout.write(JSON.stringify(answers));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
