// Named features straight into the model's memory. This is the hot path: no allocation, one pass.

import { fault } from "./fault.js";
import { BOOL, BYTES, FP32, FP64, INT64, SMALL, UINT64, elementNames } from "./memory.js";

const UNSEEN = -1, MISSING = -2;

export class Features {
  #memory;
  #names = [];
  #kinds = [];
  #starts = [];
  #steps = [];
  #places = [];
  #ids = [];

  /** @param inputs the manifest's inputs; the host has checked them */
  constructor(inputs, memory) {
    this.#memory = memory;
    for (const spec of inputs) {
      const place = memory.place(spec);
      const ids = spec.strings && new Map(spec.strings.map((text, id) => [text, id]));
      elementNames(spec).forEach((name, i) => {
        this.#names.push(name);
        this.#kinds.push(place.kind);
        this.#starts.push(place.start + i);
        this.#steps.push(place.elements);
        this.#places.push(place);
        this.#ids.push(ids);
      });
    }
  }

  get count() {
    return this.#names.length;
  }

  /**
   * Writes a record as row `row`, and its numbers as the model sees them to `ring` from `at` on.
   * False when anything is unusual; `faults` then says what, if it is a fault at all.
   */
  write(record, row, ring, at) {
    const names = this.#names, kinds = this.#kinds, starts = this.#starts, steps = this.#steps;
    const { f32, f64, i32, u8, i64, u64 } = this.#memory;
    let keys = 0;
    for (const _ in record) keys++;
    if (keys !== names.length) return false;
    for (let f = 0; f < names.length; f++) {
      const value = record[names[f]];
      const i = starts[f] + row * steps[f];
      switch (kinds[f]) {
        case FP32: {
          if (typeof value === "number") f32[i] = value;
          else if (value === null) f32[i] = NaN;
          else return false;
          const seen = f32[i];
          if (seen === Infinity || seen === -Infinity) return false;
          ring[at + f] = seen;
          break;
        }
        case FP64:
          if (typeof value === "number" && value !== Infinity && value !== -Infinity) ring[at + f] = f64[i] = value;
          else if (value === null) ring[at + f] = f64[i] = NaN;
          else return false;
          break;
        case BYTES:
          if (typeof value === "string") ring[at + f] = i32[i] = this.#ids[f].get(value) ?? UNSEEN;
          else if (value === null) ring[at + f] = i32[i] = MISSING;
          else return false;
          break;
        case BOOL:
          if (typeof value !== "boolean") return false;
          ring[at + f] = u8[i] = value ? 1 : 0;
          break;
        default: {
          const { kind, low, high, view } = this.#places[f];
          if (!Number.isInteger(value) || value < low || value > high) return false;
          if (kind === SMALL) view[i] = value;
          else if (kind === INT64) i64[i] = BigInt(value);
          else u64[i] = BigInt(value);
          ring[at + f] = value;
        }
      }
    }
    return true;
  }

  /** Every fault of a record, each at `[...loc, feature]`. */
  faults(record, loc) {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      return [fault("dict_type", loc, "Input should be a valid dictionary of named features")];
    }
    const found = [];
    this.#names.forEach((name, f) => {
      const value = Object.hasOwn(record, name) ? record[name] : undefined;
      const refused = value === undefined ? ["missing", "Field required"] : refuse(this.#places[f], value);
      if (refused) found.push(fault(refused[0], [...loc, name], refused[1]));
    });
    const known = new Set(this.#names);
    for (const name of Object.keys(record).sort()) {
      if (!known.has(name) && record[name] !== undefined) {
        found.push(fault("extra_forbidden", [...loc, name], "Extra inputs are not permitted"));
      }
    }
    return found;
  }

  /** A faultless record without prototype and undefined fields. */
  plain(record) {
    return Object.fromEntries(this.#names.map((name) => [name, record[name]]));
  }
}

/** Why a value does not fit: kind and sentence, as pydantic words them. */
function refuse({ kind, low, high }, value) {
  switch (kind) {
    case FP32:
    case FP64: {
      if (value === null || Number.isNaN(value)) return;
      if (typeof value !== "number") return ["float_type", "Input should be a valid number"];
      const seen = kind === FP32 ? Math.fround(value) : value;
      return Number.isFinite(seen) ? undefined : ["finite_number", "Input should be a finite number"];
    }
    case BYTES:
      return value === null || typeof value === "string"
        ? undefined
        : ["string_type", "Input should be a valid string"];
    case BOOL:
      return typeof value === "boolean" ? undefined : ["bool_type", "Input should be a valid boolean"];
    default:
      if (typeof value !== "number") return ["int_type", "Input should be a valid integer"];
      if (value < low) return ["greater_than_equal", `Input should be greater than or equal to ${low}`];
      if (value > high) return ["less_than_equal", `Input should be less than or equal to ${high}`];
      if (Number.isInteger(value)) return;
      return ["int_from_float", "Input should be a valid integer, got a number with a fractional part"];
  }
}
