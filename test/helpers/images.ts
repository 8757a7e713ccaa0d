import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CriuImage } from "../../src/formats/criu/image.js";
import { MemorySource } from "../../src/io/source.js";
import { freshDirectory } from "./live.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/criu", import.meta.url));

/** Paths of all images with records of all fixtures that criu made. */
export function fixtureImages(): string[] {
  return FIXTURE_NAMES.flatMap((name) => readdirSync(join(FIXTURES, name), { withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => openBytes(readFileSync(path), basename(path))?.header !== undefined)
    .sort();
}

/**
 * The sets of fixtures/criu, each of which was also converted into a stream below fixtures/linux-cr. Names that begin with
 * a dot are temporaries of commands that were tried beside the tests.
 */
export const FIXTURE_NAMES: readonly string[] = readdirSync(FIXTURES)
  .filter((name) => !name.startsWith("."))
  .sort();
export const STREAM_FIXTURES = ["minimal", ...FIXTURE_NAMES];

/** Path of a stream of `STREAM_FIXTURES`. */
export function streamFixture(name: string): string {
  return join(FIXTURES, "../linux-cr", `${name}.ckpt`);
}

/** Path of a fixture's file below fixtures/criu. */
export function fixture(path: string): string {
  return join(FIXTURES, path);
}

/** The files of a program as they were at its dump, below a fresh root; `home` is the directory of the program. */
export function unpackedFiles(name: string): { readonly root: string; readonly home: string } {
  const root = freshDirectory(`root-${name}`);
  chmodSync(root, 0o755);
  execFileSync("tar", ["xzpf", join(FIXTURES, "../files", `${name}.tar.gz`), "-C", root]);
  return { root, home: join(root, "var/lib/crimg-demo", name) };
}

/** The image in these bytes; undefined when its header is no image's. */
function openBytes(bytes: Buffer, fileName: string): CriuImage | undefined {
  try {
    return new CriuImage(new MemorySource(bytes, fileName), fileName);
  } catch {
    return undefined;
  }
}
