import * as assert from "uvu/assert";
import { IMAGES } from "../../../../../src/formats/criu/images.js";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { isCrimgError } from "../../../../../src/io/errors.js";
import { MemorySource } from "../../../../../src/io/source.js";
import { openStream } from "../../../../../src/open.js";
import { planConversion } from "../../../../../src/ops/convert/convert.js";
import type { SetBuilder } from "../../../../helpers/build-set.js";
import {
  coreOf,
  GPREGS,
  type OneTask,
  oneTaskSet,
  PID,
  THREAD_CORE,
} from "../../../../helpers/one-task-set.js";
import { suite } from "../../../../helpers/suite.js";

const test = suite("convert: tasks of a set as a stream");

function converted(builder: SetBuilder) {
  const conversion = planConversion(builder.document());
  if (conversion.to !== "linux-cr") throw new Error("a set becomes a stream");
  const { stream, losses } = conversion;
  const { image, checkpoint } = openStream(new MemorySource(stream.read(0, stream.size), "test.ckpt"));
  const all = <K extends (typeof RECORDS)[keyof typeof RECORDS]>(kind: K) =>
    Array.from({ length: image.length }, (_, i) => i)
      .filter((i) => image.kind(i) === kind)
      .map((index) => ({ index, value: image.value(index, kind) }));
  return { losses, image, checkpoint, all };
}

const lossesOf = (parts: OneTask) =>
  converted(oneTaskSet(parts)).losses.map(({ object, what }) => `${object}: ${what}`);

test("a set that has nothing unusual loses nothing", () => {
  assert.equal(lossesOf({}), []);
});

test("what TASK has no field for is told", () => {
  const sas = { ss_sp: 0x1000n, ss_size: 0x2000n, ss_flags: 0x80000000 };
  assert.equal(lossesOf({ thread: { sas } }), ["task 4711: SS_AUTODISARM of its signal stack"]);
  const large = { ...sas, ss_flags: 0, ss_size: 2n ** 32n };
  assert.equal(lossesOf({ thread: { sas: large } }), ["task 4711: its signal stack of 4294967296 bytes"]);
});

for (const name of ["pgid", "sid"] as const)
  for (const id of [2 ** 31, 2 ** 32 - 4096, 2 ** 32 - 1])
    test(`a ${name} of ${id}, which no process can have, is refused`, () => {
      const entry = { pid: PID, ppid: 0, pgid: PID, sid: PID, threads: [PID], [name]: id };
      const set = oneTaskSet().image(IMAGES.PSTREE, undefined, [entry]);
      let told = "";
      try {
        converted(set);
      } catch (error) {
        if (!isCrimgError(error)) throw error;
        told = error.message;
      }
      assert.is(told, `invalid process id ${id} (expected -2147483648 to 2147483647)`);
    });

test("an auxiliary vector of a process without its leader among the threads is written", () => {
  const set = oneTaskSet().image(IMAGES.PSTREE, undefined, [
    { pid: PID, ppid: 0, pgid: PID, sid: PID, threads: [] },
  ]);
  assert.is(converted(set).checkpoint.tasks.length, 1);
});

test("a selector that no code stands for is told", () => {
  const gpregs = { ...GPREGS, fs: 0x13n };
  assert.equal(lossesOf({ registers: { gpregs } }), ["task 4711: register fs"]);
});

test("a signal with more than ckpt_siginfo holds is told", () => {
  const siginfo = Buffer.alloc(128);
  siginfo.writeInt32LE(31, 0);
  siginfo.writeInt32LE(1, 8);
  siginfo.writeInt32LE(59, 24);
  assert.equal(lossesOf({ thread: { signals_p: { signals: [{ siginfo }] } } }), [
    "task 4711: a part of what came with the waiting signal 31",
  ]);
});

test("registers stand where the layout has them, with codes for selectors", () => {
  const { image, all } = converted(
    oneTaskSet({ registers: { gpregs: { ...GPREGS, fs: 0x6bn, fs_base: 9n } } }),
  );
  const [cpu] = all(RECORDS.CPU);
  assert.ok(cpu);
  const bytes = image.source.read(image.range(cpu.index).offset, 192);
  // Offsets of the format: r15 8, ax 88, ip 136, sp 144, fs 160, fsindex 176, cs 180, ss 182, used_math 188.
  assert.equal(
    [8, 88, 136, 144, 160].map((at) => bytes.readBigUInt64LE(at)),
    [1n, 11n, 0x401000n, 0x7ffe_0000_0000n, 0n],
  );
  assert.equal(
    [176, 180, 182].map((at) => bytes.readUInt16LE(at)),
    [0x4001, 3, 4],
  );
  assert.is(bytes.readUInt32LE(188), 1);
  assert.is(all(RECORDS.CPU_FPU).length, 1);
});

test("a zombie ends after its name; its core dump is told", () => {
  const builder = oneTaskSet({ task: { task_state: 2, exit_code: 0x8b, comm: "gone" } });
  const { losses, checkpoint, all } = converted(builder);
  assert.equal(
    losses.filter(({ object }) => object === `task ${PID}`).map(({ what }) => what),
    ["that it dumped core"],
  );
  const [task] = all(RECORDS.TASK);
  assert.equal([task?.value.state, task?.value.exit_state, task?.value.exit_code], [64, 16, 11]);
  assert.is(all(RECORDS.TASK_OBJS).length, 0);
  assert.equal([checkpoint.tasks[0]?.state, checkpoint.tasks[0]?.comm], ["zombie", "gone"]);
});

test("a stopped task says so, and by which signal", () => {
  const { checkpoint, all } = converted(oneTaskSet({ task: { task_state: 3, stop_signo: 20 } }));
  assert.is(checkpoint.tasks[0]?.state, "stopped");
  assert.is(all(RECORDS.TASK_EXTRA)[0]?.value.stop_signo, 20);
});

test("groups and sessions without a leader have tags; children stand before the next thread", () => {
  const tree = [
    { pid: PID, ppid: 0, pgid: 77, sid: 5, threads: [PID, 4720, 4721] },
    { pid: 4712, ppid: PID, pgid: 4712, sid: 5, threads: [4712] },
    { pid: 4713, ppid: 4712, pgid: 4712, sid: 5, threads: [4713] },
    { pid: 4714, ppid: PID, pgid: 77, sid: 5, threads: [4714] },
  ];
  const builder = oneTaskSet().image(IMAGES.PSTREE, undefined, tree);
  for (const pid of [4720, 4721, 4712, 4713, 4714]) {
    const core = coreOf({ task: { task_state: 2, exit_code: 0 } });
    builder.image(IMAGES.CORE, pid, [pid < 4720 ? core : { ...core, thread_core: THREAD_CORE }]);
  }
  const { image, all, checkpoint, losses } = converted(builder);
  assert.equal(losses, []);
  const [pids] = all(RECORDS.PIDS);
  assert.ok(pids);
  assert.equal([pids.value.nr_pids, pids.value.nr_vpids, pids.value.offset], [8, 0, 1]);
  const list = image.bytes(pids.index + 1);
  const numbers = Array.from({ length: 8 }, (_, i) => list.readInt32LE(i * 8 + 4));
  assert.equal(numbers, [PID, 4712, 4713, 4714, 4720, 4721, 77, 5]);
  const [root, , grandchild, , thread] = checkpoint.tasks.length === 4 ? treeOf(image, pids.index + 3) : [];
  assert.equal(root, [1, 0, 1, 7, 8, 0]);
  assert.equal(grandchild, [3, 2, 3, 2, 8, 0]);
  assert.equal(thread, [5, 0, 1, 7, 8, 0]);
});

function treeOf(image: { bytes(index: number): Buffer }, index: number): number[][] {
  const bytes = image.bytes(index);
  return Array.from({ length: bytes.length / 24 }, (_, task) =>
    Array.from({ length: 6 }, (_, i) => bytes.readInt32LE(task * 24 + i * 4)),
  );
}

test("equal credentials are written once", () => {
  const tree = [{ pid: PID, ppid: 0, pgid: PID, sid: PID, threads: [PID, 4720, 4721] }];
  const other = { ...THREAD_CORE, creds: { ...THREAD_CORE.creds, uid: 1000, groups: [7, 3, 7] } };
  const builder = oneTaskSet()
    .image(IMAGES.PSTREE, undefined, tree)
    .image(IMAGES.CORE, 4720, [coreOf({})])
    .image(IMAGES.CORE, 4721, [{ ...coreOf({}), thread_core: other as typeof THREAD_CORE }]);
  const { all, checkpoint } = converted(builder);
  assert.is(all(RECORDS.TASK).length, 3);
  assert.is(all(RECORDS.CRED).length, 2);
  assert.is(all(RECORDS.USER_NS).length, 1);
  assert.is(all(RECORDS.FILE_TABLE).length, 1);
  assert.is(all(RECORDS.SIGNAL).length, 1);
  assert.equal(checkpoint.tasks[0]?.threads[2]?.credentials?.groups, [3, 7]);
});

test("another machine, a set without a core, and a tree that is none are refused in one sentence", () => {
  const arm = oneTaskSet().image(IMAGES.CORE, PID, [{ ...coreOf({}), mtype: 3 }]);
  const cases: readonly (readonly [SetBuilder, string, RegExp])[] = [
    [arm, "UNSUPPORTED", /only sets of x86-64 can be converted; this one is of aarch64/],
    [
      oneTaskSet().image(IMAGES.PSTREE, undefined, [
        { pid: PID, ppid: 0, pgid: PID, sid: PID, threads: [PID, 9] },
      ]),
      "MISSING",
      /core-9\.img/,
    ],
    [
      oneTaskSet().image(IMAGES.PSTREE, undefined, [
        { pid: PID, ppid: 0, pgid: PID, sid: PID, threads: [PID] },
        { pid: 9, ppid: 10, pgid: PID, sid: PID, threads: [9] },
        { pid: 10, ppid: 9, pgid: PID, sid: PID, threads: [10] },
      ]),
      "INVALID",
      /tasks that the root is no ancestor of/,
    ],
  ];
  for (const [builder, code, text] of cases)
    assert.throws(
      () => converted(builder),
      (error: unknown) => isCrimgError(error) && error.code === code && text.test(error.message),
    );
});

test("a set cannot become a set", () => {
  assert.throws(
    () => planConversion(oneTaskSet().document(), "criu"),
    (error: unknown) => isCrimgError(error) && error.code === "USAGE",
  );
});

test.run();
