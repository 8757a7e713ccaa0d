import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Line } from "../../src/cli/line.js";
import { viewLines } from "../../src/cli/show/lines.js";
import { recordLines } from "../../src/cli/show/record.js";
import { summaryLines } from "../../src/cli/show/summary.js";
import { styleFor } from "../../src/cli/style.js";
import { recordView, summaryView, VIEWS, type ViewName } from "../../src/index.js";
import { isCrimgError } from "../../src/io/errors.js";
import { DirectoryFileSet, type FileSet, OverlayFileSet } from "../../src/io/file-set.js";
import { MemorySource } from "../../src/io/source.js";
import { openFileSet } from "../../src/open.js";
import { suite } from "../helpers/suite.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/criu/", import.meta.url));
const CASES = ["threads", "sockets", "deleted"];
const LOOK = { style: styleFor(1, "never"), width: 80 };
const test = suite("hostile: show");

/** Every view of these files either gives lines or says in one of our errors why not. */
function showAll(files: FileSet, damaged: string): void {
  const document = openFileSet(files);
  const outputs: (() => Iterable<Line>)[] = [
    () => summaryLines(summaryView(document), LOOK),
    () => recordLines(recordView(document, damaged), LOOK),
    ...(Object.keys(VIEWS) as ViewName[]).map(
      (view) => () => viewLines(view, VIEWS[view](document, { threads: true, runs: true }), LOOK),
    ),
  ];
  for (const output of outputs)
    try {
      for (const _line of output());
    } catch (error) {
      if (!isCrimgError(error)) throw new Error(`${files.name}: ${damaged}`, { cause: error });
    }
}

/** A small generator of numbers that are the same in every run (Lehmer's). */
function* numbers(): Generator<number> {
  for (let state = 20_261; ; ) {
    state = (state * 48_271) % 0x7fffffff;
    yield state;
  }
}

for (const name of CASES) {
  const set = new DirectoryFileSet(join(FIXTURES, name), name);
  const images = readdirSync(join(FIXTURES, name)).filter((file) => !file.startsWith("pages"));
  const bytesOf = (file: string): Buffer => {
    const source = set.open(file);
    return Buffer.from(source?.read(0, source.size) ?? []);
  };

  const changed = (file: string, bytes: Buffer | null): FileSet =>
    new OverlayFileSet(set, new Map([[file, bytes && new MemorySource(bytes, `${name}/${file}`)]]));

  test(`${name}: images cut short`, () => {
    for (const file of images) {
      const bytes = bytesOf(file);
      for (const keep of [0, 9, bytes.length >> 1, bytes.length - 1])
        showAll(changed(file, bytes.subarray(0, keep)), file);
    }
  });

  test(`${name}: images gone`, () => {
    for (const file of images) {
      if (file === "inventory.img") continue; // then pstree.img alone says that it is a set
      showAll(changed(file, null), file);
    }
  });

  test(`${name}: flipped bits`, () => {
    const random = numbers();
    const next = (limit: number): number => (random.next().value as number) % limit;
    for (const file of images)
      for (let round = 0; round < 5; round++) {
        const bytes = bytesOf(file);
        const at = next(bytes.length);
        bytes[at] = (bytes[at] as number) ^ (1 << next(8));
        showAll(changed(file, bytes), file);
      }
  });
}

test.run();
