// A loaded model.

import { Answers } from "./answers.js";
import { BeiraInputError } from "./fault.js";
import { Features } from "./features.js";
import { Memory, elementNames } from "./memory.js";

export class Model {
  #signature;
  #run;
  #memory;
  #features;
  #answers;
  #rowsMax;
  #telemetry;
  #width;
  #observe;
  #stop;
  #identify;
  #outcomes;

  /** Made by `load`. */
  constructor({ manifest, seal, exports, sha256, observe, identify }) {
    this.manifest = manifest;
    this.sha256 = sha256;
    this.#run = exports.run;
    this.#memory = new Memory(exports.memory.buffer);
    this.#features = new Features(manifest.inputs, this.#memory);
    this.#answers = new Answers(manifest.outputs, seal?.profile?.score, this.#memory);
    this.#rowsMax = manifest.rows_max;
    this.#width = seal?.profile ? this.#features.names.length + 1 : 0; // of a row of the ring: the features and the score
    this.#observe = observe;
    this.#identify = identify;
  }

  /** Names, types and shapes. */
  get signature() {
    return (this.#signature ??= signature(this.manifest));
  }

  /** Starts to count, for those who ask first. `options` are those of `load`'s `telemetry`. */
  async observe(options) {
    if (this.#observe === undefined) throw new Error("the model is observed already");
    const observe = this.#observe;
    this.#observe = undefined;
    try {
      const { telemetry, stop } = await observe(options, this.#width);
      this.#telemetry = telemetry;
      this.#stop = stop;
    } catch (error) {
      this.#observe = observe; // may be tried again
      throw error;
    }
  }

  /** The answer to a record, or an array of answers to an array of records. */
  predict(input) {
    try {
      return Array.isArray(input) ? this.#many(input) : this.#one(input);
    } catch (error) {
      this.#telemetry?.error();
      throw error;
    }
  }

  /** As `predict`, each answer with a `prediction_id` for a late label; signed where there is a `key`. */
  async predictWithIds(input, key) {
    const outcomes = (this.#outcomes = []);
    let answers;
    try {
      answers = this.predict(input);
    } finally {
      this.#outcomes = undefined;
    }
    const ids = await this.#identify(outcomes, key);
    (Array.isArray(input) ? answers : [answers]).forEach((answer, row) => (answer.prediction_id = ids[row]));
    return answers;
  }

  /** Sends the counters; resolves to the server's answer, or null when there is nothing to send. */
  flush() {
    return this.#telemetry ? this.#telemetry.flush() : Promise.resolve(null);
  }

  /** Flushes and stops all timers and listeners. The counters of a failed flush are lost. */
  async close() {
    this.#stop?.();
    await this.flush().catch(() => null);
    this.#telemetry = undefined;
  }

  #one(record) {
    const telemetry = this.#telemetry;
    if (telemetry === undefined) {
      this.#write(record, 0);
      this.#call(1);
      this.#outcomes?.push(this.#answers.outcome(0));
      return this.#answers.read(0);
    }
    const start = performance.now();
    const ring = telemetry.ring(1), at = telemetry.at;
    this.#write(record, 0, ring, at);
    this.#call(1);
    const answer = this.#answers.read(0);
    this.#outcomes?.push(this.#answers.outcome(0));
    if (ring !== undefined) ring[at + this.#features.names.length] = this.#answers.score(0);
    telemetry.commit(1, performance.now() - start);
    return answer;
  }

  #many(records) {
    const telemetry = this.#telemetry, count = this.#features.names.length;
    const chunk = Math.min(this.#rowsMax, telemetry?.capacity ?? this.#rowsMax);
    if (telemetry !== undefined && records.length > chunk && !records.every((record) => this.#fits(record, 0))) {
      this.#validate(records); // before the first row: nothing is counted by halves
    }
    const answers = [];
    for (let from = 0; from < records.length; from += chunk) {
      const rows = Math.min(chunk, records.length - from);
      const start = telemetry ? performance.now() : 0;
      const ring = telemetry?.ring(rows), at = telemetry?.at;
      for (let row = 0; row < rows; row++) {
        this.#write(records[from + row], row, ring, at + row * (count + 1), records);
      }
      this.#call(rows);
      for (let row = 0; row < rows; row++) {
        answers.push(this.#answers.read(row));
        this.#outcomes?.push(this.#answers.outcome(row));
        if (ring !== undefined) ring[at + row * (count + 1) + count] = this.#answers.score(row);
      }
      telemetry?.commit(rows, performance.now() - start);
    }
    return answers;
  }

  /** Writes a row; on any fault throws all those of the record, or of all `records` when it came in an array. */
  #write(record, row, ring, at, records) {
    if (this.#fits(record, row, ring, at)) return;
    if (records) this.#validate(records);
    else this.#refuse(this.#features.faults(record, ["body"]));
    if (!this.#features.write(this.#features.plain(record), row, ring, at)) {
      throw new Error("the record could not be written"); // faults and write disagree
    }
  }

  #fits(record, row, ring, at) {
    return record !== null && typeof record === "object" && this.#features.write(record, row, ring, at);
  }

  #validate(records) {
    this.#refuse(records.flatMap((record, index) => this.#features.faults(record, ["body", index])));
  }

  #refuse(faults) {
    if (faults.length > 0) throw new BeiraInputError(faults);
  }

  #call(rows) {
    const code = this.#run(rows);
    if (code !== 0) throw new Error(`the model stopped with code ${code}`);
    if (this.#memory.u8.length === 0) throw new Error("the model moved its memory; it is not one of Beira's");
  }
}

/** What a form or a client needs to know. */
function signature(manifest) {
  const tensor = (spec) => {
    const { name, datatype, shape, strings, date } = spec;
    return { name, datatype, shape, features: elementNames(spec), ...(strings && { strings }), ...(date && { date }) };
  };
  const label = (spec) => {
    const { name, datatype, shape, columns, strings } = spec;
    return { name, datatype, shape, ...(columns && { columns }), ...(strings && { strings }) };
  };
  return { inputs: manifest.inputs.map(tensor), outputs: manifest.outputs.map(label) };
}
