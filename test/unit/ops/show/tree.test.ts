import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import type { PstreeEntry } from "../../../../src/formats/criu/tables/pstree.js";
import { treeView } from "../../../../src/ops/show/tree.js";
import { SetBuilder } from "../../../helpers/build-set.js";
import { suite } from "../../../helpers/suite.js";
import { core } from "./sets.js";

const test = suite("src/ops/show/tree");

const entry = (pid: number, ppid: number, more: Partial<PstreeEntry> = {}): PstreeEntry => ({
  ...{ pid, ppid, pgid: 1, sid: 1, threads: [pid] },
  ...more,
});

function treeOf(entries: readonly PstreeEntry[], pid?: number, threads?: boolean) {
  const set = new SetBuilder().image(IMAGES.PSTREE, undefined, entries);
  for (const { pid, threads } of entries)
    for (const tid of threads)
      set.image(IMAGES.CORE, tid, [core({ comm: `task-${tid}`, leader: tid === pid })]);
  return treeView(set.document(), { pids: pid === undefined ? undefined : [pid], threads });
}

test("a parent stands before its children, siblings in stored order", () => {
  const { tasks, notes } = treeOf([entry(1, 0), entry(5, 1), entry(3, 1), entry(9, 5)]);
  assert.equal(
    tasks.map(({ pid, depth }) => [pid, depth]),
    [
      [1, 0],
      [5, 1],
      [9, 2],
      [3, 1],
    ],
  );
  assert.equal(notes, []);
});

test("a pid limits the tree to what is below it", () => {
  const { tasks } = treeOf([entry(1, 0), entry(5, 1), entry(9, 5), entry(3, 1)], 5);
  assert.equal(
    tasks.map(({ pid, depth }) => [pid, depth]),
    [
      [5, 0],
      [9, 1],
    ],
  );
});

test("threads are counted without a look at their images, and named if asked", () => {
  const entries = [entry(1, 0, { threads: [1, 2, 3] })];
  const set = new SetBuilder()
    .image(IMAGES.PSTREE, undefined, entries)
    .image(IMAGES.CORE, 1, [core({ comm: "leader" })]);
  const [task] = treeView(set.document()).tasks;
  assert.equal([task?.threads, task?.comm, task?.threadNames], [3, "leader", undefined]);
  assert.equal(treeOf(entries, undefined, true).tasks[0]?.threadNames, [
    { tid: 2, comm: "task-2" },
    { tid: 3, comm: "task-3" },
  ]);
});

test("parents in a circle are all shown, and said to be damage", () => {
  const { tasks, notes } = treeOf([entry(1, 0), entry(2, 3), entry(3, 2)]);
  assert.equal(
    tasks.map(({ pid }) => pid),
    [1, 2, 3],
  );
  assert.equal(notes, ["damaged: the parents of 2 form a cycle"]);
});

test("a task that is its own parent is shown once", () => {
  const { tasks, notes } = treeOf([entry(7, 7)]);
  assert.equal(tasks.length, 1);
  assert.match(notes.at(-1) as string, /cycle/);
});

test("an unknown parent and a pid that occurs twice are told", () => {
  const { tasks, notes } = treeOf([entry(1, 0), entry(1, 0), entry(1, 0), entry(4, 99)]);
  assert.is(tasks.length, 2);
  assert.equal(notes, [
    "damaged: the parent of 4 is not in the set",
    "damaged: 2 tasks with duplicate pids are omitted: 1",
  ]);
});

test("leaders that are gone, or outside of the pid namespace, are told", () => {
  const { notes } = treeOf([
    entry(1, 0),
    entry(2, 1, { sid: 50, pgid: 60 }),
    entry(3, 1, { sid: 0, pgid: 60 }),
  ]);
  assert.equal(notes, [
    "session 50 has no leader in the set: task 2",
    "the session leader is outside of the pid namespace: task 3",
    "group 60 has no leader in the set: task 2, 3",
  ]);
});

for (const [status, end] of [
  [0x300, { exitCode: 3 }],
  [0, { exitCode: 0 }],
  [9, { killedBy: "SIGKILL" }],
  [0x80 | 11, { killedBy: "SIGSEGV" }],
] as const)
  test(`a zombie with wait status ${status} ended by ${JSON.stringify(end)}`, () => {
    const set = new SetBuilder()
      .image(IMAGES.PSTREE, undefined, [entry(1, 0)])
      .image(IMAGES.CORE, 1, [core({ state: 2, exit: status })]);
    const [task] = treeView(set.document()).tasks;
    assert.is(task?.state, "zombie");
    assert.equal(
      { exitCode: task?.exitCode, killedBy: task?.killedBy },
      { exitCode: undefined, killedBy: undefined, ...end },
    );
  });

test("a chain of 20,000 tasks takes no deep stack", () => {
  const entries = Array.from({ length: 20_000 }, (_, at) => entry(at + 1, at));
  const document = new SetBuilder().image(IMAGES.PSTREE, undefined, entries).document();
  assert.is(treeView(document).tasks.at(-1)?.depth, 19_999);
});

test("a task without core image has an unknown state", () => {
  const document = new SetBuilder().image(IMAGES.PSTREE, undefined, [entry(1, 0)]).document();
  assert.equal([treeView(document).tasks[0]?.state, treeView(document).tasks[0]?.comm], ["unknown", ""]);
});

test.run();
