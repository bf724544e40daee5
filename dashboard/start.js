// Starts the dashboard: a file of its own, so that the page needs no inline script.
const { js, wasm } = document.getElementById("start").dataset;
try {
  const { default: init } = await import(js);
  await init({ module_or_path: wasm });
} catch (error) {
  const boot = document.querySelector(".boot p");
  if (boot) boot.textContent = "The dashboard could not start: this browser needs WebAssembly. Reload the page, or use a newer browser.";
  throw error;
}
