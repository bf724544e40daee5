// Answers straight from the model's memory, in the shape of `POST /predict`.

import { widen } from "./half.js";
import { BOOL, BYTES, FP16, FP32, FP64, INT64, SMALL } from "./memory.js";

export class Answers {
  #memory;
  #outputs;
  #blank;
  #score;
  #judged;
  #edges;

  /**
   * @param outputs the manifest's outputs; the host has checked them
   * @param score where the profile's score is read: `{ output, element }`, or undefined
   */
  constructor(outputs, score, memory) {
    this.#memory = memory;
    this.#outputs = outputs.map((spec) => {
      const { name, columns, strings } = spec;
      return { name, columns, strings, blank: columns && blank(columns), ...memory.place(spec) };
    });
    this.#blank = blank(outputs.map(({ name }) => name));
    const found = score && this.#outputs.find(({ name }) => name === score.output);
    this.#score = found && { ...found, element: score.element ?? undefined };
    // What a late label is compared with: the score's output, else the last of floats.
    this.#judged = found ?? this.#outputs.findLast(({ kind }) => kind === FP32 || kind === FP64 || kind === FP16);
    this.#edges = found && score.bins.edges;
  }

  /** One row: a value where it has one element, an object by label where there are columns, else an array. */
  read(row) {
    const answer = { ...this.#blank };
    for (const output of this.#outputs) {
      const { name, columns, blank, start, elements } = output;
      const first = start + row * elements;
      if (elements === 1) {
        answer[name] = this.#value(output, first);
      } else if (columns) {
        const labelled = { ...blank };
        for (let i = 0; i < elements; i++) labelled[columns[i]] = this.#value(output, first + i);
        answer[name] = labelled;
      } else {
        answer[name] = Array.from({ length: elements }, (_, i) => this.#value(output, first + i));
      }
    }
    return answer;
  }

  /** The number that monitoring watches: one element, or the greatest of the row; NaN without a score. */
  score(row) {
    const score = this.#score;
    if (score === undefined) return NaN;
    const first = score.start + row * score.elements;
    if (score.element !== undefined) return this.#number(score, first + score.element);
    let greatest = NaN;
    for (let i = 0; i < score.elements; i++) {
      const value = this.#number(score, first + i);
      if (!(value <= greatest)) greatest = value === value ? value : greatest;
    }
    return greatest;
  }

  /** What a row came to, for its id: bin of the score, then the class or the number. */
  outcome(row) {
    const edges = this.#edges, judged = this.#judged, score = this.score(row);
    const bin = edges && score === score ? edges.filter((edge) => edge <= score).length : undefined;
    if (judged === undefined) return { bin };
    const first = judged.start + row * judged.elements;
    if (judged.elements === 1) return { bin, value: this.#number(judged, first) };
    let best = 0;
    for (let i = 1; i < judged.elements; i++) {
      if (this.#number(judged, first + i) > this.#number(judged, first + best)) best = i;
    }
    return { bin, class: best };
  }

  /** As JSON has it: NaN and infinities are null, a string its text. */
  #value(output, i) {
    const number = this.#number(output, i);
    switch (output.kind) {
      case FP16:
      case FP32:
      case FP64:
        return number - number === 0 ? number : null;
      case BYTES:
        return output.strings[number] ?? null;
      case BOOL:
        return number !== 0;
      default:
        return number;
    }
  }

  #number({ kind, view }, i) {
    const memory = this.#memory;
    switch (kind) {
      case FP32:
        return memory.f32[i];
      case FP64:
        return memory.f64[i];
      case FP16:
        return widen(view[i]);
      case BYTES:
        return memory.i32[i];
      case BOOL:
        return memory.u8[i];
      case SMALL:
        return view[i];
      case INT64: {
        const low = memory.i32[2 * i];
        return memory.i32[2 * i + 1] === low >> 31 ? low : Number(memory.i64[i]); // without a BigInt, where it is small
      }
      default:
        return Number(memory.u64[i]);
    }
  }
}

/** An object with these fields, to be copied: that is quicker than to add one after the other. */
function blank(names) {
  return Object.fromEntries(names.map((name) => [name, 0.5]));
}
