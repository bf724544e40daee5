// Dates: the web host reads the texts that the native host reads, as the same numbers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { dateReader } from "../js/date.js";

const cases = JSON.parse(readFileSync(new URL("../../../../contract/src/date/cases.json", import.meta.url)));

test("texts and numbers", () => {
  for (const [format, text, expected] of cases) {
    const unit = /%[HI]/.test(format) ? "milliseconds" : "days";
    assert.equal(dateReader({ format, unit })(text) ?? null, expected, `${format} ${text}`);
  }
});
