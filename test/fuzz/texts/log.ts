import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { edgeBytes } from "../edges.js";
import type { Random } from "../random.js";

const DIRECTORY = fileURLToPath(new URL("../../../fixtures/logs", import.meta.url));
const LOGS = readdirSync(DIRECTORY)
  .sort()
  .map((name): [string, string[]] => [name, readFileSync(join(DIRECTORY, name), "latin1").split("\n")]);

/** A log of criu with lines changed, and what was changed. */
export function anyLog(random: Random): [log: Buffer, what: string] {
  const [name, original] = random.pick(LOGS);
  const lines = [...original];
  const what = [name];
  for (let i = random.below(4); i > 0; i--) {
    const at = random.below(lines.length);
    if (lines[at] === undefined) break;
    const how = random.pick(CHANGES);
    how(lines, at, random);
    what.push(`${how.name} line ${at}`);
  }
  return [Buffer.from(lines.join("\n"), "latin1"), what.join(", ")];
}

type Change = (lines: string[], at: number, random: Random) => void;

const CHANGES: readonly Change[] = [
  function drop(lines, at) {
    lines.splice(at, 1);
  },
  function repeat(lines, at, random) {
    lines.splice(at, 0, ...Array<string>(random.pick([1, 1000])).fill(lines[at] as string));
  },
  function number(lines, at, random) {
    const fresh = random.pick(["0", "-1", "4294967296", "9".repeat(40), "x", ""]);
    lines[at] = (lines[at] as string).replace(/\d+/g, (digits) => (random.chance(0.4) ? fresh : digits));
  },
  function noise(lines, at, random) {
    const line = lines[at] as string;
    const start = random.below(line.length + 1);
    lines[at] = line.slice(0, start) + edgeBytes(random).toString("latin1") + line.slice(start);
  },
  function long(lines, at, random) {
    const line = lines[at] as string;
    const piece = line.slice(random.below(line.length + 1));
    lines[at] = line + piece.repeat(Math.ceil(20_000 / (piece.length + 1)));
  },
  function cut(lines, at, random) {
    lines.length = at + 1;
    lines[at] = (lines[at] as string).slice(0, random.below((lines[at] as string).length + 1));
  },
  function join(lines, at, random) {
    lines.splice(at, 2, `${lines[at]}${lines[at + 1] ?? ""}${random.pick(LOGS)[1].at(-2)}`);
  },
];
