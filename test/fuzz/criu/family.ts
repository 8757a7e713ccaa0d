import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kindOfFileName } from "../../../src/formats/criu/detect.js";
import { MemorySource } from "../../../src/io/source.js";
import { openDocument, openFileSet } from "../../../src/open.js";
import { memoryFiles } from "../../helpers/build-set.js";
import { documentOperations } from "../document-operations.js";
import { type Family, type Making, type Mutant, steps } from "../family.js";
import { baseSets } from "./bases.js";
import { type Content, changeSet } from "./changes.js";
import { imageOperations } from "./image-operations.js";

const BASES = baseSets();

/** Sets of criu with fields, records and files changed. */
export const CRIU: Family = {
  name: "criu",
  share: 40,
  mutant(making: Making): Mutant {
    const { random, scratch } = making;
    const base = random.pick(BASES);
    const content = new Map<string, Content>(base.files);
    const told = steps(making, (each) => changeSet({ content, ids: base.ids }, each));
    const directory = join(scratch, "set");
    write(directory, content);
    const changed = [...content].filter(([name, bytes]) => bytes !== base.files.get(name));
    const files = changed.flatMap(([name, bytes]) =>
      Buffer.isBuffer(bytes) ? [[name, bytes] as const] : [],
    );
    const images = files.filter(([name]) => kindOfFileName(name)?.kind.magic !== undefined);
    const fresh = mkdtempSync(join(scratch, "out-"));
    let made = 0;
    return {
      steps: [`${base.name}`, ...told],
      operations: [
        ...documentOperations({
          random,
          open: () => openDocument(directory),
          original: () => openFileSet(memoryFiles(base.files, base.name)),
          records: images.map(([name]) => name),
          fresh: () => join(fresh, `set-${made++}`),
        }),
        ...images.flatMap(([name, bytes]) => imageOperations(name, () => new MemorySource(bytes, name))),
      ],
      digest: () => digestOf(directory),
    };
  },
};

function write(directory: string, content: ReadonlyMap<string, Content>): void {
  mkdirSync(directory);
  for (const [name, each] of content) {
    const file = join(directory, name);
    if (Buffer.isBuffer(each)) writeFileSync(file, each);
    else if (each === "directory") mkdirSync(file);
    else if (each === "link") symlinkSync("/etc/passwd", file);
    else spawnSync("mkfifo", [file]);
  }
}

function digestOf(directory: string): string {
  const hash = createHash("sha256");
  const entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    hash.update(`${entry.name}\0`);
    if (entry.isFile()) hash.update(readFileSync(join(directory, entry.name)));
  }
  return hash.digest("hex");
}
