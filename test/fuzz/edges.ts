import type { Random } from "./random.js";

/** Numbers at which a type ends, or a number stops to be exact. */
export const EDGE_NUMBERS: readonly bigint[] = [
  ...[0n, 1n, -1n, 2n, 3n, 127n, 128n, 255n, 256n, 4095n, 4096n, 65535n, 65536n],
  ...[2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n],
  ...[2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n - 4096n, -(2n ** 31n), -(2n ** 63n)],
  ...[0x7fff_ffff_f000n, 0xffff_8000_0000_0000n, 10n ** 9n, 8_640_000_000_000_001n],
];

/** Text that means something to a terminal, a shell, a path, a pattern, a number's reader or an object's keys. */
const EDGE_TEXTS: readonly string[] = [
  ...[
    "",
    "/",
    "//",
    ".",
    "..",
    "../x",
    "/a/../../b",
    "/./",
    "\0",
    "a\0b",
    "\0abstract",
    "-o",
    "--",
    "/dev/zero",
  ],
  ...[
    "/proc/self/mem",
    "/dev/tty",
    "\u001b[2J",
    "a\nb\r",
    "\u202e",
    "\u0085",
    "%s%n",
    "$(x)`x`",
    `\${x}`,
    "$",
  ],
  ...[
    "__proto__",
    "\ud800",
    "a\udc80",
    "constructor",
    "toString",
    "**/*",
    "[",
    "(",
    "\\",
    "{a,b}",
    "0x",
    "-1",
    "1e400",
    "NaN",
  ],
  ...[" (deleted)", "/x (deleted)", "::1", "127.0.0.1", "999.1.1.1", "fe80::1%eth0", "a".repeat(5000)],
];

/** Bytes for a text or a byte field: an edge, or noise. */
export function edgeBytes(random: Random): Buffer {
  const how = random.below(10);
  if (how < 6) return Buffer.from(random.pick(EDGE_TEXTS));
  if (how < 8) return random.bytes(random.below(20));
  return how === 8
    ? Buffer.alloc(random.pick([15, 16, 64, 108, 255, 256, 4096]), 0x61)
    : Buffer.of(0xff, 0xc0, 0x80);
}

export function edgeText(random: Random): string {
  return random.pick(EDGE_TEXTS);
}
