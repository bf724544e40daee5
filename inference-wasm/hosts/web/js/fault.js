// Faults of a record, in the shape and the words of `POST /predict` (FastAPI's).

/** Thrown by `predict` when records do not fit the signature; `detail` lists every fault. */
export class BeiraInputError extends Error {
  constructor(detail) {
    const first = detail.slice(0, 3).map(({ loc, msg }) => `${loc.join(".")}: ${msg}`);
    const more = detail.length - first.length;
    super(first.join("; ") + (more > 0 ? `; and ${more} more` : ""));
    this.name = "BeiraInputError";
    this.detail = detail;
  }
}

/** One fault; the value itself is not repeated. */
export function fault(type, loc, msg) {
  return { type, loc, msg };
}
