import * as assert from "uvu/assert";
import { hexdumpLines } from "../../../../src/cli/hexdump.js";
import { type Line, rendered } from "../../../../src/cli/line.js";
import { memoryLines } from "../../../../src/cli/memory-lines.js";
import { styleFor } from "../../../../src/cli/style.js";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { ARCHITECTURES } from "../../../../src/formats/linux-cr/revisions.js";
import { DirectoryFileSet } from "../../../../src/io/file-set.js";
import { MemorySource } from "../../../../src/io/source.js";
import type { Document } from "../../../../src/model/document.js";
import { openFileSet, openStream } from "../../../../src/open.js";
import { chooseMemory, memoryContents, type Wanted } from "../../../../src/ops/memory/extract.js";
import { memoryView } from "../../../../src/ops/memory/memory-view.js";
import { joined } from "../../../helpers/bytes.js";
import { FIXTURE_NAMES } from "../../../helpers/images.js";
import { memoryDocument, memorySet } from "../../../helpers/memory-document.js";
import { BASE, filled, PAGE } from "../../../helpers/memory-set.js";
import { PID, VMA } from "../../../helpers/one-task-set.js";
import { refusal } from "../../../helpers/refusal.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops: memory");
const IN_PARENT = { flags: 1 };
const LAZY = { flags: 2 };
const LOOK = { style: styleFor(1, "never"), width: 100 };

/** Two pages of its own, one in the parent, one that the parent lacks, two lazy, one never touched in between. */
const CHAIN = memoryDocument(
  memorySet(
    [
      { at: 0, pages: 1 },
      { at: 1, pages: 2, ...IN_PARENT },
      { at: 4, pages: 1 },
      { at: 5, pages: 2, ...LAZY },
    ],
    Buffer.concat([filled(0xa1), filled(0xa4)]),
  ),
  memorySet([{ at: 1, pages: 1 }], filled(0xb1)),
);

function contents(document: Document, wanted: Wanted, pids?: readonly number[]): Buffer {
  return joined(memoryContents(chooseMemory(document, wanted, { pids })));
}

const lines = (all: Iterable<Line>): string[] => Array.from(all, rendered);

test("pages are counted by where they are, over a chain", () => {
  const { tasks, total } = memoryView(CHAIN);
  const counts = { stored: 2, inParent: 1, lazy: 2, missing: 1, zero: 58, elsewhere: 0 };
  assert.equal(total, counts);
  const [task] = tasks;
  assert.is(task?.pid, PID);
  assert.equal({ ...task?.mappings[0], ...counts }, task?.mappings[0]);
  assert.match(
    lines(memoryLines(memoryView(CHAIN), LOOK)).join("\n"),
    /4711.*8 KiB stored, 4 KiB in parent sets, 8 KiB lazy, 4 KiB missing/,
  );
});

test("contents come from the set that has them, zeros where there was nothing", () => {
  assert.equal(
    contents(CHAIN, { address: BASE + BigInt(PAGE) - 2n, length: 4 }),
    Buffer.of(0xa1, 0xa1, 0xb1, 0xb1),
  );
  assert.equal(
    contents(CHAIN, { address: BASE + BigInt(4 * PAGE) - 2n, length: 4 }),
    Buffer.of(0, 0, 0xa4, 0xa4),
  );
});

test("memory that the image does not have is an error, or zeros that are told", () => {
  const at = (page: number): Wanted => ({ address: BASE + BigInt(page * PAGE), length: PAGE });
  assert.match(
    refusal(() => contents(CHAIN, at(2))),
    /^MISSING .*0x10002000-0x10003000 of task 4711 is missing in parent set/,
  );
  assert.match(
    refusal(() => contents(CHAIN, at(5))),
    /^MISSING .*left in the dumped task for lazy migration/,
  );
  assert.match(
    refusal(() => contents(CHAIN, at(63).valueOf() as Wanted)),
    /^none$/,
  );
  assert.match(
    refusal(() => contents(CHAIN, { address: BASE + BigInt(63 * PAGE), length: 2 * PAGE })),
    /^MISSING .*is not mapped/,
  );
  assert.match(
    refusal(() => contents(CHAIN, at(64))),
    /^MISSING no mapping 0x10040000/,
  );
  assert.match(
    refusal(() => contents(CHAIN, { map: "[heap]" })),
    /^MISSING no mapping "\[heap\]"/,
  );
  const told: [bigint, string][] = [];
  const pieces = memoryContents(chooseMemory(CHAIN, { map: "0x10000000" }, {}), (bytes, why) =>
    told.push([bytes, why]),
  );
  const size = [...pieces].reduce(
    (sum, piece) => sum + (Buffer.isBuffer(piece) ? piece.length : piece.zeros),
    0,
  );
  assert.is(size, 64 * PAGE);
  assert.equal(told, [
    [4096n, "is missing in parent set 1 of the chain"],
    [8192n, "was left in the dumped task for lazy migration"],
  ]);
});

test("a name that several mappings or tasks have is not guessed", () => {
  const document = memoryDocument(
    memorySet([], Buffer.alloc(0), [VMA, { ...VMA, start: 0x20000000n, end: 0x20001000n }]),
  );
  assert.match(
    refusal(() => chooseMemory(document, { map: "" }, {})),
    /^USAGE task 4711 has 2 mappings "".*0x10000000, 0x20000000/,
  );
  const tree = openFileSet(new DirectoryFileSet("fixtures/criu/tree"));
  assert.match(
    refusal(() => chooseMemory(tree, { map: "[stack]" }, {})),
    /^USAGE mapping "\[stack\]" is in tasks 1000, 1003.*-p$/,
  );
  assert.is(chooseMemory(tree, { map: "[stack]" }, { pids: [1003] }).pid, 1003);
  tree.close();
});

test("every stored page of every fixture is in a mapping or a segment, once, and reads the same both ways", () => {
  for (const name of FIXTURE_NAMES) {
    const document = openFileSet(new DirectoryFileSet(`fixtures/criu/${name}`));
    const { total, pageSize } = memoryView(document);
    const files = document.set.files.filter(({ kind }) => kind === IMAGES.PAGES);
    const bytes = files.reduce((sum, file) => sum + (document.set.fileSet.open(file.name)?.size ?? 0), 0);
    assert.is(total.stored * pageSize, bytes, name);
    for (const { pid, pages } of document.checkpoint.storedMemory())
      for (const { address, bytes: found } of pages().pieces())
        if (pid !== undefined && found !== undefined)
          assert.ok(document.checkpoint.task(pid)?.memory()?.read(address, found.length).equals(found), name);
    document.close();
  }
});

test("the memory of a stream: tasks that share an address space have it once, segments once", () => {
  const commit = "5c3471a";
  const stream = openStream(new MemorySource(richStream({ commit, arch: ARCHITECTURES.X86_64 }), "a.ckpt"));
  const stored = [...stream.checkpoint.storedMemory()].map(({ pid, segment, pages }) => ({
    pid,
    isShared: segment !== undefined,
    pages: Array.from(pages().pieces(), (piece) => [piece.address, piece.pages, piece.bytes?.[0]] as const),
  }));
  assert.equal(
    stored.filter(({ isShared }) => !isShared).map(({ pages }) => pages),
    [[[0x600000n, 2, 1]]],
  );
  assert.ok(stored.some(({ isShared }) => isShared));
  const { total, segments } = memoryView(stream);
  assert.is(
    total.stored,
    stored.flatMap(({ pages }) => pages).reduce((sum, [, count]) => sum + count, 0),
  );
  assert.ok(segments.some(({ mappedBy }) => mappedBy.length > 1));
});

test("a hexdump has rows of 16 bytes, repeated ones as *, and terabytes of zeros at once", () => {
  const pieces = [Buffer.from("0123456789\n"), { zeros: 2 ** 42 }, Buffer.from("abc")];
  assert.equal(lines(hexdumpLines(0x1000n, pieces)), [
    "00001000  30 31 32 33 34 35 36 37  38 39 0a 00 00 00 00 00 |0123456789......|",
    "00001010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00 |................|",
    "*",
    "40000001000  00 00 00 00 00 00 00 00  00 00 00 61 62 63       |...........abc|",
    "4000000100e",
  ]);
});

test.run();
