// Where the built package is: `dist/`, or BEIRA_DIST; and the built `beira`, which BEIRA_BIN names.

import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../../..");
export const dist = process.env.BEIRA_DIST ?? join(root, "dist");
export const beira = process.env.BEIRA_BIN ?? "beira";
export const { BeiraInputError, load } = await import(pathToFileURL(join(dist, "npm/node.mjs")).href);
