import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { CrimgError } from "../../../../src/io/errors.js";
import type { Document } from "../../../../src/model/document.js";
import { searchable } from "../../../../src/model/search/stored-search.js";
import { openDocument } from "../../../../src/open.js";
import { applyPlan } from "../../../../src/ops/edit/apply.js";
import { planEdits } from "../../../../src/ops/edit/plan-edits.js";
import { planUndo } from "../../../../src/ops/edit/undo.js";
import { type GrepOptions, grep } from "../../../../src/ops/grep/grep.js";
import { fixture as setOf, streamFixture } from "../../../helpers/images.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { memoryDocument, memorySet, pagesWith } from "../../../helpers/memory-document.js";
import { filled, PAGE } from "../../../helpers/memory-set.js";
import { refusal } from "../../../helpers/refusal.js";
import { suite } from "../../../helpers/suite.js";
import { edits, planned } from "./planned.js";

const test = suite("ops: redact");
test.after(cleanUp);

function hits(document: Document, pattern: string, options: GrepOptions = {}): string[] {
  const unsearched = { lazy: 0, missing: 0, errors: [] as CrimgError[] };
  const found = [...grep(searchable(document.checkpoint), pattern, { options, unsearched })];
  assert.is(unsearched.errors.length, 0);
  return found.map((hit) => hit.in);
}

/** All bytes that were written of an image, the log among them. */
function written(path: string, isSet: boolean): Buffer {
  if (!isSet) return Buffer.concat([readFileSync(path), readFileSync(`${path}.crimg-log`)]);
  return Buffer.concat(readdirSync(path).map((name) => readFileSync(join(path, name))));
}

/** What is planted in the fixtures, where, and the edit that takes it away. */
const SECRETS: readonly (readonly [name: string, kind: string, secret: string, where: string])[] = [
  ["logger", "redact", "PATH=/usr/bin:/bin", "memory"],
  ["logger", "redact-hex", "484f4d45 3d2?", "memory"],
  ["logger", "redact-regex", "/var/lib/crimg-demo/[a-z]+", "memory"],
  ["sockets", "redact", "to datagram 2", "received by socket"],
  ["sockets", "redact-regex", "to [a-z]+ \\d", "received by socket"],
  ["deleted", "redact", "unnamed", "deleted file"],
  ["threads", "redact", "PATH=/usr/bin:/bin", "memory"],
];

for (const [name, kind, secret, where] of SECRETS)
  test(`${name} --${kind}: nothing is left of it, in a set and a stream, nor in the log`, () => {
    const options = { hex: kind === "redact-hex", regex: kind === "redact-regex" };
    for (const [image, isSet] of [
      [setOf(name), true],
      [streamFixture(name), false],
    ] as const) {
      const document = openDocument(image);
      assert.ok(hits(document, secret, options).includes(where));
      const plan = planEdits(document, edits(`${kind} ${secret}`));
      assert.not.ok(JSON.stringify(plan.edits).includes(secret));
      const to = join(freshDirectory("redact"), "new");
      const { entry } = applyPlan(document, plan, { to: "new", path: to }, { version: "test" });
      assert.is(entry?.undoable, false);
      assert.equal(entry?.edits, [`--${kind} (value not kept)`]);
      for (const { field } of entry?.changes ?? []) assert.match(field, /^0x[0-9a-f]+\+\d+$/);
      const after = openDocument(to);
      assert.equal(hits(after, secret, options), []);
      assert.is(after.checkpoint.tasks.length, document.checkpoint.tasks.length);
      assert.match(
        refusal(() => planUndo(after, 1)),
        /^EDIT .*made with --no-undo or --redact/,
      );
      if (kind === "redact") assert.not.ok(written(to, isSet).includes(secret), "is somewhere in the files");
    }
  });

test("in UTF-16, and where two edits overlap; nothing else changes", () => {
  const wide = Buffer.from("hunter2!", "utf16le");
  const pages = pagesWith(1, { 100: "hunter2", 200: "hunter2!!", 300: wide, 400: "hunter3" });
  const document = memoryDocument(memorySet([{ at: 0, pages: 1 }], pages));
  const { plan } = planned(document, edits("redact hunter2", "redact-regex [r]2!+"));
  const after = Buffer.from(pages);
  for (const { offset, bytes } of plan.splices.get("pages-1.img") ?? []) bytes.copy(after, offset);
  const expected = Buffer.from(pages).fill("*", 100, 107).fill("*", 200, 209);
  Buffer.from("*******", "utf16le").copy(expected, 300);
  assert.equal(after, expected);
});

test("a match over the border of two pages is overwritten in both", () => {
  const pages = pagesWith(2, { [PAGE - 3]: "secret" });
  const entries = [
    { at: 0, pages: 1 },
    { at: 1, pages: 1 },
  ];
  const { plan } = planned(memoryDocument(memorySet(entries, pages)), edits("redact secret"));
  assert.equal(
    plan.splices.get("pages-1.img")?.map(({ offset, bytes }) => [offset, bytes.toString()]),
    [
      [PAGE - 3, "***"],
      [PAGE, "***"],
    ],
  );
});

test("memory of a parent set and compressed memory are refused; lazy pages are told", () => {
  const inParent = memoryDocument(
    memorySet([{ at: 0, pages: 1, flags: 1 }], Buffer.alloc(0)),
    memorySet([{ at: 0, pages: 1 }], pagesWith(1, { 0: "secret" })),
  );
  assert.match(
    refusal(() => planned(inParent, edits("redact secret"))),
    /^EDIT the page at 0x10000000 is in the parent set/,
  );
  const lazy = memorySet(
    [
      { at: 0, pages: 1 },
      { at: 1, pages: 2, flags: 2 },
    ],
    pagesWith(1, { 0: "secret" }),
  );
  assert.equal(planned(memoryDocument(lazy), edits("redact secret")).plan.warnings, [
    "2 pages left in the dumped task may hold it",
  ]);
});

test("what is not there matches nothing; a pattern for anything is refused; the fill is no match", () => {
  const document = memoryDocument(memorySet([{ at: 0, pages: 1 }], filled(0x2a)));
  const { plan } = planned(document, edits("redact nothing of it"));
  assert.equal(plan.unmatched, [
    "--redact '(value not kept)': no memory, queue or deleted file of the image holds it",
  ]);
  assert.match(
    refusal(() => planned(document, edits("redact-regex [^]"))),
    /^USAGE --redact-regex: the pattern matches whatever/,
  );
  const stars = planned(document, edits("redact **")).plan.splices.get("pages-1.img");
  assert.is(stars?.[0]?.bytes.toString(), "XX");
});

test.run();
