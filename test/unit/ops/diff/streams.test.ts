/** A CRIU set and the stream that it is converted to are the same checkpoint, and what is changed in one is told. */
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../../../src/formats/linux-cr/image.js";
import type { RecordKind } from "../../../../src/formats/linux-cr/record-kind.js";
import { RECORDS as R } from "../../../../src/formats/linux-cr/records.js";
import { MemorySource } from "../../../../src/io/source.js";
import type { LinuxCrDocument } from "../../../../src/model/document.js";
import { openDocument, openStream } from "../../../../src/open.js";
import { planConversion } from "../../../../src/ops/convert/convert.js";
import { type CheckpointDiff, diffCheckpoints } from "../../../../src/ops/diff/diff.js";
import { extendedStream } from "../../../helpers/extended-stream.js";
import { fixture } from "../../../helpers/images.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("diff: streams");

function stream(bytes: Buffer): LinuxCrDocument {
  return openStream(new MemorySource(bytes, "test.ckpt"));
}

function converted(name: string): Buffer {
  const plan = planConversion(openDocument(fixture(name)), "linux-cr");
  if (plan.to !== "linux-cr") throw new Error("the set became no stream");
  return plan.stream.read(0, plan.stream.size);
}

/** Sections and fields that differ. */
function told({ differences, memory }: CheckpointDiff): string[] {
  const fields = differences.flatMap(({ section, status, changes }) =>
    status === "modified" ? changes.map(({ field }) => `${section} ${field}`) : [`${section} ${status}`],
  );
  return [...new Set([...fields, ...(memory.length > 0 ? ["memory"] : [])])].sort();
}

for (const name of ["logger", "locks", "deleted", "tree", "threads", "terminal"])
  test(`the set ${name} and its stream are equal in all sections, from either side`, () => {
    const bytes = converted(name);
    assert.equal(told(diffCheckpoints(openDocument(fixture(name)), stream(bytes))), []);
    assert.equal(told(diffCheckpoints(stream(bytes), openDocument(fixture(name)))), []);
  });

test("what a stream cannot hold is all that is told of the others", () => {
  const difference = (name: string) =>
    diffCheckpoints(openDocument(fixture(name)), stream(converted(name))).differences;
  assert.equal([...new Set(difference("container").map(({ section }) => section))], ["mounts"]);
  for (const { label } of difference("sockets"))
    assert.match(label, /^1000:2[1267]$|TCP 127\.0\.0\.1|NETLINK|PACKET/);
});

const EXTENDED = extendedStream();

/** The extended stream with one field of the nth record of a kind changed. */
function changed(kind: RecordKind, field: string, value: number, nth = 0): LinuxCrDocument {
  const bytes = Buffer.from(EXTENDED);
  const image = new LinuxCrImage(new MemorySource(EXTENDED, "test.ckpt"));
  const records = Array.from({ length: image.length }, (_, i) => i).filter((i) => image.kind(i) === kind);
  const record = records[nth];
  const offset = record === undefined ? undefined : image.layout(record)?.fields[field]?.offset;
  assert.ok(record !== undefined && offset !== undefined, `${kind.name} ${field}`);
  bytes.writeUInt32LE(value, image.range(record).offset + offset);
  return stream(bytes);
}

const CHANGES: readonly (readonly [kind: RecordKind, field: string, value: number, tells: string[]])[] = [
  [R.TASK, "pdeath_signal", 9, ["registers deathSignal"]],
  [R.TASK, "robust_futex_list", 0x1000, ["registers robustList"]],
  [R.CPU, "ip", 1, ["registers ip"]],
  [R.TASK_EXTRA, "oom_score_adj", 0, ["tasks oomScoreAdj"]],
  [R.TASK_EXTRA, "stop_signo", 20, ["tasks stopSignal"]],
  [R.TASK_EXTRA, "no_new_privs", 0, ["creds noNewPrivs"]],
  [R.TASK_EXTRA, "cap_ambient", 0, ["creds capAmbient"]],
  [R.TASK_EXTRA, "seccomp_mode", 1, ["creds seccomp"]],
  [R.TASK_EXTRA, "sched_nice", 0, ["creds schedule"]],
  [R.RSEQ, "abi_pointer", 0x1000, ["registers rseq"]],
  [R.POSIX_TIMER, "interval_ns", 7, ["timers interval"]],
  [R.RESTART_BLOCK, "arg_4", 7, ["timers left"]],
  [R.TIMERFD, "ticks", 9, ["timers overrun"]],
  [R.SIGNALFD, "sigmask", 1, ["files signals"]],
  [R.MEMFD, "seals", 1, ["files seals"]],
  [R.INOTIFY_WATCH, "mask", 4, ["files watches"]],
  [R.PIPE_STATE, "capacity", 4096, ["files capacity"]],
  [R.FILE_IDENTITY, "size", 98, ["files size"]],
  [R.FILE_OWNER, "signum", 12, ["files owner"]],
  [R.FS, "umask", 0, ["tasks umask"]],
];

for (const [kind, field, value, tells] of CHANGES)
  test(`${field} of ${kind.name} is compared`, () => {
    assert.equal(told(diffCheckpoints(stream(EXTENDED), changed(kind, field, value))), tells);
  });

test("the remaining time of a lease is compared where both images say it", () => {
  // The third FILE_LOCK that is left is that of a lease; POSIX and OFD locks stand twice before it.
  const other = changed(R.FILE_LOCK, "fl_rem_lease", 31, 4);
  assert.equal(told(diffCheckpoints(stream(EXTENDED), other)), ["locks remaining"]);
});

test("bytes of pipes, memory and the environment are compared", () => {
  const edit = (from: string, to: string): string[] => {
    const bytes = Buffer.from(EXTENDED);
    bytes.write(to, bytes.indexOf(from), "latin1");
    return told(diffCheckpoints(stream(EXTENDED), stream(bytes)));
  };
  assert.equal(edit("queued", "QUEUED"), ["files contents"]);
  assert.equal(edit("written to", "WRITTEN TO"), ["memory"]);
  assert.equal(edit("memory:/", "memory:-"), ["tasks controlGroups"]);
  assert.equal(edit("second page", "SECOND PAGE"), ["memory"]);
  assert.equal(edit("HOME=/root", "HOME=/ROOT"), ["env value", "memory"]);
});

test("contents, place and way back of a deleted file are compared", () => {
  const file = "/var/lib/crimg-demo/deleted/small";
  const before = converted("deleted");
  const image = new LinuxCrImage(new MemorySource(before, "test.ckpt"));
  const records = Array.from({ length: image.length }, (_, i) => i);
  const ghost = records.find(
    (i) => image.kind(i) === R.FILE_UNLINKED && image.text(i - 1) === file,
  ) as number;
  const changedBytes = Buffer.from(before);
  const { offset } = image.payload(ghost + 1);
  changedBytes[offset + 8] = (before[offset + 8] as number) ^ 1;
  const deleted = (bytes: Buffer) =>
    told(diffCheckpoints(stream(before), stream(bytes), { only: ["files"] }));
  assert.equal(deleted(changedBytes), ["files contents"]);
  const renamed = Buffer.from(before);
  renamed.write("link_remap.99", before.indexOf("link_remap.13"), "latin1");
  assert.equal(deleted(renamed), ["files keptIn"]);
});

test("what waits in sockets is compared by its bytes", () => {
  const before = converted("sockets");
  const image = new LinuxCrImage(new MemorySource(before, "test.ckpt"));
  const packets = Array.from({ length: image.length }, (_, i) => i).filter(
    (i) => image.kind(i) === R.SOCKET_BUFFER && (image.value(i, R.SOCKET_BUFFER).skb_len ?? 0) > 0,
  );
  let told = 0;
  for (const packet of packets) {
    const bytes = Buffer.from(before);
    const { offset, size } = image.payload(packet + 1);
    bytes[offset + size - 1] = (before[offset + size - 1] as number) ^ 1;
    const { differences } = diffCheckpoints(stream(before), stream(bytes), { only: ["sockets"] });
    // What is yet to be sent is told by its length alone.
    told += differences.length;
    assert.ok(differences.every(({ changes }) => changes.map(({ field }) => field).join() === "waiting"));
  }
  assert.ok(told > 5, String(told));
  const set = diffCheckpoints(openDocument(fixture("sockets")), stream(before), { only: ["sockets"] });
  assert.equal(set.differences, []);
});

test.run();
