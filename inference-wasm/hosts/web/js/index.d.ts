/** What a feature may be: a number, a string of a vocabulary, a boolean, or null where it is missing. */
export type Value = number | string | boolean | null;
/** Features by name, as in `signature.inputs[].features`. */
export type Features = { [feature: string]: Value };
/** Outputs by name: one value, values by class label, or a list. */
export type Answer = { [output: string]: Value | { [label: string]: Value } | Value[] };

export interface Tensor {
  name: string;
  /** As the Open Inference Protocol spells it: `FP32`, `INT64`, `BYTES`, … */
  datatype: string;
  /** -1 marks the rows axis. */
  shape: number[];
  /** The vocabulary of a string tensor. */
  strings?: string[];
  /** How a date is written, `%Y-%m-%d`; it may also be given as the number of `unit`s since 1970. */
  date?: { format: string; unit: "days" | "milliseconds" };
}

export interface Signature {
  inputs: (Tensor & { features: string[] })[];
  outputs: (Tensor & { columns?: string[] })[];
}

/** One fault of a record, as FastAPI reports it. */
export interface Fault {
  type: string;
  loc: (string | number)[];
  msg: string;
}

/** Thrown by `predict` when records do not fit the signature. */
export class BeiraInputError extends Error {
  /** Every fault, not the first alone. */
  detail: Fault[];
}

export interface TelemetryOptions {
  /** A Beira server, or the whole address of its `/telemetry/counters`. Without it nothing is counted or sent. */
  url?: string;
  /** The server's write-only key. */
  ingestKey?: string;
  /** Seconds between flushes; 60 by default. */
  intervalSeconds?: number;
  /** Marks a smoke test: accepted by the server, never counted. */
  probe?: boolean;
}

export interface Options {
  telemetry?: TelemetryOptions;
}

export interface FlushAnswer {
  counted: boolean;
  model: string;
  version: string;
}

export interface Model {
  /** Names, types and shapes. */
  readonly signature: Signature;
  /** The module's manifest as it is. */
  readonly manifest: unknown;
  /** The module's identity; null for a compiled module that was never sealed. */
  readonly sha256: string | null;
  /** Predicts on this device. Throws `BeiraInputError` on records that do not fit. */
  predict(record: Features): Answer;
  predict(records: Features[]): Answer[];
  /**
   * As `predict`, each answer with a `prediction_id`: send it with what became of it to `POST /telemetry/labels`.
   * With a `key`, a secret that the server knows too, ids are signed and their labels count; a page must have none.
   */
  predictWithIds(record: Features, key?: string): Promise<Answer & { prediction_id: string }>;
  predictWithIds(records: Features[], key?: string): Promise<(Answer & { prediction_id: string })[]>;
  /** Starts to count now rather than at `load`, for example once the visitor has agreed. Resolves when it counts. */
  observe(telemetry: TelemetryOptions): Promise<void>;
  /** Sends the counters; null when there was nothing to send. Rejects when that failed; the counters are kept. */
  flush(): Promise<FlushAnswer | null>;
  /** Flushes, then stops timers and listeners. */
  close(): Promise<void>;
}

/**
 * Loads a model. Damaged modules, and those whose golden rows do not come out on this machine, are
 * refused with an `Error` that says why.
 * @param source a URL (in Node also a path), the bytes, or a compiled module
 */
export function load(
  source: string | URL | ArrayBuffer | ArrayBufferView | WebAssembly.Module,
  options?: Options,
): Promise<Model>;
