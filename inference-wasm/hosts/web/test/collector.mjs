// A server that takes flushes; what it answers can be set.

import { createServer } from "node:http";
import { once } from "node:events";

export async function collector() {
  const flushes = [], answers = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    flushes.push({ path: request.url, type: request.headers["content-type"], ...JSON.parse(body) });
    const status = answers.shift() ?? 200;
    response.writeHead(status, { "content-type": "application/json", "access-control-allow-origin": "*" });
    response.end(JSON.stringify({ counted: true, model: "example", version: "1" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, flushes, answers, close: () => server.close() };
}
