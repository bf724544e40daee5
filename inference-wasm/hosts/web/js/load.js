// From bytes or a compiled module to a model, the same on every platform.

import { check } from "./golden.js";
import { Model } from "./model.js";
import { compile, identity, json } from "./module.js";

/** The version of the manifest whose meaning the scripts know; another is left to Rust to refuse. */
const VERSION = 1;

/**
 * @param source bytes or a `WebAssembly.Module`
 * @param options what the caller of `load` gave
 * @param platform `{ origin, host, minRows, compile, instantiate, counting, base, request, start }`; `counting()`
 *   resolves to what counting.js exports, with its WebAssembly started, and fetches it when asked for the first time
 */
export async function open(source, options, platform) {
  const found = source instanceof WebAssembly.Module ? described(source) : await compile(bytes(source), platform.compile);
  const sections = read(found.module);
  // Bytes that hash to their seal's identity are those that the sealing host has checked, manifest and
  // all. Whatever else is handed in is checked here.
  const vouched = found.sealed && sections.manifest.version === VERSION;
  const counting = vouched ? undefined : await platform.counting();
  const model = assemble(found, sections, await platform.instantiate(found.module), counting, platform);
  if (options?.telemetry?.url) await model.observe(options.telemetry);
  return model;
}

/** As `open`, for platforms that hand out compiled modules and want them started at once. */
export function openSync(module, counting, platform) {
  return assemble(described(module), read(module), new WebAssembly.Instance(module), counting, platform);
}

function described(module) {
  return { module, sha256: identity(module), sealed: false };
}

/** What a model module says of itself. */
function read(module) {
  const [wanted] = WebAssembly.Module.imports(module);
  if (wanted) {
    const name = `${wanted.module}.${wanted.name}`;
    throw new Error(`not a model module: it imports \`${name}\`; a model module imports nothing`);
  }
  const manifest = json(module, "beira.manifest");
  if (manifest === undefined) throw new Error("not a model module: it has no section `beira.manifest`");
  const seal = json(module, "beira.seal");
  if (seal !== undefined && identity(module) === null) {
    throw new Error("damaged module: it has a seal but no section `beira.identity`");
  }
  return { manifest, seal };
}

function assemble({ sha256 }, { manifest, seal }, { exports }, counting, platform) {
  const checked = ({ Host }) => new Host(manifest, seal, exports, sha256 ?? "", platform.origin, platform.host);
  const host = counting && checked(counting);
  if (seal !== undefined) check(manifest, seal.golden, exports);
  const observe = async (wanted, width) => {
    if (sha256 === null) throw new Error("telemetry needs to know the module: load it from bytes, or seal it");
    counting ??= await platform.counting();
    const { minRows, base, request } = platform;
    const telemetry = new counting.Telemetry(host ?? checked(counting), width, { ...wanted, minRows, base, request });
    return { telemetry, stop: platform.start?.(telemetry, wanted) };
  };
  const identify = async (outcomes, key) => {
    counting ??= await platform.counting();
    return counting.identify(sha256, platform.origin, outcomes, key);
  };
  return new Model({ manifest, seal, exports, sha256, observe, identify });
}

function bytes(source) {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  throw new TypeError("load takes a URL, bytes or a WebAssembly.Module");
}

/** The bytes at an address. */
export async function download(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`cannot load the model: ${response.status} from ${url}`);
  return new Uint8Array(await response.arrayBuffer());
}
