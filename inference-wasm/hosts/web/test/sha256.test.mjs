// Our SHA-256 beside Node's: every length around the edges of blocks and of chunks.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { module } from "./example.mjs";
import { load } from "./package.mjs";

test("the identity of unsealed modules of many lengths is their SHA-256", async () => {
  const bytes = module({ seal: null });
  const around = (length) => [-65, -64, -10, -9, -8, -1, 0, 1].map((more) => length + more);
  for (const length of [...Array(130).keys(), ...around(1 << 16), ...around(1 << 20)].map((more) => bytes.length + 8 + more)) {
    // An empty custom section of the name "-" and as many zeros as it takes.
    const size = length - bytes.length - 6;
    const section = [0, ...[0, 7, 14, 21].map((shift) => ((size >> shift) & 0x7f) | (shift < 21 ? 0x80 : 0)), 1, 0x2d];
    const longer = new Uint8Array(bytes.length + 5 + size);
    longer.set(bytes);
    longer.set(section, bytes.length);
    assert.equal((await load(longer)).sha256, createHash("sha256").update(longer).digest("hex"), `${longer.length} bytes`);
  }
});
