// One call of a module in any engine: nothing but the language and WebAssembly is used.

/** Puts the input regions into the memory, runs, returns the bytes of the output regions, one after the other. */
function answer(instance, { rows, inputs, outputs }, bytes) {
  const { memory, run } = instance.exports;
  let from = 0;
  for (const [offset, length] of inputs) {
    new Uint8Array(memory.buffer, offset, length).set(bytes.subarray(from, from + length));
    from += length;
  }
  const code = run(rows);
  if (code !== 0) throw new Error(`run answered ${code}`);
  const all = new Uint8Array(outputs.reduce((sum, [, length]) => sum + length, 0));
  let to = 0;
  for (const [offset, length] of outputs) {
    all.set(new Uint8Array(memory.buffer, offset, length), to);
    to += length;
  }
  return all;
}
