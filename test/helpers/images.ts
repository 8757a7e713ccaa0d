import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CriuImage } from "../../src/formats/criu/image.js";
import { MemorySource } from "../../src/io/source.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/criu", import.meta.url));

/** Paths of all images with records of all fixtures that criu made. */
export function fixtureImages(): string[] {
  return readdirSync(FIXTURES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => openBytes(readFileSync(path), basename(path))?.header !== undefined)
    .sort();
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
