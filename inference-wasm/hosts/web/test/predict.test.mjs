// Records in, answers out: the same as the native host's tests/host/records.rs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { module } from "./example.mjs";
import { BeiraInputError, load } from "./package.mjs";

const model = await load(module());

test("an object or an array is answered in kind", () => {
  const record = { size: 2, color: "green", visits: 7 };
  const answer = { label: 8, probabilities: { no: 0.375, yes: 0.625 } };
  assert.deepEqual(model.predict(record), answer);
  assert.deepEqual(model.predict([record, record, record, record, record]), Array(5).fill(answer));
  assert.deepEqual(model.predict([]), []);
});

test("missing, unseen and rounded values", () => {
  const yes = (size, color) => model.predict({ size, color, visits: 1 }).probabilities.yes;
  assert.equal(yes(null, "red"), null);
  assert.equal(yes(NaN, "red"), null);
  assert.equal(yes(1, null), 0);
  assert.equal(yes(1, "blue"), 0.125);
  assert.equal(yes(0.1, "red"), 0.02500000037252903);
});

function faults(input) {
  try {
    model.predict(input);
  } catch (error) {
    assert(error instanceof BeiraInputError, error);
    return error.detail.map(({ type, loc, msg }) => `${type} ${loc.join(".")}: ${msg}`);
  }
  assert.fail("the input should be refused");
}

test("every fault is listed and no value is repeated", () => {
  assert.deepEqual(
    faults([{ size: "secret", visits: 1.5 }, { size: 1, color: 3, visits: 0, Size: 2 }, 7]),
    [
      "float_type body.0.size: Input should be a valid number",
      "missing body.0.color: Field required",
      "int_from_float body.0.visits: Input should be a valid integer, got a number with a fractional part",
      "string_type body.1.color: Input should be a valid string",
      "extra_forbidden body.1.Size: Extra inputs are not permitted",
      "dict_type body.2: Input should be a valid dictionary of named features",
    ],
  );
  const one = (size, visits) => faults({ size, color: "red", visits });
  assert.deepEqual(one(1e39, 0), ["finite_number body.size: Input should be a finite number"]);
  assert.deepEqual(one(JSON.parse("1e400"), 0), ["finite_number body.size: Input should be a finite number"]);
  assert.deepEqual(one(true, 0), ["float_type body.size: Input should be a valid number"]);
  assert.deepEqual(one(1, null), ["int_type body.visits: Input should be a valid integer"]);
  assert.deepEqual(one(1, 2 ** 54), [
    "less_than_equal body.visits: Input should be less than or equal to 9007199254740992",
  ]);
  for (const input of [3, null, "body", undefined]) {
    assert.deepEqual(faults(input), ["dict_type body: Input should be a valid dictionary of named features"]);
  }
  assert.deepEqual(faults(["body"]), ["dict_type body.0: Input should be a valid dictionary of named features"]);
  const error = (() => { try { model.predict({}); } catch (error) { return error; } })();
  assert.equal(error.message, "body.size: Field required; body.color: Field required; body.visits: Field required");
});

test("what JSON would not carry makes no difference", () => {
  const record = { size: 2, color: "green", visits: 7 };
  assert.deepEqual(model.predict({ ...record, more: undefined }), model.predict(record));
  assert.deepEqual(model.predict(Object.create(null, Object.getOwnPropertyDescriptors(record))), model.predict(record));
});

test("a failed run says why and the next one works", () => {
  const run = (visits) => model.predict({ size: 1, color: "red", visits });
  assert.throws(() => run(-7), /the model stopped with code 3/);
  assert.throws(() => run(-8), WebAssembly.RuntimeError);
  assert.equal(run(1).label, 2);
});

test("the signature names the features", () => {
  assert.deepEqual(model.signature.inputs[1], {
    name: "color", datatype: "BYTES", shape: [-1, 1], features: ["color"], strings: ["red", "green"],
  });
  assert.deepEqual(model.signature.outputs[1].columns, ["no", "yes"]);
});
