// The model's memory through one typed array per element type, and how each type is read and written.

/** Kinds of elements, by their datatype in the manifest. */
export const FP32 = 0, FP64 = 1, BYTES = 2, BOOL = 3, INT64 = 4, UINT64 = 5, SMALL = 6, FP16 = 7;

const SMALL_INTEGERS = {
  INT8: [Int8Array, -128, 127],
  INT16: [Int16Array, -32768, 32767],
  INT32: [Int32Array, -2147483648, 2147483647],
  UINT8: [Uint8Array, 0, 255],
  UINT16: [Uint16Array, 0, 65535],
  UINT32: [Uint32Array, 0, 4294967295],
};
const KINDS = { FP32, FP64, BYTES, BOOL, INT64, UINT64, FP16 };
const WIDTHS = { BOOL: 1, FP16: 2, FP32: 4, BYTES: 4, FP64: 8, INT64: 8, UINT64: 8 };

/** Views over a whole memory; whoever uses them indexes by element. */
export class Memory {
  constructor(buffer) {
    this.buffer = buffer;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.u64 = new BigUint64Array(buffer);
  }

  /** Where a tensor of the manifest lies: its kind, first element, elements in a row, and for small integers view and range. */
  place(spec) {
    const [array, low, high] = SMALL_INTEGERS[spec.datatype] ?? [];
    const kind = array ? SMALL : KINDS[spec.datatype];
    const exact = 2 ** 53;
    return {
      kind,
      start: spec.offset / width(spec),
      elements: rowElements(spec),
      view: array ? new array(this.buffer) : kind === FP16 ? new Uint16Array(this.buffer) : undefined,
      low: low ?? (kind === UINT64 ? 0 : -exact),
      high: high ?? exact,
    };
  }
}

/** Elements of a row. */
export function rowElements({ shape }) {
  let product = 1;
  for (const axis of shape) if (axis >= 0) product *= axis;
  return product;
}

/** Bytes of a row. */
export function rowBytes(spec) {
  return rowElements(spec) * width(spec);
}

function width({ datatype }) {
  return SMALL_INTEGERS[datatype]?.[0].BYTES_PER_ELEMENT ?? WIDTHS[datatype];
}

/** Names of the elements of a row: the tensor's own name, its columns, or `name[i]`. */
export function elementNames(spec) {
  if (spec.columns) return spec.columns;
  const elements = rowElements(spec);
  return elements === 1 ? [spec.name] : Array.from({ length: elements }, (_, i) => `${spec.name}[${i}]`);
}
