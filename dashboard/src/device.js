// The model on this device: the shipped package, used as any page would use it.

// Opens a model twice: once as a page would, and once without telemetry, to measure with.
export async function open_model(package_url, module_url, telemetry_url) {
  const { load } = await import(package_url);
  const [model, silent, profile] = await Promise.all([
    load(module_url, { telemetry: { url: telemetry_url } }),
    load(module_url),
    profile_of(module_url),
  ]);
  return { model, silent, profile };
}

// The profile of the training data, from the module's seal; "null" where there is none.
async function profile_of(module_url) {
  const response = await fetch(module_url);
  const module = await WebAssembly.compile(await response.arrayBuffer());
  const [seal] = WebAssembly.Module.customSections(module, "beira.seal");
  return seal ? JSON.stringify(JSON.parse(new TextDecoder().decode(seal)).profile ?? null) : "null";
}

export function profile(opened) {
  return opened.profile;
}

// Predicts for about `ms` milliseconds, because a page's clock is too coarse for one prediction.
function repeat(silent, record, ms) {
  const start = performance.now();
  let runs = 0;
  let elapsed = 0;
  for (let batch = 1; elapsed < ms && runs < 100_000; batch = Math.min(batch * 2, 256)) {
    for (let i = 0; i < batch; i += 1) silent.predict(record);
    runs += batch;
    elapsed = performance.now() - start;
  }
  return { us: (elapsed * 1000) / runs, runs };
}

// One prediction that counts, then silent ones to measure with.
export async function predict_here(opened, record_json) {
  const record = JSON.parse(record_json);
  try {
    const answer = await opened.model.predict(record);
    repeat(opened.silent, record, 5); // the engine warms up
    const { us, runs } = repeat(opened.silent, record, 5);
    // Nothing waits for the counters: they are on their way while the answer is shown.
    Promise.resolve(opened.model.flush()).catch(() => {});
    return JSON.stringify({ answer, us, runs });
  } catch (error) {
    const faults = error?.faults ?? error?.detail;
    return JSON.stringify({ error: String(error?.message ?? error), faults: Array.isArray(faults) ? faults : [] });
  }
}

export function close_model(opened) {
  for (const model of [opened.model, opened.silent]) {
    try {
      Promise.resolve(model.close()).catch(() => {});
    } catch {
      // Already closed.
    }
  }
}
