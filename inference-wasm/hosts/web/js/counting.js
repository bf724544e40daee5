// What counts, apart from what predicts: a page that does not count never fetches it.

export { default as start, Host, initSync } from "./beira.js";
export { identify } from "./ids.js";
export { Telemetry } from "./telemetry.js";
