// Beira in a page: `import { load } from "beira"`.

import { download, open } from "./load.js";

export { BeiraInputError } from "./fault.js";

/** Loads a model from a URL, bytes or a `WebAssembly.Module`. See index.d.ts. */
export async function load(source, options) {
  if (options?.telemetry?.url) platform.counting().catch(() => null); // while the model comes; `open` waits for it
  return open(typeof source === "string" || source instanceof URL ? await download(source) : source, options, platform);
}

let counting;

/** The Rust part: it counts, and checks what no seal vouches for. A page that needs neither never fetches it. */
async function fetched() {
  const module = await import("./counting.js");
  await module.start({ module_or_path: new URL("beira_bg.wasm", import.meta.url) });
  return module;
}

const platform = {
  origin: "browser",
  host: browser(),
  minRows: 20, // fewer rows could tell something about one person
  base: globalThis.location?.href,
  compile: WebAssembly.compile,
  instantiate: WebAssembly.instantiate,
  counting: () =>
    (counting ??= fetched().catch((error) => {
      counting = undefined; // the next call may find the network again
      throw error;
    })),
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
