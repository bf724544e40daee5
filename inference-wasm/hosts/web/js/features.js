// Named features straight into the model's memory. This is the hot path: no allocation, one pass.

import { dateReader } from "./date.js";
import { fault } from "./fault.js";
import { narrow, widen } from "./half.js";
import { BOOL, BYTES, FP16, FP32, FP64, INT64, SMALL, elementNames } from "./memory.js";

const UNSEEN = -1, MISSING = -2;
/** The least number that is infinite as f32: half a step beyond the greatest. */
const TOO_LARGE = (2 - 2 ** -24) * 2 ** 127;

export class Features {
  #memory;
  #names = [];
  #tensors = [];
  #firsts = [];

  /** @param inputs the manifest's inputs; the host has checked them */
  constructor(inputs, memory) {
    this.#memory = memory;
    for (const spec of inputs) {
      const place = memory.place(spec);
      const tensor = {
        ...place,
        ids: spec.strings && new Map(spec.strings.map((text, id) => [text, id])),
        date: spec.date && { read: dateReader(spec.date), format: spec.date.format },
      };
      const names = elementNames(spec);
      for (let i = 0; i < names.length; i++) {
        this.#names.push(names[i]);
        this.#tensors.push(tensor);
        this.#firsts.push(tensor.start + i);
      }
    }
  }

  get names() {
    return this.#names;
  }

  /**
   * Writes a record as row `row`, and its numbers as the model sees them to `ring`, if there is one, from
   * `at` on. False when anything is unusual; `faults` then says what, if it is a fault at all.
   */
  write(record, row, ring, at) {
    const names = this.#names, tensors = this.#tensors, firsts = this.#firsts, f32 = this.#memory.f32;
    let f = 0;
    // Engines read an object's fields fastest in the object's own order, and most records have the signature's.
    // Numbers as f32 are what most models take: they are written right here.
    for (const name in record) {
      if (name !== names[f]) return this.#lookUp(record, row, ring, at);
      const value = record[name], tensor = tensors[f];
      if (tensor.kind === FP32 && typeof value === "number" && !(Math.abs(value) >= TOO_LARGE)) {
        f32[firsts[f] + row * tensor.elements] = value;
        if (ring !== undefined) ring[at + f] = Math.fround(value);
      } else if (!this.#put(f, value, row, ring, at)) {
        return false;
      }
      f++;
    }
    return f === names.length;
  }

  #lookUp(record, row, ring, at) {
    const names = this.#names;
    let keys = 0;
    for (const _ in record) keys++;
    if (keys !== names.length) return false;
    for (let f = 0; f < names.length; f++) if (!this.#put(f, record[names[f]], row, ring, at)) return false;
    return true;
  }

  /** Writes one value, whatever its type. */
  #put(f, value, row, ring, at) {
    const tensor = this.#tensors[f], { kind, ids, date, low, high, view } = tensor, memory = this.#memory;
    if (date !== undefined && typeof value === "string") value = date.read(value);
    const i = this.#firsts[f] + row * tensor.elements;
    let seen; // as the model sees it
    switch (kind) {
      case FP32:
      case FP64:
        if (value !== null && (typeof value !== "number" || Math.abs(value) >= (kind === FP32 ? TOO_LARGE : Infinity))) return false;
        if (kind === FP32) seen = memory.f32[i] = value === null ? NaN : Math.fround(value);
        else seen = memory.f64[i] = value === null ? NaN : value;
        break;
      case FP16:
        if (refuse(tensor, value)) return false;
        seen = widen((view[i] = narrow(value === null ? NaN : value)));
        break;
      case BYTES:
        if (value !== null && typeof value !== "string") return false;
        seen = memory.i32[i] = value === null ? MISSING : (ids.get(value) ?? UNSEEN);
        break;
      case BOOL:
        if (typeof value !== "boolean") return false;
        seen = memory.u8[i] = value ? 1 : 0;
        break;
      default:
        if (!Number.isInteger(value) || value < low || value > high) return false;
        if (kind === SMALL) view[i] = value;
        else if (kind === INT64) memory.i64[i] = BigInt(value);
        else memory.u64[i] = BigInt(value);
        seen = value;
    }
    if (ring !== undefined) ring[at + f] = seen;
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
      const refused = value === undefined ? ["missing", "Field required"] : refuse(this.#tensors[f], value);
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
function refuse({ kind, low, high, date }, value) {
  if (date && typeof value === "string") {
    if (date.read(value) !== undefined) return;
    return ["date_parsing", `Input should be a valid date in the format ${date.format}`];
  }
  if (date && value !== null && typeof value !== "number") return ["date_type", "Input should be a valid date"];
  switch (kind) {
    case FP16:
    case FP32:
    case FP64: {
      if (value === null || Number.isNaN(value)) return;
      if (typeof value !== "number") return ["float_type", "Input should be a valid number"];
      const seen = kind === FP16 ? widen(narrow(value)) : kind === FP32 ? Math.fround(value) : value;
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
