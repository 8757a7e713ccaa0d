import * as assert from "uvu/assert";
import { MemorySource } from "../../../../src/io/source.js";
import { OFFSET_MAX } from "../../../../src/linux/files.js";
import type { Checkpoint, Task } from "../../../../src/model/checkpoint.js";
import type { OpenFile } from "../../../../src/model/open-file.js";
import { taskTimers } from "../../../../src/model/task-timers.js";
import { openStream } from "../../../../src/open.js";
import { extendedStream } from "../../../helpers/extended-stream.js";
import { suite } from "../../../helpers/suite.js";

const SECOND = 1_000_000_000n;
const test = suite("linux-cr: model of extension records");
const BYTES = extendedStream();
const MODEL: Checkpoint = openStream(new MemorySource(BYTES, "extended.ckpt")).checkpoint;
const TASK = MODEL.task(1) as Task;

function fd(number: number): OpenFile {
  const found = TASK.descriptors?.descriptors.find((descriptor) => descriptor.fd === number)?.file;
  assert.ok(found, `no descriptor ${number}`);
  return found;
}

test("a lock under two descriptors is one; leases tell what they were and when they are taken away", () => {
  assert.equal(
    MODEL.locks.map(({ kind, type, previous, breaking, remaining, fd, start, end }) => [
      ...[kind, type, previous, breaking, remaining, fd, start, end],
    ]),
    [
      ["posix", "write", undefined, false, undefined, 0, 5n, 9n],
      ["ofd", "read", undefined, false, undefined, 0, 0n, OFFSET_MAX],
      ["lease", "unlock", "write", true, 30n * SECOND, 2, 0n, OFFSET_MAX],
      ["lease", "read", "write", true, 0n, 3, 0n, OFFSET_MAX],
    ],
  );
  assert.equal(
    MODEL.locks.map(({ owner }) => owner),
    [TASK.descriptors?.id, undefined, undefined, undefined],
  );
});

test("timers and time limits of interrupted calls count from the start of the checkpoint", () => {
  assert.equal(
    [...taskTimers([TASK])]
      .flatMap(([, timers]) => timers)
      .filter(({ left }) => left > 0n)
      .map(({ kind, id, left, interval, clock, notice, overrun }) => [
        ...[kind, id, left, interval, clock, notice?.signal, overrun],
      ]),
    [
      ["real", undefined, 2n * SECOND, 0n, undefined, undefined, 0n],
      ["posix", 4, 3n * SECOND, SECOND, 1, 14, 2n],
      ["timerfd", fd(8).id, 7n * SECOND, SECOND, 1, undefined, 2n],
      ["nanosleep", 1, 5n * SECOND, 0n, 1, undefined, 0n],
      ["futex", 2, 250_000_000n, 0n, undefined, undefined, 0n],
    ],
  );
});

test("a task has what kernels of 2011 could not store, a thread without the record has not", () => {
  assert.is(TASK.state, "stopped");
  assert.equal(TASK.attributes, {
    ...{ oomScoreAdj: -500, loginUid: 1000, childSubreaper: false, stopSignal: 19, personality: 0n },
    membarrier: undefined,
  });
  const [leader, other] = TASK.threads;
  assert.equal([leader?.seccomp, other?.seccomp], ["filter", undefined]);
  assert.equal([leader?.credentials?.noNewPrivs, other?.credentials?.noNewPrivs], [true, false]);
  assert.equal([leader?.credentials?.ambient, other?.credentials?.ambient], [1n << 10n, 0n]);
  assert.equal([leader?.schedule, other?.schedule], [{ policy: 3, nice: 5, priority: 0 }, undefined]);
  assert.equal(
    { ...leader?.rseq, origin: leader?.rseq?.origin.field },
    { address: 0x7fff0n, size: 32, signature: 0x53053053, section: 0n, origin: "abi_pointer" },
  );
});

test("registers have the names and the selectors of today's kernels", () => {
  const registers = TASK.threads[0]?.registers;
  const named = ["fs_base", "fs", "gs", "cs", "ss", "ip"].map((name) => registers?.get(name));
  assert.equal(named, [0x1234000n, 0n, 0x6bn, 0x33n, 0x2bn, 0x401000n]);
  assert.not(registers?.has("used_math"));
});

test("files have their identity, owner and capacity", () => {
  const log = fd(0);
  assert.equal([log.size, log.mode, log.buildId], [99n, 0o100644, "cafe"]);
  assert.equal(log.owner, { kind: "group", pid: 1, signal: 10, uid: 0, euid: 0 });
  assert.equal(
    [fd(2).size, fd(2).mode, fd(2).buildId, fd(2).owner],
    [undefined, undefined, undefined, undefined],
  );
  assert.equal(
    MODEL.pipes.map(({ bytes, capacity }) => [bytes, capacity]),
    [[6, 8192]],
  );
  assert.equal(
    [8, 9, 10, 11, 13].map((number) => [fd(number).type, fd(number).label]),
    [
      ["TIMERFD", "anon:[timerfd]"],
      ["SIGNALFD", "anon:[signalfd]"],
      ["MEMFD", "memfd:buffer"],
      ["INOTIFY", "anon:[inotify]"],
      ["TTY", "/dev/pts/ptmx"],
    ],
  );
});

test("deleted files tell by which method they come back, and where their bytes are", () => {
  assert.equal(
    MODEL.deletedFiles.map(({ method, path, keptIn }) => [method, path, keptIn.replace(/\d+(?=\]$)/, "N")]),
    [
      ["ghost", "/tmp/contents", "extended.ckpt[N]"],
      ["link remap", "/tmp/linked", "/lost+found/unlink-at-restart-1"],
      ["copy", "/tmp/copied", "/var/tmp/copy"],
      ["ghost", "/gone/directory", "extended.ckpt[N]"],
    ],
  );
  const [first] = MODEL.deletedFiles;
  const offset = first?.contents?.offset ?? 0;
  assert.is(BYTES.subarray(offset, offset + 12).toString(), "what it held");
  assert.equal([first?.ghost?.stored, first?.ghost?.size], [12, 4096n]);
  assert.is(TASK.cwd?.deleted, MODEL.deletedFiles[3]);
});

test("memory behind mappings of a segment, a memfd and the vdso is read, of other kernel areas it is not", () => {
  const memory = TASK.memory();
  const text = (address: bigint, length: number) => memory?.read(address, length).toString("latin1");
  assert.is(text(0x700000n, 8), "segment\0");
  assert.is(text(0x800000n, 23), "second page of the memf");
  assert.is(text(0x401000n, 7), "written");
  assert.is(text(0x7ffff000n, 4), "\x7fELF");
  assert.is(text(0x600000n, 4), "\0\0\0\0");
  assert.throws(() => memory?.read(0x7fff0000n, 1), /memory of the kernel/);
  assert.equal(
    TASK.mappings.map(({ kind, name }) => [kind, name]),
    [
      ["file", "/usr/bin/app"],
      ["anonymous", "[heap]"],
      ["SysV", "[SysV 7]"],
      ["memfd", "memfd:buffer"],
      ["anonymous", "[stack]"],
      ["vvar", "[vvar]"],
      ["vdso", "[vdso]"],
      ["guard", "[guard]"],
    ],
  );
});

test.run();
