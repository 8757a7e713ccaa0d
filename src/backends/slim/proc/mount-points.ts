import { readProc } from "./read.js";

/**
 * Where file systems are mounted, by their device numbers as the kernel keeps them (12 bits and 20 bits): mountinfo of
 * crimg itself, proc_pid_mountinfo(5).
 */
export function mountPoints(): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>();
  for (const line of readProc("self", "mountinfo").split("\n")) {
    const [, , device = "", , point] = line.split(" ");
    const [major = Number.NaN, minor = 0] = device.split(":").map(Number);
    if (point === undefined || Number.isNaN(major)) continue;
    // Blanks and the like stand as three octal digits.
    const path = point.replace(/\\([0-7]{3})/g, (_, digits) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    const dev = (major << 20) | minor;
    found.set(dev, [...(found.get(dev) ?? []), path]);
  }
  return found;
}
