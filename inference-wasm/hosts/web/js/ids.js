// Prediction ids that describe themselves; the bytes are told in monitoring/src/prediction.rs.

const ORIGINS = ["browser", "edge", "server"];
const FORMAT = 1, NONE = 0xffff, MAC_BYTES = 16;

/**
 * One id for each outcome `{ bin, class, value }`. With a key (text) they are signed, so that a label's id
 * cannot be made up; a page has no secrets, so its ids are not.
 */
export async function identify(sha256, origin, outcomes, key) {
  if (sha256 === null) throw new Error("ids need to know the module: load it from bytes, or seal it");
  const secret = key && (await crypto.subtle.importKey("raw", new TextEncoder().encode(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]));
  const minute = Math.floor(Date.now() / 60_000);
  const id = async ({ bin, class: class_, value }) => {
    const number = value !== undefined;
    const said = new Uint8Array(number ? 29 : 25), view = new DataView(said.buffer);
    said[0] = FORMAT | (ORIGINS.indexOf(origin) << 4) | (number << 6) | (!!key << 7);
    for (let i = 0; i < 8; i++) said[1 + i] = parseInt(sha256.slice(2 * i, 2 * i + 2), 16);
    view.setUint32(9, minute);
    view.setUint16(13, bin ?? NONE);
    view.setUint16(15, class_ ?? NONE);
    crypto.getRandomValues(said.subarray(17, 25));
    if (number) view.setFloat32(25, value);
    const mac = secret ? new Uint8Array(await crypto.subtle.sign("HMAC", secret, said), 0, MAC_BYTES) : [];
    return Array.from([...said, ...mac], (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  return Promise.all(outcomes.map(id));
}
