import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freshDirectory } from "./live.js";
import { needsRoot } from "./needs.js";
import { skip } from "./suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** nobody */
const OTHER = { uid: 65534, gid: 65534 };

/** What the program consists of; of its packages it loads only koffi, the others are in its bundle. */
const PROGRAM = ["bin", "dist/cli", "package.json", "oclif.manifest.json"];

/** Where another user finds what a clone that he may not enter, or a umask, would keep from him. */
export interface ForOtherUser {
  readonly uid: number;
  readonly gid: number;
  readonly node: string;
  /** The program of `CRIMG`. */
  readonly crimg: string;
  /** A directory that he may read and enter. */
  readonly directory: string;
}

/**
 * Copies node, where need be, and crimg to where another user can start them. The running test is skipped unless root runs
 * it, and where not even the directory of temporary files is open to others.
 */
export function forOtherUser(): ForOtherUser {
  needsRoot("acting as another user");
  const directory = freshDirectory("other-user");
  const home = join(directory, "crimg");
  for (const part of PROGRAM) cpSync(join(ROOT, part), join(home, part), { recursive: true });
  for (const part of ["koffi", "@koromix"].map((name) => join("node_modules", name)))
    if (existsSync(join(ROOT, part))) cpSync(join(ROOT, part), join(home, part), { recursive: true });
  let node = process.execPath;
  if (!starts(node)) {
    node = join(directory, basename(node));
    copyFileSync(process.execPath, node);
    chmodSync(node, 0o755);
  }
  execFileSync("chmod", ["-R", "a+rX", directory]);
  if (!starts(node)) skip("no other user may start node, not even a copy of it", "other users");
  return { ...OTHER, node, crimg: join(home, "bin/run.js"), directory };
}

function starts(node: string): boolean {
  return spawnSync(node, ["-e", ""], { ...OTHER, cwd: "/" }).status === 0;
}

/** Copies a file, with the rights to read and run it, to where the other user finds it; gives its new path. */
export function lentTo({ directory }: ForOtherUser, file: string): string {
  const copy = join(directory, basename(file));
  copyFileSync(file, copy);
  chmodSync(copy, 0o755);
  return copy;
}
