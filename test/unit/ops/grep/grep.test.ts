import fc from "fast-check";
import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { type CrimgError, isCrimgError } from "../../../../src/io/errors.js";
import { DirectoryFileSet } from "../../../../src/io/file-set.js";
import type { Document } from "../../../../src/model/document.js";
import { searchable } from "../../../../src/model/search/stored-search.js";
import { openDocument, openFileSet } from "../../../../src/open.js";
import { type GrepHit, type GrepOptions, grep } from "../../../../src/ops/grep/grep.js";
import type { SetBuilder } from "../../../helpers/build-set.js";
import { streamFixture } from "../../../helpers/images.js";
import { memoryDocument, memorySet, pagesWith } from "../../../helpers/memory-document.js";
import { BASE, filled, PAGE, type RunSpec } from "../../../helpers/memory-set.js";
import { VMA } from "../../../helpers/one-task-set.js";
import { holds } from "../../../helpers/property.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops: grep", undefined, 60);

function search(document: Document, pattern: string, options: GrepOptions = {}, pids?: readonly number[]) {
  const unsearched = { lazy: 0, missing: 0, errors: [] as CrimgError[] };
  const hits = [...grep(searchable(document.checkpoint, pids), pattern, { options, unsearched })];
  return { hits, unsearched };
}

const offsets = (hits: readonly GrepHit[]): number[] =>
  hits.map(({ address }) => Number((address as bigint) - BASE));
const found = (document: Document, pattern: string, options?: GrepOptions): number[] =>
  offsets(search(document, pattern, options).hits);

function refusal(
  pattern: string,
  options: GrepOptions,
  document: Document = memoryDocument(memorySet([], Buffer.alloc(0))),
): string {
  try {
    search(document, pattern, options);
  } catch (error) {
    if (isCrimgError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return "none";
}

test("a text across pages, entries, parent sets; not across a gap, though the pages are side by side in the file", () => {
  const text = "a secret text";
  const half = (part: "start" | "end"): Buffer => {
    const bytes = filled(0);
    if (part === "start") bytes.write(text.slice(0, 5), PAGE - 5);
    else bytes.write(text.slice(5));
    return bytes;
  };
  const both = Buffer.concat([half("start"), half("end")]);
  const at = PAGE - 5;
  assert.equal(found(memoryDocument(memorySet([{ at: 0, pages: 2 }], both)), text), [at]);
  const entries = [
    { at: 0, pages: 1 },
    { at: 1, pages: 1 },
  ];
  assert.equal(found(memoryDocument(memorySet(entries, both)), text), [at]);
  const apart = [
    { at: 0, pages: 1 },
    { at: 2, pages: 1 },
  ];
  assert.equal(found(memoryDocument(memorySet(apart, both)), text), []);
  const own = memorySet(
    [
      { at: 0, pages: 1 },
      { at: 1, pages: 1, flags: 1 },
    ],
    half("start"),
  );
  const { hits } = search(memoryDocument(own, memorySet([{ at: 1, pages: 1 }], half("end"))), text);
  assert.equal(offsets(hits), [at]);
  assert.equal(
    [hits[0]?.file, hits[0]?.fileOffset, hits[0]?.level, hits[0]?.permissions],
    ["pages-1.img", at, 0, "rw-p"],
  );
  const twoVmas = [
    { ...VMA, end: BASE + BigInt(PAGE) },
    { ...VMA, start: BASE + BigInt(PAGE), prot: 1 },
  ];
  assert.equal(found(memoryDocument(memorySet([{ at: 0, pages: 2 }], both, twoVmas)), text), [at]);
});

/** Runs of memory with gaps, their contents of few letters so that patterns occur, and also across what is joined. */
const memories = fc.array(
  fc.record({ gap: fc.nat(2), pages: fc.integer({ min: 1, max: 3 }), seed: fc.nat() }),
  { minLength: 1, maxLength: 6 },
);

function layOut(runs: readonly { gap: number; pages: number; seed: number }[]) {
  const specs: RunSpec[] = [];
  const stretches: { at: number; bytes: Buffer }[] = [];
  const all: Buffer[] = [];
  let page = 0;
  for (const { gap, pages, seed } of runs) {
    page += gap;
    const bytes = Buffer.from(
      Array.from({ length: pages * PAGE }, (_, i) => 97 + ((((seed + 7) * (i + 3) * (i ^ seed)) >>> 3) % 5)),
    );
    specs.push({ at: page, pages });
    all.push(bytes);
    const last = stretches.at(-1);
    if (last !== undefined && last.at + last.bytes.length === page * PAGE)
      last.bytes = Buffer.concat([last.bytes, bytes]);
    else stretches.push({ at: page * PAGE, bytes });
    page += pages;
  }
  return { document: memoryDocument(memorySet(specs, Buffer.concat(all))), stretches };
}

test("any memory: the matches are those of its contiguous parts", () => {
  holds(
    fc.property(memories, fc.stringMatching(/^[a-e]{2,5}$/), (runs, text) => {
      const { document, stretches } = layOut(runs);
      const expected = (regexp: RegExp): number[] =>
        stretches.flatMap(({ at, bytes }) =>
          Array.from(bytes.toString("latin1").matchAll(regexp), ({ index }) => at + index),
        );
      assert.equal(found(document, text), expected(new RegExp(text, "g")));
      assert.equal(
        found(document, `${text[0]}[ab]+${text[1]}`, { regex: true }),
        expected(new RegExp(`${text[0]}[ab]+${text[1]}`, "g")),
      );
      assert.equal(
        found(document, text.toUpperCase(), { ignoreCase: true }),
        expected(new RegExp(text, "g")),
      );
      const hex = Buffer.from(text)
        .toString("hex")
        .replace(/^(..)../, "$1??");
      assert.equal(
        found(document, hex, { hex: true }),
        expected(new RegExp(`${text[0]}[^]${text.slice(2)}`, "g")),
      );
    }),
    { numRuns: 40 },
  );
});

test("memory of many windows: everything is found once, wherever it stands, with the bytes around it", () => {
  const pages = 2300;
  const bytes = Buffer.alloc(pages * PAGE, "-");
  const places: number[] = [];
  for (let at = 100; at < bytes.length - 100; at += 30_011) places.push(at);
  for (const at of places) bytes.write("<needle=42>", at);
  const vma = { ...VMA, end: BASE + BigInt(bytes.length) };
  const whole = memoryDocument(memorySet([{ at: 0, pages }], bytes, [vma]));
  const pieces = memoryDocument(
    memorySet(
      Array.from({ length: pages }, (_, at) => ({ at, pages: 1 })),
      bytes,
      [vma],
    ),
  );
  for (const document of [whole, pieces])
    for (const [pattern, options] of [
      ["<needle=42>", { context: 5 }],
      ["<[a-z]+=\\d+>", { regex: true, context: 5 }],
      ["(?<=-)<needle", { regex: true, context: 5 }],
      ["3c 6e ?? 65", { hex: true, context: 5 }],
    ] as const) {
      const { hits } = search(document, pattern, options);
      assert.equal(offsets(hits), places, pattern);
      assert.ok(hits.every(({ before, after }) => before.toString() === "-----" && after.length === 5));
    }
});

test("lines, encodings, case", () => {
  const text = {
    10: "first\nsecond line\nthird",
    200: Buffer.from("Größe", "utf16le"),
    400: "GRÖSSE größe Größe",
    600: "x\0y",
  };
  const document = memoryDocument(memorySet([{ at: 0, pages: 1 }], pagesWith(1, text)));
  assert.equal(found(document, "^second.*$", { regex: true }), [16]);
  assert.equal(found(document, "^first", { regex: true }), [], "what follows a NUL does not start a line");
  assert.equal(found(document, "Größe"), [416]);
  assert.equal(found(document, "Größe", { utf16: true }), [200, 416]);
  assert.equal(found(document, "GRÖßE", { utf16: true, ignoreCase: true }), [200, 400, 408, 416]);
  assert.equal(found(document, "Gr(?:ö|Ö)[^]{2}e", { regex: true }), [416]);
  assert.equal(found(document, "SECOND", { ignoreCase: true }), [16]);
  assert.equal(found(document, "x\\x00y", { regex: true }), [600]);
});

test("strings: whole texts of a length with the pattern in them", () => {
  const text = {
    10: "short",
    100: "a long text with a key=1 in it",
    300: Buffer.from("a wide text, key=2", "utf16le"),
  };
  const document = memoryDocument(memorySet([{ at: 0, pages: 1 }], pagesWith(1, text)));
  const shown = (pattern: string, options: GrepOptions): string[] =>
    search(document, pattern, options).hits.map(({ match, encoding }) =>
      match.toString(encoding === "utf-16le" ? "utf16le" : "latin1"),
    );
  assert.equal(shown("", { strings: 5 }), ["short", "a long text with a key=1 in it"]);
  assert.equal(shown("KEY=", { strings: 6, ignoreCase: true, utf16: true }), [
    "a long text with a key=1 in it",
    "a wide text, key=2",
  ]);
  assert.equal(shown("key=\\d", { strings: 6, regex: true }), ["a long text with a key=1 in it"]);
  assert.equal(shown("s", { strings: 6 }), []);
});

test("pipes, sockets, queues and deleted files, in sets and streams", () => {
  const cases = [
    ["sockets", "to datagram 1", "received by socket", 2],
    ["sockets", "to connection 2", "received by socket", 2],
    ["tree", "message 11", "pipe", 1],
    ["deleted", "in flight", "fifo", 1],
    ["deleted", "unnamed", "deleted file", 1],
    ["container", "a message", "message queue", 1],
  ] as const;
  for (const [name, text, kind, count] of cases)
    for (const image of [`fixtures/criu/${name}`, streamFixture(name)]) {
      const document = openDocument(image);
      const hits = search(document, text).hits.filter((hit) => hit.in === kind);
      assert.is(hits.length, count, `${text} in ${image}`);
      assert.ok(
        hits.every(
          ({ name: of, file, fileOffset }) => of !== "" && file !== undefined && fileOffset !== undefined,
        ),
      );
      document.close();
    }
});

test("a set and the stream of it have the same matches in memory", () => {
  const matches = (image: string): string[] => {
    const document = openDocument(image);
    const { hits } = search(document, "[a-z/]{6,}", { regex: true, context: 0 });
    document.close();
    return hits
      .flatMap(({ pid, address, match, in: where }) =>
        where === "memory" ? `${pid} ${address} ${match.toString()}` : [],
      )
      .sort();
  };
  for (const name of ["logger", "threads"]) {
    const [set, stream] = [matches(`fixtures/criu/${name}`), matches(streamFixture(name))];
    assert.ok(set.length > 50);
    assert.equal(set, stream);
  }
});

test("memory of one task, with the segments that it maps and without queues", () => {
  const document = openFileSet(new DirectoryFileSet("fixtures/criu/tree"));
  const { hits } = search(document, "HOME=/", {}, [1003]);
  assert.equal(
    hits.map(({ pid, area }) => [pid, area]),
    [[1003, "environment"]],
  );
  assert.equal(
    search(document, "message 11", {}, [1003]).hits.filter((hit) => hit.in === "pipe"),
    [],
  );
  assert.throws(() => search(document, "x", {}, [7]), /no task with pid 7/);
  document.close();
});

test("what cannot be read is told, the rest is searched; lazy pages are counted", () => {
  const builder = memorySet(
    [
      { at: 0, pages: 1 },
      { at: 1, pages: 3, flags: 2 },
      { at: 4, pages: 2, flags: 1 },
    ],
    pagesWith(1, { 5: "there" }),
  );
  const { hits, unsearched } = search(memoryDocument(builder), "there");
  assert.is(hits.length, 1);
  assert.equal([unsearched.lazy, unsearched.missing, unsearched.errors.length], [3, 2, 0]);
  builder.files.delete("pages-1.img");
  const broken = search(memoryDocument(builder), "there");
  assert.equal(broken.hits, []);
  assert.match(String(broken.unsearched.errors[0]), /pages-1\.img.*missing/);
});

test("a pages file that two pagemaps name is searched once, also one of a parent", () => {
  const shared = (builder: SetBuilder): SetBuilder =>
    builder.image(IMAGES.SHMEM_PAGEMAP, 9, [
      { pages_id: 1 },
      { vaddr: 0n, compat_nr_pages: 0, nr_pages: 1n, flags: 4, compressed_size: [] },
    ]);
  const own = shared(memorySet([{ at: 0, pages: 1 }], pagesWith(1, { 5: "there" })));
  const inParent = memorySet([{ at: 0, pages: 1, flags: 1 }], Buffer.alloc(0)).image(
    IMAGES.SHMEM_PAGEMAP,
    9,
    [{ pages_id: 2 }, { vaddr: 0n, compat_nr_pages: 0, nr_pages: 1n, flags: 1, compressed_size: [] }],
  );
  for (const document of [memoryDocument(own), memoryDocument(inParent, own)]) {
    const { hits, unsearched } = search(document, "there");
    assert.is(hits.length, 1);
    assert.match(String(unsearched.errors), /pages-1\.img: the pages of segment 9 are those of task 4711/);
  }
});

test("patterns that are refused", () => {
  assert.match(refusal("", {}), /^USAGE empty pattern/);
  assert.match(refusal("a*", { regex: true }), /^USAGE the regular expression matches the empty text/);
  assert.match(refusal("(a", { regex: true }), /^USAGE invalid regular expression: .*\(a/);
  assert.match(refusal("\\p{L}", { regex: true }), /^USAGE .*not supported/);
  assert.match(refusal("[äö]", { regex: true }), /^USAGE ä in \[ \] is several bytes/);
  assert.match(
    refusal("ä", { regex: true, ignoreCase: true }),
    /^USAGE -i with a regular expression takes ASCII/,
  );
  assert.match(refusal("4", { hex: true }), /^USAGE invalid hexadecimal pattern "4"/);
  assert.match(refusal("?? ??", { hex: true }), /^USAGE .*needs a digit/);
  assert.match(refusal("x".repeat(70_000), {}), /^USAGE pattern of 70000 characters/);
});

test("an expression that hangs on what memory holds is an error, soon", () => {
  const document = memoryDocument(memorySet([{ at: 0, pages: 64 }], Buffer.alloc(64 * PAGE, "a")));
  const start = performance.now();
  assert.match(refusal("(a+)+b", { regex: true }, document), /^USAGE regular expression too slow/);
  assert.ok(performance.now() - start < 30_000);
});

test.run();
