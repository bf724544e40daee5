// From bytes or a compiled module to a model, the same on every platform.

import { Host } from "./beira.js";
import { Model } from "./model.js";
import { compile, identity, json } from "./module.js";
import { Telemetry } from "./telemetry.js";

/**
 * @param source bytes or a `WebAssembly.Module`
 * @param options what the caller of `load` gave
 * @param platform `{ origin, host, minRows, memory, base, request, start }`
 */
export async function open(source, options, platform) {
  const { module, sha256 } =
    source instanceof WebAssembly.Module
      ? { module: source, sha256: identity(source) }
      : await compile(source instanceof Uint8Array ? source : bytes(source));
  importFree(module);
  return assemble(module, await WebAssembly.instantiate(module), sha256, options, platform);
}

/** As `open`, for platforms that hand out compiled modules and want them started at once. */
export function openSync(module, options, platform) {
  importFree(module);
  return assemble(module, new WebAssembly.Instance(module), identity(module), options, platform);
}

function assemble(module, { exports }, sha256, options, platform) {
  const manifest = json(module, "beira.manifest");
  if (manifest === undefined) throw new Error("not a model module: it has no section `beira.manifest`");
  const seal = json(module, "beira.seal");
  if (seal !== undefined && identity(module) === null) {
    throw new Error("damaged module: it has a seal but no section `beira.identity`");
  }
  const host = new Host(manifest, seal, exports, sha256 ?? "", platform.origin, platform.host);
  const observe = (wanted) => {
    if (sha256 === null) throw new Error("telemetry needs to know the module: load it from bytes, or seal it");
    const { minRows, base, request } = platform;
    const telemetry = new Telemetry(host, platform.memory, { ...wanted, minRows, base, request });
    return { telemetry, stop: platform.start?.(telemetry, wanted) };
  };
  const model = new Model({ manifest, seal, exports, sha256, observe });
  if (options?.telemetry?.url) model.observe(options.telemetry);
  return model;
}

function importFree(module) {
  const [wanted] = WebAssembly.Module.imports(module);
  if (wanted) {
    const name = `${wanted.module}.${wanted.name}`;
    throw new Error(`not a model module: it imports \`${name}\`; a model module imports nothing`);
  }
}

function bytes(source) {
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
