// Records in, answers out, with the shipped package: `node --eval … -- PACKAGE/node.js < {module, records}`.
import { pathToFileURL } from "node:url";

const { load } = await import(pathToFileURL(process.argv.at(-1)).href);
let text = "";
for await (const chunk of process.stdin) text += chunk;
const { module, records } = JSON.parse(text);
const model = await load(Buffer.from(module, "hex"));
process.stdout.write(JSON.stringify(model.predict(records)));
await model.close();
