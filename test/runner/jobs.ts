import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export const GROUPS = ["unit", "package", "golden", "cli", "property", "hostile", "fuzz", "oracle", "e2e"];

/** Test files that run in one process. */
export interface Job {
  readonly name: string;
  readonly files: readonly string[];
  /** "cpu" keeps a core busy, "waits" mostly waits for others, "alone" measures time or changes the whole system. */
  readonly runs: "cpu" | "waits" | "alone";
  /** One such job at a time: a restore needs the numbers of its terminals, and whoever opens one gets the lowest free. */
  readonly opensTerminals: boolean;
  /** When it is killed: longer than any of its suites allows itself. */
  readonly seconds: number;
}

const SECONDS = 1800;

/** Groups of many quick files: one process for all of them. */
const TOGETHER = ["unit", "golden"];

/** These measure start-up, set lease-break-time for everybody, or aim kills at moments of a run that nobody slows down. */
const ALONE = /\/test\/(package\/start-up|e2e\/slim-(leases|kills)|hostile\/edit-killed)\.test\.ts$/;

const TERMINALS =
  /\/test\/(hostile\/poison|e2e\/(converted|converted-files|programs|restored-streams|slim|slim-(real-programs|sockets|terminals)))\.test\.ts$/;

/** The jobs of a group (`unit`, `unit/io`) or of a file; none when there are no such tests. */
export function jobsOf(name: string): Job[] {
  if (name.endsWith(".test.ts")) return [job(name, [resolve(name)])];
  const files = testFiles(join(ROOT, "test", name));
  const group = name.split("/")[0] as string;
  if (!TOGETHER.includes(group)) return files.map((file) => job(file.slice(ROOT.length), [file]));
  return files.length === 0 ? [] : [job(name, files)];
}

function job(name: string, files: readonly string[]): Job {
  const isAlone = files.some((file) => ALONE.test(file));
  const waits = files.every((file) => file.includes("/test/e2e/"));
  const opensTerminals = files.some((file) => TERMINALS.test(file));
  return { name, files, opensTerminals, runs: isAlone ? "alone" : waits ? "waits" : "cpu", seconds: SECONDS };
}

function testFiles(directory: string): string[] {
  try {
    const names = readdirSync(directory, { recursive: true }) as string[];
    return names
      .filter((name) => name.endsWith(".test.ts"))
      .sort()
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
}
