// Numbers of 16 bits in JavaScript: as `contract::half` has them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { narrow, widen } from "../js/half.js";

test("known numbers", () => {
  for (const [bits, number] of [[0x3c00, 1], [0xc000, -2], [0x7bff, 65504], [0x0001, 2 ** -24], [0x7c00, Infinity]]) {
    assert.equal(widen(bits), number);
    assert.equal(narrow(number), bits);
  }
  assert.equal(narrow(65519), 0x7bff);
  assert.equal(narrow(65520), 0x7c00, "beyond the greatest: infinity");
  assert.equal(narrow(1 + 2 ** -11), 0x3c00, "between two: the even one");
});

test("every number comes back", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    assert.equal(narrow(widen(bits)), (bits & 0x7fff) > 0x7c00 ? 0x7e00 : bits);
  }
});
