# The worker on this machine: put model.wasm beside it, then `workerd serve workerd.capnp`.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    # Cloudflare reaches public addresses only; here the Beira server may be on this machine.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "beira_bg.wasm", wasm = embed "beira_bg.wasm"),
    (name = "model.wasm", wasm = embed "model.wasm"),
  ],
  bindings = [
    (name = "TELEMETRY_URL", text = "http://127.0.0.1:8080"),
    (name = "MODEL", text = "model"),
    (name = "FLUSH_SECONDS", text = "2"),
  ],
);
