// SHA-256 (FIPS 180-4) as a WebAssembly module of 1.8 KB, written for the first call.
//
// A page, a worker and Node all check a module's identity before they use it, in a process that has just
// begun: there JavaScript is still interpreted (20 ms for 45 KB), Node's own crypto takes 5 ms to load, and V8's
// baseline compiler calls out for every rotation. Shifts and eight unrolled rounds make it 0.5 ms.
//
// `blocks(n)` takes `n` blocks of 64 bytes from address 1024 on into the state, eight words at address 0.

import binaryen from "binaryen";

const CONSTANTS = 32, SCHEDULE = 288, BLOCKS = 1024;
const VARIABLES = [..."abcdefgh"];

const get = (name) => `(local.get $${name})`;
const set = (name, value) => `(local.set $${name} ${value})`;
const number = (n) => `(i32.const ${n})`;
const chain = (op) => (...values) => values.reduce((a, b) => `(i32.${op} ${a} ${b})`);
const add = chain("add"), xor = chain("xor"), and = chain("and"), or = chain("or");
const shr = (x, n) => `(i32.shr_u ${x} ${number(n)})`;
const rotr = (x, n) => or(shr(x, n), `(i32.shl ${x} ${number(32 - n)})`);
const load = (offset, at = number(0)) => `(i32.load offset=${offset} ${at})`;
const store = (offset, value, at = number(0)) => `(i32.store offset=${offset} ${at} ${value})`;
const x = get("x"), y = get("y"), i = get("i");

/** The module's bytes. */
export function sha256() {
  const module = binaryen.parseText(`(module
    (memory (export "memory") 2)
    (data (i32.const 0) "${constants()}")
    (func (export "blocks") (param $n i32) (local $at i32) (local $i i32) (local $x i32) (local $y i32)
      ${VARIABLES.map((name) => `(local $${name} i32)`).join(" ")}
      ${set("at", number(BLOCKS))}
      (loop $block
        ${loop("words", 4, 64, [
          set("x", load(0, add(get("at"), i))),
          store(SCHEDULE, or(and(rotr(x, 24), number(0x00ff00ff)), and(rotr(x, 8), number("0xff00ff00"))), i),
        ])}
        ${loop("schedule", 4, 192, [
          set("x", load(SCHEDULE + 4, i)),
          set("y", load(SCHEDULE + 56, i)),
          store(
            SCHEDULE + 64,
            add(
              load(SCHEDULE, i), load(SCHEDULE + 36, i),
              xor(rotr(x, 7), rotr(x, 18), shr(x, 3)), xor(rotr(y, 17), rotr(y, 19), shr(y, 10)),
            ),
            i,
          ),
        ])}
        ${VARIABLES.map((name, n) => set(name, load(4 * n))).join(" ")}
        ${loop("rounds", 32, 256, VARIABLES.map((_, n) => round(n)))}
        ${VARIABLES.map((name, n) => store(4 * n, add(load(4 * n), get(name)))).join(" ")}
        ${set("at", add(get("at"), number(64)))}
        (br_if $block (local.tee $n ${add(get("n"), number(-1))})))))`);
  module.setFeatures(binaryen.Features.MVP);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** The body, while `i` runs from 0 to `end` by `step`. */
function loop(label, step, end, body) {
  const again = `(br_if $${label} (i32.lt_u (local.tee $i ${add(i, number(step))}) ${number(end)}))`;
  return `${set("i", number(0))} (loop $${label} ${[...body].join(" ")} ${again})`;
}

/** Round `n` of eight: instead of moving on by one, the variables change their roles. */
function round(n) {
  const [a, b, c, d, e, f, g, h] = VARIABLES.map((_, role) => VARIABLES[(role + 8 - n) % 8]);
  const sum0 = xor(rotr(get(a), 2), rotr(get(a), 13), rotr(get(a), 22));
  const sum1 = xor(rotr(get(e), 6), rotr(get(e), 11), rotr(get(e), 25));
  const choice = xor(get(g), and(get(e), xor(get(f), get(g))));
  const majority = or(and(get(a), get(b)), and(get(c), or(get(a), get(b))));
  return [
    set("x", add(get(h), load(CONSTANTS + 4 * n, i), load(SCHEDULE + 4 * n, i), sum1, choice)),
    set(d, add(get(d), x)),
    set(h, add(x, sum0, majority)),
  ].join(" ");
}

/** First 32 bits of the fractional parts of square roots (the state) and cube roots (the constants) of primes. */
function constants() {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
  const words = [...primes.slice(0, 8).map((prime) => fraction(prime, 2n)), ...primes.map((prime) => fraction(prime, 3n))];
  return Array.from(new Uint8Array(Uint32Array.from(words).buffer), (byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
}

/** 32 bits after the point of the root, exactly: the greatest `r` with `r^degree <= n * 2^(32 degree)`. */
function fraction(n, degree) {
  const power = BigInt(n) << (32n * degree);
  let root = 0n;
  for (let bit = 1n << 40n; bit > 0n; bit >>= 1n) if ((root + bit) ** degree <= power) root += bit;
  return Number(root & 0xffffffffn);
}
