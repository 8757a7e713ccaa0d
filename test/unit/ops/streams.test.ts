import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../../src/formats/linux-cr/image.js";
import { RECORDS } from "../../../src/formats/linux-cr/records.js";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../../src/formats/linux-cr/revisions.js";
import { isCrimgError } from "../../../src/io/errors.js";
import { MemorySource } from "../../../src/io/source.js";
import { openDocument, openStream } from "../../../src/open.js";
import { diffCheckpoints } from "../../../src/ops/diff/diff.js";
import { dumpStream } from "../../../src/ops/dump/dump-stream.js";
import type { DumpRange } from "../../../src/ops/dump/message-ranges.js";
import { findInStream } from "../../../src/ops/find/find-in-stream.js";
import { matcherOf } from "../../../src/ops/find/matcher.js";
import { streamInfo } from "../../../src/ops/info/stream-info.js";
import { recordView } from "../../../src/ops/show/record.js";
import { summaryView } from "../../../src/ops/show/summary.js";
import { VIEWS, type ViewName } from "../../../src/ops/show/views.js";
import { richStream } from "../../helpers/rich-stream.js";
import { suite } from "../../helpers/suite.js";
import { DamagedStream } from "./validate/damaged-stream.js";

const FIXTURES = fileURLToPath(new URL("../../../fixtures/", import.meta.url));
const MINIMAL = readFileSync(`${FIXTURES}linux-cr/minimal.ckpt`);
const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;
const RICH = richStream(NEWEST, { dialectRecords: true });
const test = suite("linux-cr: operations");

function image(bytes: Buffer): LinuxCrImage {
  return new LinuxCrImage(new MemorySource(bytes, "test.ckpt"));
}

function document(bytes: Buffer) {
  return openStream(new MemorySource(bytes, "test.ckpt"));
}

/** The ranges, and the error that came after them. */
function dumped(bytes: Buffer): { ranges: DumpRange[]; error: unknown } {
  const ranges: DumpRange[] = [];
  try {
    for (const range of dumpStream(image(bytes))) ranges.push(range);
  } catch (error) {
    return { ranges, error };
  }
  return { ranges, error: undefined };
}

function assertTiles(ranges: readonly DumpRange[], size: number): void {
  let at = 0;
  for (const range of ranges) {
    assert.is(range.offset, at);
    assert.ok(range.size > 0);
    at += range.size;
  }
  assert.is(at, size);
}

for (const commit of COMMITS)
  for (const arch of archNumbering(commit))
    test(`dump says for every byte of ${commit} on ${arch} whose it is`, () => {
      const bytes = richStream({ commit, arch: ARCHITECTURES[arch] }, { dialectRecords: true });
      const { ranges, error } = dumped(bytes);
      assert.is(error, undefined);
      assertTiles(ranges, bytes.length);
      assert.not(ranges.some(({ what }) => what === "unknown"));
    });

test("dump of a cut image tiles it all, then tells where it ends", () => {
  for (let size = 72; size < MINIMAL.length; size += 61) {
    const { ranges, error } = dumped(MINIMAL.subarray(0, size));
    assertTiles(ranges, size);
    assert.ok(isCrimgError(error));
    assert.is(error.code, "TRUNCATED");
  }
});

test("dump gives fields their values, texts their words and padding its name", () => {
  const { ranges } = dumped(MINIMAL);
  const at = (offset: number) => ranges.find((range) => range.offset === offset);
  assert.equal(at(435 + 24), {
    ...{ offset: 459, size: 4, what: "value", owner: "[12].exit_signal", text: "17" },
  });
  assert.is(at(26)?.what, "padding");
  assert.is(ranges.find(({ text }) => text === '"/tmp/minimal.log"')?.what, "payload");
});

test("find looks into fields and texts of records", () => {
  const found = (text: string) =>
    [...findInStream(image(MINIMAL), matcherOf(text, {}))].map(({ record, path }) => `${record} ${path}`);
  assert.equal(found("minimal.log"), ["41 FILE_NAME"]);
  assert.ok(found("0x600010").includes("12 TASK.clear_child_tid"));
  assert.equal(found("no such thing"), []);
  assert.throws(() => [...findInStream(image(MINIMAL.subarray(0, 9000)), matcherOf("x", {}))], isCrimgError);
});

test("info tells the revision, the kernel and the end, also of a cut image", () => {
  const info = streamInfo(image(MINIMAL));
  assert.equal([info.count, info.tasks, info.objects, info.problem], [74, 1, 13, undefined]);
  assert.equal(info.ending, { kind: "tail", offset: 18228, rest: 0 });
  assert.is(info.kernel[0], "2.6.37-ckpt-v23-rc2");
  assert.equal([info.dialect, info.extensions], [undefined, undefined]);
  const { dialect, extensions } = streamInfo(image(RICH));
  assert.equal(dialect, { FILE_LOCKS: 10, FILE_LOCK: 3, FILE_OWNER: 1 });
  assert.is(extensions, undefined);
  const cut = streamInfo(image(RICH.subarray(0, RICH.length - 200)));
  assert.is(cut.tasks, 2);
  assert.match(cut.problem ?? "", /truncated/);
});

for (const name of Object.keys(VIEWS) as ViewName[])
  test(`show ${name} of a stream answers`, () => {
    assert.ok(Object.keys(VIEWS[name](document(RICH))).length > 1);
  });

test("the summary counts what is there and tells the problem of a cut image", () => {
  const { tasks, files, sockets, locks, memory, problems } = summaryView(document(RICH));
  assert.equal(tasks, { total: 3, threads: 3, zombies: 1, stopped: 0 });
  assert.is(files?.descriptors, 10);
  assert.is(sockets?.total, 2);
  assert.equal(locks, { byKind: { posix: 1, lease: 1, flock: 1 }, breakingLeases: 1 });
  assert.equal([memory?.stored, memory?.shared], [2 * 4096, 2 * 4096]);
  assert.equal(problems, []);
  const cut = summaryView(document(RICH.subarray(0, 5000)));
  assert.ok(cut.tasks !== undefined && cut.tasks.total < 3);
  assert.is(cut.problems.length, 1);
});

test("records are shown by number and by kind", () => {
  const byNumber = recordView(document(MINIMAL), "minimal.ckpt[12]");
  assert.is(byNumber.kind, "TASK");
  assert.equal([...recordView(document(MINIMAL), "vma").records].length, 4);
  const [name] = [...recordView(document(MINIMAL), "[41]").records];
  assert.is([...(name?.fields ?? [])].at(-1)?.value, "/tmp/minimal.log");
  assert.throws(() => recordView(document(MINIMAL), "[99]"), /\(74 records, numbered/);
  assert.throws(() => recordView(document(MINIMAL), "nothing"), /no such record nothing/);
});

test("two streams are compared by the model", () => {
  const same = diffCheckpoints(document(RICH), document(RICH));
  assert.equal(same, { differences: [], memory: [] });
  const changed = Buffer.from(RICH);
  changed.write("/var/log/APP.log", changed.indexOf("/var/log/app.log"));
  const { differences } = diffCheckpoints(document(RICH), document(changed));
  assert.ok(differences.length > 0);
  const sections = new Set(differences.map(({ section }) => section));
  for (const section of sections) assert.ok(["fds", "files", "locks"].includes(section), section);
});

test("a stream is compared with a CRIU set", () => {
  const set = openDocument(`${FIXTURES}criu/logger`);
  const { differences, memory } = diffCheckpoints(document(MINIMAL), set);
  assert.ok(differences.some(({ section }) => section === "tasks"));
  assert.ok(memory.some(({ added }) => added > 0));
});

test("ns: a time namespace is told by its clocks, a user namespace by who created it", () => {
  const clocks = new DamagedStream("extended").set(RECORDS.CLOCKS, { flags: 3, boottime_ns: 5_000_000_000n });
  const time = VIEWS.ns(clocks.open()).namespaces.filter(({ kind }) => kind === "time");
  assert.equal(
    time.map(({ dumped, pids, boottime }) => [dumped, pids.length > 0, boottime]),
    [[true, true, 5_000_000_000n]],
  );
  const kinds = (stream: DamagedStream) => VIEWS.ns(stream.open()).namespaces.map(({ kind }) => kind);
  assert.not.ok(kinds(new DamagedStream("extended")).includes("time"));
  assert.not.ok(kinds(new DamagedStream("rich")).includes("user"));
  assert.ok(kinds(new DamagedStream("rich").set(RECORDS.USER_NS, { creator_ref: 1 })).includes("user"));
});

test.run();
