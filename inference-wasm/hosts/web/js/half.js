// Numbers of 16 bits (IEEE 754 binary16), as `contract/src/half.rs` has them.

const float = new Float32Array(1), bits = new Uint32Array(float.buffer);

/** The number that the bits stand for. */
export function widen(half) {
  const exponent = (half >> 10) & 31, fraction = half & 1023, sign = half & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

/** The bits of the nearest number, of the even one between two; beyond 65519 infinity. */
export function narrow(number) {
  float[0] = number;
  const sign = (bits[0] >>> 16) & 0x8000, rest = bits[0] & 0x7fffffff;
  if (rest > 0x7f800000) return 0x7e00;
  if (rest >= 0x477ff000) return sign | 0x7c00;
  if (rest >= 0x38800000) return sign | ((rest - 0x38000000 + 0xfff + ((rest >> 13) & 1)) >> 13);
  float[0] = Math.abs(number) + 0.5; // leaves units of 2 ** -24
  return sign | (bits[0] - 0x3f000000);
}
