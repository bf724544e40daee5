// Counters: rows gather in a ring, are counted in Rust, and leave as sums. Inputs never leave.

/** Where a flush goes: `url` is a Beira server, or the whole address of its endpoint. */
function endpoint(url, base) {
  const address = new URL(url, base);
  return address.pathname === "/" ? new URL("/telemetry/counters", address).href : address.href;
}

/** Most numbers in the ring, and most rows. */
const RING_MAX = 1 << 16, RING_ROWS = 256;

export class Telemetry {
  #host;
  #ring;
  #used = 0;
  #errors = 0;
  #rows = 0;
  #windowStart = 0;
  #clockMs = 0;
  #clockRows = 0;
  #pending = null;
  #sending = null;
  #sendingSince = 0;
  #options;

  /**
   * @param host the wasm-bindgen `Host`
   * @param width numbers in a row of the ring (the features as the model saw them: f32 widened, string id;
   *   then the score, NaN where there is none), or 0
   * @param options `{ url, ingestKey, probe, minRows, base, request }`
   */
  constructor(host, width, options) {
    if (options.url === undefined) throw new Error("telemetry.url is missing");
    this.#host = host;
    this.#options = { ...options, url: endpoint(options.url, options.base) };
    this.width = width;
    this.capacity = Math.min(Math.max(Math.floor(RING_MAX / Math.max(width, 1)), 1), RING_ROWS);
    this.#ring = new Float64Array(this.capacity * width);
  }

  /** Rows since the last flush. */
  get rows() {
    return this.#rows;
  }

  /** The ring, with room for `rows` more rows; undefined for a module without a profile. */
  ring(rows) {
    if (this.#used + rows > this.capacity) this.#count();
    return this.width > 0 ? this.#ring : undefined;
  }

  /** Where the next row starts. */
  get at() {
    return this.#used * this.width;
  }

  /** `rows` rows were predicted in `ms` milliseconds, as far as this clock can tell. */
  commit(rows, ms) {
    if (this.#windowStart === 0) this.#windowStart = Date.now();
    this.#used += rows;
    this.#rows += rows;
    // A clock that is rounded stands still for many calls and then jumps: spread the jump over all of
    // them. One that never moves while the model runs (Cloudflare) gives no latency at all.
    this.#clockMs += ms;
    this.#clockRows += rows;
    if (this.#clockMs > 0) {
      this.#host.latency((this.#clockMs * 1e6) / this.#clockRows, this.#clockRows);
      this.#clockMs = this.#clockRows = 0;
    }
  }

  /** A call was refused or failed. */
  error() {
    if (this.#windowStart === 0) this.#windowStart = Date.now();
    this.#errors++;
  }

  /** True while a flush is under way. */
  get sending() {
    return this.#sending !== null && Date.now() - this.#sendingSince < 30_000;
  }

  /** Sends what is there; resolves to the server's answer, or null when there was nothing to send. */
  flush() {
    if (this.sending) return this.#sending;
    this.#sendingSince = Date.now();
    const sending = this.#send().finally(() => {
      if (this.#sending === sending) this.#sending = null;
    });
    return (this.#sending = sending);
  }

  /** For a page that is going away: `sendBeacon` outlives it. */
  beacon() {
    for (let i = 0; i < 2; i++) {
      const body = (this.#pending ??= this.#take());
      if (body === null || !navigator.sendBeacon(this.#options.url, body)) return;
      this.#pending = null;
    }
  }

  async #send() {
    let answer = null;
    // What failed before goes first, with its old id: the server counts it once, whatever arrived.
    for (let i = 0; i < 2; i++) {
      const body = (this.#pending ??= this.#take());
      if (body === null) break;
      const response = await fetch(this.#options.url, { method: "POST", body, ...this.#options.request?.(body) });
      const retry = response.status >= 500 || response.status === 429 || response.status === 408;
      if (!retry && this.#pending === body) this.#pending = null;
      if (!response.ok) {
        throw new Error(`telemetry: the server answered ${response.status}${retry ? "" : " and the counts are dropped"}`);
      }
      answer = await response.json();
    }
    return answer;
  }

  #count() {
    this.#host.count(this.#used, this.#errors, this.#ring.subarray(0, this.#used * this.width));
    this.#used = this.#errors = 0;
  }

  /** The body of a fresh flush; null below the least number of rows. */
  #take() {
    if (this.#rows + this.#errors === 0 || this.#rows < this.#options.minRows) return null;
    this.#count();
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0"));
    const { ingestKey, probe } = this.#options;
    const body = this.#host.flush(id.join(""), ingestKey, this.#windowStart, probe === true);
    this.#rows = this.#windowStart = 0;
    return body;
  }
}
