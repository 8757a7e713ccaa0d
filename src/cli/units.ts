const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/** Bytes, human-readable: `512 B`, `4 KiB`, `1.5 MiB`. */
export function sizeText(bytes: number | bigint): string {
  let size = Number(bytes);
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  const digits = size >= 100 || Number.isInteger(size) ? 0 : 1;
  return `${size.toFixed(digits)} ${UNITS[unit]}`;
}

const STEPS: readonly (readonly [nanoseconds: number, unit: string])[] = [
  [86_400e9, "d"],
  [3_600e9, "h"],
  [60e9, "min"],
];

/** Nanoseconds, human-readable: `250 ms`, `1.5 s`, `2 h 3 min`. */
export function durationText(nanoseconds: number | bigint): string {
  const time = Number(nanoseconds);
  if (time < 0) return `-${durationText(-time)}`;
  for (const [at, [length, unit]] of STEPS.entries()) {
    if (time < length) continue;
    const [smaller, smallerUnit] = STEPS[at + 1] ?? [1e9, "s"];
    const rest = Math.floor((time % length) / smaller);
    return `${Math.floor(time / length)} ${unit}${rest === 0 ? "" : ` ${rest} ${smallerUnit}`}`;
  }
  if (time >= 1e9) return `${trimmed(time / 1e9)} s`;
  if (time >= 1e6) return `${trimmed(time / 1e6)} ms`;
  return time >= 1e3 ? `${trimmed(time / 1e3)} us` : `${time} ns`;
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(3)));
}

/** `1 task`, `2 tasks`. */
export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
