// A module file: its custom sections and its identity, before anything in it runs.

import { hash } from "./sha256.js";

const IDENTITY = "beira.identity", SIGNATURE = "beira.signature";
const utf8 = new TextDecoder();

/**
 * Compiles bytes and computes their identity; refuses bytes that are not the ones that were sealed.
 * `sealed` says whether they carry an identity at all.
 */
export async function compile(bytes, engine) {
  if (bytes.length < 8 || bytes[0] !== 0 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d) {
    throw new Error("damaged module: it does not begin like a WebAssembly module");
  }
  const compiled = attempt(engine, bytes);
  const [module, sha256] = await Promise.all([compiled, hash(bytes.subarray(0, end(bytes)))]);
  const sealed = identity(module);
  if (sealed !== null && sealed !== sha256) {
    throw new Error("damaged module: its bytes are not the ones that were sealed (sha256 differs)");
  }
  return { module, sha256, sealed: sealed !== null };
}

async function attempt(engine, bytes) {
  try {
    return await engine(bytes);
  } catch (error) {
    throw new Error(`damaged module: ${error.message}`);
  }
}

/** The identity that a compiled module carries; null before it is sealed. */
export function identity(module) {
  const [section] = WebAssembly.Module.customSections(module, IDENTITY);
  return section ? utf8.decode(section) : null;
}

/** A custom section's JSON; undefined where it is not there. */
export function json(module, name) {
  const sections = WebAssembly.Module.customSections(module, name);
  if (sections.length === 0) return undefined;
  if (sections.length > 1) throw new Error(`damaged module: two sections \`${name}\``);
  try {
    return JSON.parse(utf8.decode(sections[0]));
  } catch {
    throw new Error(`damaged module: section \`${name}\` is not JSON`);
  }
}

/** End of what the identity covers: the first of the two last sections, or the end of the file. */
function end(bytes) {
  let at = 8;
  const leb128 = () => {
    let value = 0, shift = 0, byte;
    do {
      byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte & 0x80);
    return value;
  };
  while (at < bytes.length) {
    const start = at;
    const id = bytes[at++];
    const size = leb128();
    const next = at + size;
    if (id === 0) {
      const length = leb128();
      const name = utf8.decode(bytes.subarray(at, at + Math.min(length, 64)));
      if (name === IDENTITY || name === SIGNATURE) return start;
    }
    at = next;
  }
  return bytes.length;
}
