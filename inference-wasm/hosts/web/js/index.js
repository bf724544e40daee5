// Beira in a page: `import { load } from "beira"`.

import start from "./beira.js";
import { download, open } from "./load.js";

export { BeiraInputError } from "./fault.js";

let ready;

/** Loads a model from a URL, bytes or a `WebAssembly.Module`. See index.d.ts. */
export async function load(source, options) {
  const fetched = typeof source === "string" || source instanceof URL ? download(source) : source;
  ready ??= start({ module_or_path: new URL("beira_bg.wasm", import.meta.url) });
  const [bytes, { memory }] = await Promise.all([fetched, ready]).catch((error) => {
    ready = undefined; // the next call may find the network again
    throw error;
  });
  return open(bytes, options, { ...platform, memory });
}

const platform = {
  origin: "browser",
  host: browser(),
  minRows: 20, // fewer rows could tell something about one person
  base: globalThis.location?.href,
  request: (body) => ({ keepalive: body.length < 60_000, credentials: "omit" }),
  start(telemetry, { intervalSeconds = 60 }) {
    const timer = setInterval(() => telemetry.flush().catch(() => null), intervalSeconds * 1000);
    const leave = () => telemetry.beacon();
    const hide = () => document.visibilityState === "hidden" && telemetry.beacon();
    globalThis.addEventListener?.("pagehide", leave);
    globalThis.document?.addEventListener("visibilitychange", hide);
    return () => {
      clearInterval(timer);
      globalThis.removeEventListener?.("pagehide", leave);
      globalThis.document?.removeEventListener("visibilitychange", hide);
    };
  },
};

function browser() {
  const agent = globalThis.navigator?.userAgent ?? "";
  if (agent.includes("Firefox/")) return "firefox";
  if (agent.includes("Chrome/")) return "chromium";
  return agent.includes("AppleWebKit/") ? "webkit" : "browser";
}
