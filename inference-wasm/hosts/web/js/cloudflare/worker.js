// A model at the edge: `POST /predict` (an object or an array, answered in kind) and `GET /health`.
//
// Bindings, all optional: TELEMETRY_URL (a Beira server; without it nothing is counted), INGEST_KEY,
// MODEL (a name for /health), FLUSH_ROWS (1000), FLUSH_SECONDS (60), and BEIRA_PREDICTION_KEY, a secret that the
// server knows too: it signs the ids that `POST /predict?ids=1` adds to answers.

import beira from "./beira_bg.wasm";
import model from "./model.wasm";
import * as counting from "../counting.js";
import { BeiraInputError } from "../fault.js";
import { openSync } from "../load.js";

counting.initSync({ module: beira });
let telemetry;
const start = (started) => void (telemetry = started);
// Golden rows run here, at start, not in a request.
const loaded = openSync(model, counting, { origin: "edge", host: "workerd", minRows: 1, start });
let lastFlush = 0;

export default {
  async fetch(request, env, ctx) {
    if (env.TELEMETRY_URL && telemetry === undefined) {
      await loaded.observe({ url: env.TELEMETRY_URL, ingestKey: env.INGEST_KEY });
      lastFlush = Date.now();
    }
    const response = await answer(request, env);
    if (telemetry !== undefined && !telemetry.sending && due(env)) {
      lastFlush = Date.now();
      ctx.waitUntil(telemetry.flush().catch(() => null)); // kept, and sent again with the next flush
    }
    return response;
  },
};

/** Flushes go in batches: after so many rows, or so long after the last one. */
function due(env) {
  const seconds = Number(env.FLUSH_SECONDS ?? 60), rows = Number(env.FLUSH_ROWS ?? 1000);
  return telemetry.rows >= rows || Date.now() - lastFlush >= seconds * 1000;
}

async function answer(request, env) {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/health") {
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(405, "Use GET", { allow: "GET" });
    return Response.json({ status: "ok", model: env.MODEL ?? null, sha256: loaded.sha256 });
  }
  if (pathname !== "/predict") return refuse(404, "There is POST /predict and GET /health");
  if (request.method !== "POST") return refuse(405, "Use POST", { allow: "POST" });
  let body;
  try {
    body = JSON.parse(await request.text());
  } catch {
    return Response.json({ detail: [{ type: "json_invalid", loc: ["body"], msg: "Body should be JSON" }] }, { status: 422 });
  }
  try {
    const ids = ["1", "true"].includes(searchParams.get("ids"));
    return Response.json(ids ? await loaded.predictWithIds(body, env.BEIRA_PREDICTION_KEY) : loaded.predict(body));
  } catch (error) {
    if (error instanceof BeiraInputError) return Response.json({ detail: error.detail }, { status: 422 });
    return refuse(500, error.message);
  }
}

function refuse(status, detail, headers) {
  return Response.json({ detail }, { status, headers });
}
