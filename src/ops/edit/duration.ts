import { UsageError } from "../../io/errors.js";

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  min: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

/** What becomes of a time that is left. `factor` is a decimal fraction in millionths. */
export type TimeChange =
  | { readonly how: "add" | "set"; readonly nanoseconds: bigint }
  | { readonly how: "scale"; readonly millionths: bigint };

/** Reads `1h30m`, `250ms`, `1.5s`; a bare number counts seconds. Nanoseconds come out. Errors: USAGE. */
export function parseDuration(text: string): bigint {
  const parts = [...text.matchAll(/(\d+)(?:\.(\d{1,9}))?([a-zµ]*)/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join("") === text;
  let total = 0n;
  for (const [, whole, fraction = "", word] of isWhole ? parts : []) {
    const unit = word === "" && parts.length === 1 ? UNITS.s : UNITS[word as string];
    if (unit === undefined) return badDuration(text);
    total += BigInt(whole as string) * unit + (BigInt(fraction.padEnd(9, "0")) * unit) / 1_000_000_000n;
  }
  return isWhole ? total : badDuration(text);
}

/** Reads `+30s` and `-1h` (add), `=30s` and `30s` (set), `x2` and `x0.5` (scale). Errors: USAGE. */
export function parseTimeChange(text: string): TimeChange {
  const rest = text.slice(1);
  if (text.startsWith("+")) return { how: "add", nanoseconds: parseDuration(rest) };
  if (text.startsWith("-")) return { how: "add", nanoseconds: -parseDuration(rest) };
  if (text.startsWith("x")) return { how: "scale", millionths: parseFactor(rest) };
  return { how: "set", nanoseconds: parseDuration(text.startsWith("=") ? rest : text) };
}

/** The time after the change, in nanoseconds, possibly below zero. */
export function changedTime(left: bigint, change: TimeChange): bigint {
  if (change.how === "scale") return (left * change.millionths) / 1_000_000n;
  return change.how === "add" ? left + change.nanoseconds : change.nanoseconds;
}

/** `90.5 s` for a time in nanoseconds. */
export function formatSeconds(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? "-" : "";
  const value = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = (value % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return `${sign}${value / 1_000_000_000n}${fraction && `.${fraction}`} s`;
}

function parseFactor(text: string): bigint {
  const [, whole, fraction = ""] = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new UsageError(`invalid factor x${text} (expected e.g. x2 or x0.5)`);
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
}

function badDuration(text: string): never {
  throw new UsageError(`invalid duration ${JSON.stringify(text)} (expected e.g. 30s, 250ms or 1h30m)`);
}
