import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CriuImage } from "../../src/formats/criu/image.js";
import { MemorySource } from "../../src/io/source.js";

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

/** The image in these bytes; undefined when its header is no image's. */
function openBytes(bytes: Buffer, fileName: string): CriuImage | undefined {
  try {
    return new CriuImage(new MemorySource(bytes, fileName), fileName);
  } catch {
    return undefined;
  }
}
