import * as assert from "uvu/assert";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import type { Checkpoint } from "../../../../../src/model/checkpoint.js";
import type { Lock } from "../../../../../src/model/lock.js";
import type { Descriptor, OpenFile } from "../../../../../src/model/open-file.js";
import { convertedFixture } from "../../../../helpers/converted-stream.js";
import { suite } from "../../../../helpers/suite.js";
import { walkStream } from "../../../../helpers/walk-stream.js";

const test = suite("convert: files of a set in a stream");
const R = RECORDS;
const FIXTURES = ["logger", "locks", "deleted", "sockets", "terminal", "tree", "threads", "container"];
const TAIL = 9001;

/** Of connections the stream holds a closed socket, of sockets of other families nothing: both are told. */
const LOST_TYPES = new Set(["NETLINKSK", "PACKETSK"]);

function kept({ file }: Descriptor): boolean {
  return !LOST_TYPES.has(file?.type ?? "");
}

function facts(file: OpenFile | undefined): Record<string, unknown> {
  return {
    type: file?.type,
    path: file?.path,
    flags: file?.flags,
    position: file?.position,
    size: file?.size,
    mode: file?.type === "REG" ? file.mode : undefined,
    buildId: file?.type === "REG" ? file.buildId : undefined,
    method: file?.deleted?.method,
  };
}

function descriptorFacts(checkpoint: Checkpoint): Record<number, unknown> {
  return Object.fromEntries(
    checkpoint.tasks.map(({ pid, descriptors }) => [
      pid,
      (descriptors?.descriptors ?? [])
        .filter(kept)
        .map(({ fd, closeOnExec, file }) => ({ fd, closeOnExec, ...facts(file) })),
    ]),
  );
}

for (const name of FIXTURES) {
  test(`${name}: the framing alone leads to TAIL`, () => {
    const { bytes, image } = convertedFixture(name);
    const { records, end } = walkStream(bytes);
    assert.is(end, bytes.length);
    assert.is(records.at(-1)?.id, TAIL);
    assert.is(records.length, image.length);
  });

  test(`${name}: the same descriptors with the same files`, () => {
    const { from, to } = convertedFixture(name);
    assert.equal(descriptorFacts(to), descriptorFacts(from));
  });

  test(`${name}: descriptors share open files and tables as before`, () => {
    const { from, to } = convertedFixture(name);
    const sharing = (checkpoint: Checkpoint): unknown[] => {
      const ids = new Map<unknown, number>();
      const number = (object: unknown): number => {
        if (!ids.has(object)) ids.set(object, ids.size);
        return ids.get(object) as number;
      };
      return checkpoint.tasks.map(({ descriptors }) => [
        number(descriptors),
        (descriptors?.descriptors ?? []).filter(kept).map(({ file }) => number(file)),
      ]);
    };
    assert.equal(sharing(to), sharing(from));
  });

  test(`${name}: the same executables, directories and masks`, () => {
    const { from, to } = convertedFixture(name);
    const directories = (checkpoint: Checkpoint): unknown[] =>
      checkpoint.tasks.map(({ exe, cwd, root, umask }) => [exe?.path, cwd?.path, root?.path, umask]);
    assert.equal(directories(to), directories(from));
  });

  test(`${name}: objects have rising numbers, as in an image of a subtree`, () => {
    const numbers = convertedFixture(name)
      .all(R.OBJREF)
      .map(({ objref }) => objref);
    assert.ok(numbers.length > 10);
    assert.equal(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
    assert.is(new Set(numbers).size, numbers.length);
  });

  test(`${name}: no file keeps flags that make open(2) create or cut one`, () => {
    for (const { f_flags: flags, f_credref: cred } of convertedFixture(name).all(R.FILE)) {
      assert.is(flags & (0x40 | 0x80 | 0x100 | 0x200), 0);
      assert.ok(cred > 0);
    }
  });
}

test("modes say how a file was opened and whether it can be sought", () => {
  const { all } = convertedFixture("tree");
  const byFlags = new Map(all(R.FILE).map((file) => [`${file.f_type} ${file.f_flags & 3}`, file.f_mode]));
  assert.is(byFlags.get("1 0"), 1 | 4 | 8 | 16);
  assert.is(byFlags.get("1 1"), 2 | 4 | 8 | 16);
  assert.is(byFlags.get("2 0"), 1);
  assert.is(byFlags.get("2 1"), 2);
  assert.is(byFlags.get("4 2"), 3);
});

test("all kinds of locks and leases, in every state", () => {
  const { from, to, all } = convertedFixture("locks");
  const lockFacts = ({ kind, type, breaking, pid, fd, start, end, file }: Lock): unknown => [
    ...[kind, type, breaking, pid, fd, start, end, file?.path],
  ];
  assert.equal(to.locks.map(lockFacts), from.locks.map(lockFacts));
  assert.is(all(R.FILE_LOCKS).length, all(R.FILE_DESC).length, "a count stands behind every descriptor");
  const [table] = all(R.TASK_OBJS);
  for (const { fl_flags: kind, owner_ref: owner } of all(R.FILE_LOCK)) {
    if (kind === 1) assert.is(owner, table?.files_objref);
    if (kind === 2 || kind === 32) assert.is(owner, 0);
  }
  const ofd = all(R.FILE_LOCK).filter(({ fl_flags: kind }) => kind === 1025);
  const [file] = ofd.map(({ owner_ref: owner }) => owner);
  assert.equal(
    ofd.map(({ owner_ref: owner, fl_end: end }) => [owner, end]),
    [
      [file, 9n],
      [file, 19n],
    ],
  );
  assert.ok(
    all(R.FILE_DESC).some(({ fd_objref, fd_descriptor }) => fd_objref === file && fd_descriptor === 5),
  );
});

test("a lease that is being broken says what it was, and gives its holder the kernel's time", () => {
  const leases = convertedFixture("locks")
    .all(R.FILE_LOCK)
    .filter(({ fl_flags: kind }) => kind === 32)
    .map(({ fl_type, fl_type_prev, fl_rem_lease }) => [fl_type, fl_type_prev, fl_rem_lease]);
  assert.equal(leases, [
    [0, 0, 0],
    [1, 1, 0],
    [16 | 2, 0, 45],
    [16 | 0, 1, 45],
    [16 | 2, 1, 45],
  ]);
});

test("a set without locks has no record of them", () => {
  assert.is(convertedFixture("logger").all(R.FILE_LOCKS).length, 0);
});

test("pipes and fifos keep their bytes and capacity; both ends have one number", () => {
  const tree = convertedFixture("tree");
  const [pipe] = tree.from.pipes;
  assert.equal(
    tree.to.pipes
      .filter(({ bytes }) => bytes > 0)
      .map(({ bytes, capacity, kind }) => [bytes, capacity, kind]),
    [[pipe?.bytes, pipe?.capacity, "pipe"]],
  );
  const ends = tree.all(R.FILE).filter(({ f_type: type }) => type === 2);
  assert.is(ends.length, 3);
  assert.is(new Set(ends.map(({ pipe_objref }) => pipe_objref)).size, 2);
  const deleted = convertedFixture("deleted");
  assert.equal(
    deleted.to.pipes.map(({ bytes, capacity, kind }) => [bytes, capacity, kind]),
    deleted.from.pipes.map(({ bytes, capacity, kind }) => [bytes, capacity, kind]),
  );
});

test("what an epoll watches are files of the table", () => {
  const { all, image, objects } = convertedFixture("threads");
  const [{ num_items: count, epfile_objref: epoll } = { num_items: 0, epfile_objref: 0 }] = all(
    R.EPOLL_ITEMS,
  );
  assert.ok(count > 0);
  const items = Array.from({ length: image.length }, (_, i) => i).find(
    (i) => image.kind(i) === R.EPOLL_ITEMS,
  );
  const bytes = image.bytes((items ?? 0) + 1);
  const descriptors = new Map(all(R.FILE_DESC).map((one) => [one.fd_descriptor, one.fd_objref]));
  for (let i = 0; i < count; i++)
    assert.is(bytes.readInt32LE(i * 24 + 12), descriptors.get(bytes.readUInt32LE(i * 24 + 8)));
  assert.is(objects.get(epoll)?.deferred?.rule, "deferred");
});

test("eventfd, signalfd, timerfds with their time left, and a memory file with its pages", () => {
  const { from, to, all, image, objects } = convertedFixture("threads");
  const own = (type: string) =>
    from.files.all.filter((file) => file.type === type).map(({ record }) => record);
  assert.equal(
    all(R.FILE)
      .filter(({ f_type: type }) => type === 7)
      .map(({ count }) => count),
    own("EVENTFD").map(({ counter }) => counter),
  );
  assert.equal(
    all(R.SIGNALFD).map(({ sigmask }) => sigmask.readBigUInt64LE()),
    own("SIGNALFD").map(({ sigmask }) => sigmask),
  );
  assert.equal(
    all(R.TIMERFD).map((timer) => [timer.clock_id, timer.value_ns, timer.interval_ns, timer.ticks]),
    own("TIMERFD").map(({ clockid, vsec, vnsec, isec, insec, ticks }) => [
      clockid,
      (vsec as bigint) * 1_000_000_000n + (vnsec as bigint),
      (isec as bigint) * 1_000_000_000n + (insec as bigint),
      ticks,
    ]),
  );
  const memories = [...objects.values()].filter((part) =>
    part.records.some((i) => image.kind(i) === R.MEMFD),
  );
  const [opened, mapped, none] = all(R.MEMFD);
  assert.is(opened?.seals, 6);
  assert.is(opened?.inode_objref, mapped?.inode_objref, "the mapping has a file of its own for one memory");
  assert.is(none, undefined, "shared memory without a name is no file");
  assert.equal(
    memories.map(({ pageArrays }) => pageArrays.length),
    [1, 0],
  );
  const fd = to.tasks[0]?.descriptors?.descriptors.find(({ type }) => type === "MEMFD");
  assert.is(fd?.file?.label, "memfd:buffer");
});

test("inotify watches by path, and the owner of a socket's signals", () => {
  const { all, image } = convertedFixture("terminal");
  assert.equal(
    all(R.INOTIFY_WATCH).map(({ wd, mask, ino }) => [wd, mask, ino]),
    [[1, 768, 1613830n]],
  );
  const watch = Array.from({ length: image.length }, (_, i) => i).find(
    (i) => image.kind(i) === R.INOTIFY_WATCH,
  );
  assert.is(image.text(watch ?? 0), "/var/lib/crimg-demo/terminal/watched");
  const [pids] = all(R.PIDS);
  const [owner] = all(R.FILE_OWNER);
  assert.is(owner?.signum, 39);
  assert.is(owner?.pid_type, 0);
  assert.is(owner?.async, 1);
  assert.ok((owner?.pid_ref ?? 0) >= (pids?.offset ?? 1));
});

test.run();
