import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../../../src/formats/linux-cr/image.js";
import { parseImage, type Tree } from "../../../../src/formats/linux-cr/parse.js";
import { RECORDS } from "../../../../src/formats/linux-cr/records.js";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../../../src/formats/linux-cr/revisions.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { MemorySource } from "../../../../src/io/source.js";
import { StreamBuilder } from "../../../helpers/build-stream.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";
import { walkStream } from "../../../helpers/walk-stream.js";

const MINIMAL = readFileSync(new URL("../../../../fixtures/linux-cr/minimal.ckpt", import.meta.url));
const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;
const test = suite("linux-cr: grammar");

function parse(bytes: Buffer): Tree & { image: LinuxCrImage } {
  const image = new LinuxCrImage(new MemorySource(bytes, "test.ckpt"));
  return { ...parseImage(image), image };
}

/** Every record that the tree reached: all but OBJREFs must be there, each once. */
function reached(tree: Tree): number[] {
  const all: number[] = [...tree.unknown];
  const visit = (part: Tree["tasks"][number]): void => {
    all.push(...part.records);
    part.parts.forEach(visit);
  };
  for (const part of [tree.head, ...tree.tasks, ...tree.objects.values()])
    if (part !== undefined) visit(part);
  return all.sort((a, b) => a - b);
}

test("the minimal image is read to its last record", () => {
  const { image, problem, tasks, objects, ...tree } = parse(MINIMAL);
  assert.is(problem, undefined);
  assert.is(tasks.length, 1);
  assert.equal([...objects.keys()], [2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15]);
  const others = Array.from({ length: image.length - 1 }, (_, i) => i).filter(
    (i) => image.kind(i) !== RECORDS.OBJREF,
  );
  assert.equal(reached({ ...tree, problem, tasks, objects }), others);
});

for (const commit of COMMITS)
  for (const arch of archNumbering(commit))
    for (const v18 of [false, true])
      test(`a rich image of ${commit} on ${arch}${v18 ? " in the order of v18" : ""}`, () => {
        const dialect = { commit, arch: ARCHITECTURES[arch] };
        const bytes = richStream(dialect, { v18, dialectRecords: true });
        const { image, problem, tasks, objects, ...tree } = parse(bytes);
        assert.is(problem?.message, undefined);
        assert.is(image.dialect.arch, dialect.arch);
        assert.ok(image.revision.candidates.some((candidate) => candidate.commit === commit));
        assert.is(tasks.length, 4);
        assert.is(image.length, walkStream(bytes).records.length);
        const rules = [...objects.values()].map(({ rule }) => rule);
        assert.is(rules.filter((rule) => rule === "FILE").length, commit === "0abe2fe" ? 8 : 10);
        const sockets = [...objects.values()].filter(({ rule }) => rule === "SOCK");
        assert.is(sockets.length, 2);
        for (const { deferred } of sockets) assert.is(deferred?.parts.length, 2);
        const epoll = [...objects.values()].find(
          ({ rule, records }) =>
            rule === "FILE" && image.value(records[0] as number, RECORDS.FILE).f_type === 6,
        );
        assert.is(epoll?.deferred === undefined, commit === "0abe2fe");
        const others = Array.from({ length: image.length - 1 }, (_, i) => i).filter(
          (i) => image.kind(i) !== RECORDS.OBJREF,
        );
        assert.equal(reached({ ...tree, problem, tasks, objects }), others);
      });

test("every truncation of a rich image tells the record where it ends, and keeps the tasks before", () => {
  const bytes = richStream(NEWEST);
  const ends = walkStream(bytes).records.map(({ offset, size }) => offset + size);
  for (const end of ends.slice(1, -1))
    for (const cut of [end - 1, end]) {
      const { problem, tasks } = parse(bytes.subarray(0, cut));
      assert.is(problem?.code, "TRUNCATED");
      assert.ok((problem?.offset ?? 0) <= cut);
      assert.ok(tasks.length <= 4);
    }
});

test("a failed checkpoint gives the text of its error", () => {
  const image = new LinuxCrImage(new MemorySource(MINIMAL, "test.ckpt"));
  const { offset } = image.range(40);
  const error = new StreamBuilder(NEWEST).add(RECORDS.ERROR);
  const text = "\0[err -16][pos 2901][pid 123 tsk name] pending lease\0";
  error.add(RECORDS.STRING, {}, Buffer.from(text));
  const { problem } = parse(Buffer.concat([MINIMAL.subarray(0, offset), error.bytes]));
  assert.match(problem?.message ?? "", /the checkpoint failed: \[err -16\].*pending lease \(in \[40\]/);
  const old = new StreamBuilder(NEWEST).add(RECORDS.ERROR, {}, Buffer.from(text));
  assert.match(
    parse(Buffer.concat([MINIMAL.subarray(0, offset), old.bytes])).problem?.message ?? "",
    /the checkpoint failed: \[err -16\].*pending lease \(in \[40\]/,
  );
});

test("records of unknown ids are stepped over", () => {
  const image = new LinuxCrImage(new MemorySource(MINIMAL, "test.ckpt"));
  const { offset } = image.range(40);
  const unknown = Buffer.from("3905000010000000deadbeefdeadbeef", "hex");
  const tree = parse(Buffer.concat([MINIMAL.subarray(0, offset), unknown, MINIMAL.subarray(offset)]));
  assert.is(tree.problem, undefined);
  assert.equal(tree.unknown, [40]);
});

test("objects with a number that is taken, not above 0 or of a type without records are errors with their place", () => {
  const image = new LinuxCrImage(new MemorySource(MINIMAL, "test.ckpt"));
  const at = image.range(18).offset;
  for (const [field, value, message] of [
    [12, 0, /invalid objref 0 \(expected above 0\); found OBJREF \(in \[18\]/],
    [12, -5, /objref -5 /],
    [8, 2, /invalid type 2 of object 2 \(it has no records\)/],
    [8, 99, /invalid type 99 of object/],
  ] as const) {
    const bytes = Buffer.from(MINIMAL);
    bytes.writeInt32LE(value, at + field);
    assert.match(parse(bytes).problem?.message ?? "", message);
  }
  const twice = Buffer.from(MINIMAL);
  twice.writeInt32LE(2, image.range(19).offset + 12);
  assert.match(parse(twice).problem?.message ?? "", /duplicate objref 2/);
});

test("objects that stand inside one another without end are refused, not recursed into", () => {
  const b = new StreamBuilder(NEWEST)
    .head([[7, 0, 7, 7, 7]])
    .add(RECORDS.TASK, {})
    .text(RECORDS.STRING, "x");
  for (let i = 0; i < 20_000; i++) b.objref("USER");
  assert.match(parse(b.tail().bytes).problem?.message ?? "", /at most 64 levels/);
});

test("a flipped bit anywhere outside of pages ends in a tree or one error with its place", () => {
  const started = process.cpuUsage();
  const bytes = richStream(NEWEST, { dialectRecords: true });
  const small = walkStream(bytes).records.filter(({ size }) => size < 3000);
  for (const { offset, size } of small)
    for (let i = 0; i < size; i++) {
      const flipped = Buffer.from(bytes);
      flipped[offset + i] = (flipped[offset + i] as number) ^ (1 << ((offset + i) % 8));
      try {
        const { problem } = parse(flipped);
        if (problem !== undefined) assert.ok(problem.offset !== undefined, problem.message);
      } catch (error) {
        if (!isCrimgError(error)) throw error;
        assert.is(offset, 0, error.message);
      }
    }
  const { user } = process.cpuUsage(started);
  assert.ok(user < 50_000_000, `${user / 1e6} s`);
});

test.run();
