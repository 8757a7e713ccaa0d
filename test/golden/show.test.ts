import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Line, rendered } from "../../src/cli/line.js";
import { viewLines } from "../../src/cli/show/lines.js";
import { recordLines } from "../../src/cli/show/record.js";
import { summaryLines } from "../../src/cli/show/summary.js";
import { styleFor } from "../../src/cli/style.js";
import { CONTAINER_VIEWS, recordView, summaryView, VIEWS, type ViewName } from "../../src/index.js";
import { DirectoryFileSet } from "../../src/io/file-set.js";
import { MemorySource } from "../../src/io/source.js";
import type { Document } from "../../src/model/document.js";
import { openDocument, openFileSet, openStream } from "../../src/open.js";
import { extendedStream } from "../helpers/extended-stream.js";
import { assertGolden } from "../helpers/golden.js";
import { FIXTURE_NAMES } from "../helpers/images.js";
import { keyPaths } from "../helpers/key-paths.js";
import { suite } from "../helpers/suite.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/", import.meta.url));
const GOLDEN = join(FIXTURES, "golden/show");
const CASES = FIXTURE_NAMES;
const LOOK = { style: styleFor(1, "never"), width: 80 };

/** The others tell of a plain set, or a stream, that no engine packed it. */
const isOfContainer = (view: ViewName): boolean => (CONTAINER_VIEWS as readonly ViewName[]).includes(view);
const TASK_VIEWS = (Object.keys(VIEWS) as ViewName[]).filter((view) => !isOfContainer(view));

const test = suite("golden: show");
const open = (name: string): Document =>
  openFileSet(new DirectoryFileSet(join(FIXTURES, "criu", name), `fixtures/criu/${name}`));

/** The time of a file is that of the check-out. */
function summaryOf(document: Document): ReturnType<typeof summaryView> {
  const summary = summaryView(document);
  const { checkpoint } = summary;
  return { ...summary, checkpoint: checkpoint && { ...checkpoint, time: "2026-01-02T03:04:05.678Z" } };
}

function assertLines(lines: Iterable<Line>, name: string): void {
  assertGolden(`${Array.from(lines, rendered).join("\n")}\n`, join(GOLDEN, name));
}

for (const name of CASES) {
  test(`${name}: summary`, () => {
    assertLines(summaryLines(summaryOf(open(name)), LOOK), `${name}.summary`);
  });

  for (const view of TASK_VIEWS)
    test(`${name}: ${view}`, () => {
      assertLines(viewLines(view, VIEWS[view](open(name)), LOOK), `${name}.${view}`);
    });
}

const TICKER = "fixtures/archives/ticker.tar.zst";
test("an archive: summary", () => {
  assertLines(summaryLines(summaryView(openDocument(TICKER)), LOOK), "ticker.summary");
});

for (const view of CONTAINER_VIEWS)
  test(`an archive: ${view}`, () => {
    assertLines(viewLines(view, VIEWS[view](openDocument(TICKER)), LOOK), `ticker.${view}`);
  });

const LINUX_CR = "fixtures/linux-cr/minimal.ckpt";
test("linux-cr: summary", () => {
  assertLines(summaryLines(summaryView(openDocument(LINUX_CR)), LOOK), "linux-cr.summary");
});

for (const view of TASK_VIEWS)
  test(`linux-cr: ${view}`, () => {
    assertLines(viewLines(view, VIEWS[view](openDocument(LINUX_CR)), LOOK), `linux-cr.${view}`);
  });

const extended = (): Document => openStream(new MemorySource(extendedStream(), "extended.ckpt"));

test("extended stream: summary", () => {
  assertLines(summaryLines(summaryView(extended()), LOOK), "extended.summary");
});

for (const view of TASK_VIEWS)
  test(`extended stream: ${view}`, () => {
    assertLines(viewLines(view, VIEWS[view](extended()), LOOK), `extended.${view}`);
  });

for (const record of ["TASK_EXTRA", "FILE_UNLINKED", "VMA_EXTRA"])
  test(`extended stream: record ${record}`, () => {
    assertLines(recordLines(recordView(extended(), record), LOOK), `extended.record ${record}`);
  });

for (const record of ["[0]", "[41]"])
  test(`linux-cr: record ${record}`, () => {
    assertLines(recordLines(recordView(openDocument(LINUX_CR), record), LOOK), `linux-cr.record ${record}`);
  });

for (const image of ["files.img[3]", "core-1000.img", "filelocks.img"])
  test(`locks: record ${image}`, () => {
    assertLines(recordLines(recordView(open("locks"), image), LOOK), `locks.record ${image}`);
  });

test("the keys of --json are those that are known", () => {
  const views = Object.keys(VIEWS) as ViewName[];
  const keys = views.flatMap((view) => {
    const options = { threads: true, runs: true };
    const documents = [...CASES.map(open), extended(), openDocument(TICKER)];
    return keyPaths(documents.map((document) => VIEWS[view](document, options))).map(
      (path) => `${view} ${path}`,
    );
  });
  const summary = keyPaths([...CASES.map(open), openDocument(TICKER)].map(summaryOf)).map(
    (path) => `summary ${path}`,
  );
  assertLines([...keys, ...summary], "json-keys");
});

test.run();
