// Reads openapi.json and makes a form of every model's signature.

const models = document.getElementById("models");

try {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`);
  show(await answer.json());
} catch (error) {
  say(`The signatures cannot be read: ${error.message}`);
}

function show(api) {
  const paths = Object.entries(api.paths);
  const typed = paths.filter(([path]) => path.startsWith("/predict/"));
  if (typed.length === 0) say("No model is served yet: give one the alias champion.");
  else models.replaceChildren(...typed.map(([path, item]) => card(api, path, item.post)));
  const rest = paths.filter(([path]) => !path.startsWith("/predict/"));
  const body = document.querySelector("#more tbody");
  for (const [path, item] of rest) {
    for (const [method, operation] of Object.entries(item)) row(body, `${method.toUpperCase()} ${path}`, operation.summary);
  }
  document.getElementById("more").hidden = rest.length === 0;
}

function card(api, path, operation) {
  const one = document.getElementById("model").content.cloneNode(true).firstElementChild;
  const part = (name) => one.querySelector(name);
  const input = schema(api, operation.requestBody.content["application/json"].schema);
  const output = schema(api, operation.responses["200"].content["application/json"].schema);
  part("h2").textContent = decodeURIComponent(path);
  part(".version").textContent = operation.summary;
  const fields = Object.entries(input.properties).map(([name, type]) => field(name, type));
  part(".fields").replaceChildren(...fields.map((field) => field.label));
  for (const [name, type] of Object.entries(output.properties)) row(part(".outputs tbody"), name, kind(type));

  const record = () => Object.fromEntries(fields.map(({ name, value }) => [name, value()]));
  const preview = () => (part(".request").textContent = JSON.stringify(record(), null, 2));
  const form = part("form");
  form.addEventListener("input", preview);
  preview();

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fields.forEach((field) => field.fault(""));
    const [status, answer] = [part(".status"), part(".answer")];
    const start = performance.now();
    try {
      const response = await fetch(path.slice(1), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(record()),
      });
      const body = await response.json();
      const ms = performance.now() - start;
      status.textContent = `${response.status} in ${ms.toFixed(1)} ms`;
      status.className = `status ${response.ok ? "good" : "bad"}`;
      answer.textContent = JSON.stringify(body, null, 2);
      if (response.status === 422) {
        for (const { loc, msg } of body.detail) fields.find(({ name }) => name === loc.at(-1))?.fault(msg);
      }
    } catch (error) {
      status.textContent = "no answer";
      status.className = "status bad";
      answer.textContent = error.message;
    }
  });

  part(".copy").addEventListener("click", async () => {
    const body = JSON.stringify(record()).replaceAll("'", "'\\''");
    const url = new URL(path.slice(1), document.baseURI);
    const text = `curl -s '${url}' -H 'content-type: application/json' -d '${body}'`;
    const note = part("[role=status]");
    try {
      await navigator.clipboard.writeText(text);
      note.textContent = "Copied.";
    } catch {
      part(".request").textContent = text; // no clipboard without https: to be copied by hand
      note.textContent = "Copy it from the right.";
    }
  });
  return one;
}

// One feature: its label, its value as JSON, and where a fault is shown.
function field(name, type) {
  const label = document.createElement("label");
  const [input, small] = [document.createElement("input"), document.createElement("small")];
  const types = [type.type].flat();
  const start = type.examples?.[0];
  label.append(name, input, small);
  let value;
  if (types.includes("boolean")) {
    input.type = "checkbox";
    input.checked = start === true;
    value = () => input.checked;
  } else if (types.includes("string")) {
    input.value = start ?? "";
    value = () => (input.value === "" ? null : input.value);
  } else {
    input.inputMode = "decimal";
    input.value = start ?? "";
    // What is no number is sent as it is, so that the server's answer can be seen.
    value = () => (input.value.trim() === "" ? null : Number.isFinite(Number(input.value)) ? Number(input.value) : input.value);
  }
  if (types.includes("null")) input.placeholder = "missing";
  const fault = (text) => {
    label.classList.toggle("fault", text !== "");
    small.textContent = text;
  };
  return { name, label, value, fault };
}

// The record's schema behind "one, or an array of them".
function schema(api, { oneOf }) {
  return api.components.schemas[oneOf[0].$ref.split("/").at(-1)];
}

function kind(type) {
  if (type.properties) return `${kind(Object.values(type.properties)[0])} for each of ${Object.keys(type.properties).join(", ")}`;
  if (type.items) return `${type.minItems} × ${kind(type.items)}`;
  return [type.type].flat().join(" or ");
}

function row(body, ...cells) {
  const tr = document.createElement("tr");
  for (const text of cells) tr.append(Object.assign(document.createElement("td"), { textContent: text }));
  body.append(tr);
}

function say(text) {
  models.replaceChildren(Object.assign(document.createElement("p"), { className: "note", textContent: text }));
}
