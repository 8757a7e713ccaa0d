import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { MemorySource } from "../../../../../src/io/source.js";
import type { Task } from "../../../../../src/model/checkpoint.js";
import type { Document } from "../../../../../src/model/document.js";
import type { Loss } from "../../../../../src/model/loss.js";
import type { PendingSignal } from "../../../../../src/model/signals.js";
import { openDocument, openStream } from "../../../../../src/open.js";
import { planConversion } from "../../../../../src/ops/convert/convert.js";
import { validate } from "../../../../../src/ops/validate/validate.js";
import { FIXTURE_NAMES } from "../../../../helpers/images.js";
import { suite } from "../../../../helpers/suite.js";
import { walkStream } from "../../../../helpers/walk-stream.js";

const FIXTURES = fileURLToPath(new URL("../../../../../fixtures/criu/", import.meta.url));
const TAIL = 9001;
const test = suite("convert: the fixtures as streams");

function streamOf(set: Document): { bytes: Buffer; losses: readonly Loss[] } {
  const conversion = planConversion(set);
  if (conversion.to !== "linux-cr") throw new Error("a set becomes a stream");
  const { stream, losses } = conversion;
  return { bytes: Buffer.from(stream.read(0, stream.size)), losses };
}

function signalText({ signal, code, siginfo }: PendingSignal): string {
  return `${signal} ${code} ${siginfo.toString("hex")}`;
}

/** All that the model says of a task and that a stream says in the same words. */
function facts(task: Task) {
  const { pid, ppid, pgid, sid, state, exitStatus, comm, umask, limits, mm } = task;
  const ids = { pid, ppid, pgid, sid, state, exitStatus, comm, umask };
  return {
    ...ids,
    limits: limits.map(({ soft, hard }) => [soft, hard]),
    mm: { ...mm, origin: undefined },
    paths: [task.exe?.path, task.cwd?.path, task.root?.path],
    actions: task.signals.actions,
    pending: task.signals.pending.map(signalText),
    timers: task.timers.map(({ kind, left, interval, clock, notice, overrun }) =>
      [kind, left, interval, clock, notice?.signal, overrun].join(),
    ),
    threads: task.threads.map(({ tid, comm, credentials, registers, blocked, pending, seccomp }) => ({
      ...{ tid, comm, credentials: { ...credentials, origin: undefined }, blocked },
      // A set says nothing of a thread without seccomp.
      seccomp: seccomp ?? "disabled",
      pending: pending.map(signalText),
      ip: registers.get("ip"),
      sp: registers.get("sp"),
      ax: registers.get("ax"),
      r15: registers.get("r15"),
    })),
    mappings: task.mappings.map(({ start, end, permissions }) => [start, end, permissions].join()),
    descriptors: (task.descriptors?.descriptors ?? []).map(({ fd, closeOnExec }) => [fd, closeOnExec].join()),
  };
}

/** Stored memory of a task, page by page. */
function* memoryOf(task: Task): Generator<readonly [address: bigint, bytes: Buffer]> {
  const memory = task.memory();
  if (memory === undefined) return;
  for (const run of memory.runs())
    if (run.where === "file" || run.where === "compressed")
      for (let page = 0; page < run.pages; page++) {
        const address = run.address + BigInt(page) * 4096n;
        yield [address, memory.read(address, 4096)];
      }
}

for (const name of FIXTURE_NAMES) {
  const set = openDocument(FIXTURES + name);
  const { bytes, losses } = streamOf(set);
  const stream = openStream(new MemorySource(bytes, `${name}.ckpt`));

  test(`${name}: another reader walks it to TAIL`, () => {
    const { records, end } = walkStream(bytes);
    assert.is(end, bytes.length);
    assert.is(records.at(-1)?.id, TAIL);
  });

  test(`${name}: it follows the grammar and says the same of every task`, () => {
    const before = set.checkpoint.tasks;
    const after = stream.checkpoint.tasks;
    assert.equal(after.map(({ pid }) => pid).sort(), before.map(({ pid }) => pid).sort());
    const lostFds = losses.some(({ object }) => / fd \d/.test(object));
    for (const task of before) {
      const twin = stream.checkpoint.task(task.pid);
      assert.ok(twin);
      const [was, is] = [facts(task), facts(twin)];
      if (lostFds) {
        assert.ok(is.descriptors.every((each) => was.descriptors.includes(each)));
        was.descriptors = is.descriptors;
      }
      assert.equal(is, was);
    }
  });

  test(`${name}: every stored page is there with its bytes`, () => {
    let pages = 0;
    for (const task of set.checkpoint.tasks) {
      const memory = stream.checkpoint.task(task.pid)?.memory();
      for (const [address, bytes] of memoryOf(task)) {
        pages++;
        assert.ok(memory?.read(address, 4096).equals(bytes), `page 0x${address.toString(16)} of ${task.pid}`);
      }
    }
    assert.ok(pages > 0);
  });

  test(`${name}: crimg validate finds no error`, () => {
    const { findings } = validate(stream);
    const errors = findings.filter(({ severity }) => severity === "error");
    assert.equal(errors, []);
  });

  test(`${name}: the same set gives the same stream`, () => {
    assert.ok(streamOf(openDocument(FIXTURES + name)).bytes.equals(bytes));
  });
}

test("what has no place is told: the namespaces of a container", () => {
  const of = (name: string) => streamOf(openDocument(FIXTURES + name)).losses.map(({ object }) => object);
  assert.ok(of("container").includes("mount namespace 13"));
  assert.ok(of("container").includes("network namespace 10"));
  for (const name of ["deleted", "locks", "logger", "terminal", "threads", "tree"])
    assert.equal(of(name), []);
});

test.run();
