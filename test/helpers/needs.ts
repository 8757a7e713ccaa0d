import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import zlib from "node:zlib";
import { FOREIGN } from "./foreign.js";
import { skip } from "./suite.js";

/** Ends the running test (or, in a `before` hook, its suite) as skipped unless these foreign programs are there. */
export function needs(...words: readonly string[]): void {
  for (const word of words) {
    const program = FOREIGN.find((each) => each.word === word);
    if (program === undefined) throw new Error(`test/support/packages.txt has no ${word}`);
    if (!existsSync(program.file))
      skip(`${word} is missing (no ${program.file}): it is in the package ${program.package}`, word);
  }
}

/** The same for a program by its path; one that the table does not have is the test's own matter. */
export function needsFile(file: string): void {
  const program = FOREIGN.find((each) => each.file === file);
  if (program !== undefined) needs(program.word);
}

/** Ends the running test as skipped where neither Node nor a program writes zstd. */
export function needsZstd(): void {
  if (!("createZstdCompress" in zlib)) needs("zstd");
}

/** Ends the running test, or its suite, as skipped unless root runs it. */
export function needsRoot(why: string): void {
  if (process.getuid?.() !== 0) skip(`${why} needs root`, "root");
}

/** Ends the running test as skipped unless a file system can be made in `disk` and mounted with reflinks. */
export function mountXfs(disk: string, mount: string): void {
  needsRoot("mounting a file system");
  needs("mkfs.xfs", "mount", "filefrag");
  for (const [program, ...args] of [
    ["mkfs.xfs", "-q", "-m", "reflink=1", disk],
    ["mount", "-t", "xfs", "-o", "loop", disk, mount],
  ] as [string, ...string[]][]) {
    const { status, error, stderr } = spawnSync(program, args, { encoding: "utf8" });
    if (status !== 0)
      skip(`${program} cannot make an XFS here: ${error?.message ?? stderr.trim()}`, "loop devices");
  }
}
