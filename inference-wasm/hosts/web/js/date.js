// Dates in the format that a model declares, as `contract/src/date.rs` reads them.

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
const TWO = /\d\d?/y;
const TEXTS = { Y: /\d{4}/y, y: /\d\d/y, b: /[a-z]{3}/iy, f: /\d{1,9}/y, p: /[ap]m/iy, z: /z|[+-]\d\d(?::?\d\d)?/iy };

/** A function from a text to its number; undefined for what is no date in this format. */
export function dateReader({ format, unit }) {
  const steps = format.match(/%?[^]/gu);
  return (text) => {
    const found = { H: 0, M: 0, S: 0 };
    let at = 0;
    for (const step of steps) {
      const token = step.length > 1 && step[0] === "%" ? step[1] : undefined;
      if (token === undefined || token === "%") {
        const literal = token ?? step;
        if (!text.startsWith(literal, at)) return;
        at += literal.length;
        continue;
      }
      const expression = TEXTS[token] ?? TWO;
      expression.lastIndex = at;
      const part = expression.exec(text)?.[0];
      if (part === undefined) return;
      found[token] = part.toLowerCase();
      at += part.length;
    }
    const { Y, y, m, b, d, p, M, S, f = "", z = "z" } = found;
    const year = y === undefined ? +Y : +y + (y < 69 ? 2000 : 1900);
    const month = b === undefined ? m - 1 : MONTHS.indexOf(b) / 3;
    const hour = p === undefined ? +found.H : (found.I % 12) + (p === "pm" ? 12 : 0);
    const [, sign, hours, minutes = 0] = /(.)(\d\d):?(\d\d)?/.exec(z) ?? [0, "+", 0];
    if (at !== text.length || hour > 23 || M > 59 || S > 59 || hours > 23 || minutes > 59) return;
    if (p !== undefined && (found.I < 1 || found.I > 12)) return;
    const day = new Date(0);
    day.setUTCFullYear(year, month, d);
    if (day.getUTCMonth() !== month || day.getUTCDate() !== +d) return;
    const offset = (sign === "-" ? -1 : 1) * (+hours * 60 + +minutes);
    const ms = +day + ((hour * 60 + +M - offset) * 60 + +S) * 1000 + +(f + "00").slice(0, 3);
    return unit === "days" ? Math.floor(ms / 86400000) : ms;
  };
}
