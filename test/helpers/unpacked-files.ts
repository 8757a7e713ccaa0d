import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freshDirectory } from "./live.js";

const ARCHIVES = fileURLToPath(new URL("../../fixtures/files", import.meta.url));

/** The files of a program as they were at its dump, below a fresh root; `home` is the directory of the program. */
export function unpackedFiles(name: string): { readonly root: string; readonly home: string } {
  const root = freshDirectory(`root-${name}`);
  chmodSync(root, 0o755);
  execFileSync("tar", ["xzpf", join(ARCHIVES, `${name}.tar.gz`), "-C", root]);
  return { root, home: join(root, "var/lib/crimg-demo", name) };
}
