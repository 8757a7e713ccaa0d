import * as assert from "uvu/assert";
import { taskTimers } from "../../../src/model/task-timers.js";
import { openDocument } from "../../../src/open.js";
import { suite } from "../../helpers/suite.js";

const test = suite("model: real image sets");

test("a service: executable, directory, descriptors with offsets", () => {
  const { checkpoint } = openDocument("fixtures/criu/logger");
  const [task] = checkpoint.tasks;
  assert.is(checkpoint.architecture, "x86_64");
  assert.is(task?.comm, "logger");
  assert.is(task?.state, "alive");
  assert.is(task?.exe?.path, "/var/lib/crimg-demo/logger/bin/logger");
  assert.is(task?.cwd?.path, "/var/lib/crimg-demo/logger/run");
  const log = task?.descriptors?.descriptors.find(({ file }) => file?.path?.endsWith("/log/messages"));
  assert.ok((log?.file?.position ?? 0n) > 0n);
  assert.is(log?.file?.size, undefined, "criu stores no size for a log opened for appending");
});

test("locks of every kind, a lease that is being broken among them", () => {
  const { checkpoint } = openDocument("fixtures/criu/locks");
  const kinds = new Set(checkpoint.locks.map(({ kind }) => kind));
  assert.equal([...kinds].sort(), ["flock", "lease", "ofd", "posix"]);
  const breaking = checkpoint.locks.filter((lock) => lock.breaking);
  assert.ok(breaking.some(({ type }) => type === "unlock"));
  assert.ok(breaking.some(({ type }) => type === "read"));
  for (const lock of checkpoint.locks) assert.ok(lock.file?.path, `${lock.kind} lock has a file`);
});

test("a tree: zombie, shared descriptor table, dead leaders, pipes with two ends", () => {
  const { checkpoint } = openDocument("fixtures/criu/tree");
  const zombie = checkpoint.tasks.find(({ state }) => state === "zombie");
  assert.ok(zombie);
  assert.equal(zombie?.threads, []);
  assert.is(zombie?.descriptors, undefined);
  assert.type(zombie?.exitStatus, "number");
  const tables = checkpoint.tasks.flatMap(({ descriptors }) =>
    descriptors === undefined ? [] : [descriptors],
  );
  assert.ok(new Set(tables).size < tables.length, "two tasks share one table");
  const [root] = checkpoint.tasks;
  assert.is(root?.ppid, 0);
  assert.ok((root?.children.length ?? 0) > 1);
});

test("deleted files: ghosts, and a hard link that was left on disk", () => {
  const { checkpoint } = openDocument("fixtures/criu/deleted");
  const methods = new Set(checkpoint.deletedFiles.map(({ method }) => method));
  assert.ok(methods.has("ghost"));
  assert.ok(methods.has("link remap"));
  for (const deleted of checkpoint.deletedFiles.filter(({ method }) => method === "ghost"))
    assert.match(deleted.keptIn, /^ghost-file-[0-9a-f]+\.img$/);
});

test("sockets: both ends of a pair know each other", () => {
  const { checkpoint } = openDocument("fixtures/criu/sockets");
  const sockets = checkpoint.files.all.flatMap(({ socket }) => (socket === undefined ? [] : [socket]));
  const paired = sockets.filter(({ peer }) => peer !== undefined);
  assert.ok(paired.length >= 2);
  for (const { inode, peer } of paired)
    if (peer?.socket?.peerInode !== 0) assert.is(peer?.socket?.peerInode, inode);
  assert.ok(sockets.some(({ state, protocol }) => state === "LISTEN" && protocol === "TCP"));
});

test("threads and timers", () => {
  const { checkpoint } = openDocument("fixtures/criu/threads");
  const [[task, timers] = []] = taskTimers(checkpoint.tasks);
  assert.ok((task?.threads.length ?? 0) > 1);
  const kinds = new Set(timers?.filter(({ left }) => left > 0n).map(({ kind }) => kind));
  assert.ok(kinds.has("posix") && kinds.has("timerfd"));
  for (const thread of task?.threads ?? []) assert.ok(thread.registers.has("ip"));
});

test.run();
