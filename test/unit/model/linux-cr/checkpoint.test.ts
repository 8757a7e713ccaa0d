import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../../../src/formats/linux-cr/revisions.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { MemorySource } from "../../../../src/io/source.js";
import { OFFSET_MAX } from "../../../../src/linux/files.js";
import type { Checkpoint, Task } from "../../../../src/model/checkpoint.js";
import { openDocument, openStream } from "../../../../src/open.js";
import { extendedStream } from "../../../helpers/extended-stream.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";
import { walkStream } from "../../../helpers/walk-stream.js";

const MINIMAL = fileURLToPath(new URL("../../../../fixtures/linux-cr/minimal.ckpt", import.meta.url));
const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;
const test = suite("linux-cr: model");

function checkpoint(bytes: Buffer): Checkpoint {
  return openStream(new MemorySource(bytes, "test.ckpt")).checkpoint;
}

function task(model: Checkpoint, pid: number): Task {
  const found = model.task(pid);
  assert.ok(found, `no task ${pid}`);
  return found;
}

test("the minimal image says what its one task has", () => {
  const model = openDocument(MINIMAL).checkpoint;
  assert.is(model.architecture, "x86_64");
  assert.is(model.tasks.length, 1);
  const one = task(model, 1234);
  assert.equal(
    [one.ppid, one.pgid, one.sid, one.state, one.comm, one.umask],
    [0, 1234, 1234, "alive", "minimal", 0o022],
  );
  assert.equal([one.exe?.path, one.cwd?.path, one.root?.path], ["/bin/minimal", "/tmp", "/"]);
  const [descriptor] = one.descriptors?.descriptors ?? [];
  assert.equal(
    [descriptor?.fd, descriptor?.file?.path, descriptor?.file?.position, descriptor?.file?.flags],
    [1, "/tmp/minimal.log", 42n, 0x8401],
  );
  assert.equal(
    one.mappings.map(({ start, end, permissions, kind, name }) => [start, end, permissions, kind, name]),
    [
      [0x400000n, 0x402000n, "r-xp", "file", "/bin/minimal"],
      [0x600000n, 0x603000n, "rw-p", "anonymous", "[heap]"],
      [0x7fff0000e000n, 0x7fff00010000n, "rw-p", "anonymous", "[stack]"],
      [0x7fff3f1ff000n, 0x7fff3f200000n, "r-xp", "vdso", "[vdso]"],
    ],
  );
  const [thread] = one.threads;
  assert.equal([thread?.tid, thread?.credentials?.uid, thread?.credentials?.groups], [1234, 1000, [1000]]);
  assert.ok((thread?.registers.get("ip") ?? 0n) > 0n);
  assert.equal([one.limits[7]?.soft, one.limits[7]?.hard], [1024n, 4096n]);
  assert.equal(
    one.signals.actions
      .filter(({ handler }) => handler !== 0n)
      .map(({ signal, handler }) => [signal, handler]),
    [[15, 0x400500n]],
  );
});

for (const commit of COMMITS)
  for (const arch of archNumbering(commit))
    test(`a rich image of ${commit} on ${arch}`, () => {
      const dialect = { commit, arch: ARCHITECTURES[arch] };
      const model = checkpoint(richStream(dialect, { dialectRecords: true }));
      assert.is(model.architecture, dialect.arch.name);
      assert.equal(
        model.tasks.map(({ pid, ppid, sid, state, comm, threads }) => [
          pid,
          ppid,
          sid,
          state,
          comm,
          threads.length,
        ]),
        [
          [1, 0, 1, "alive", "init", 1],
          [7, 1, 1, "alive", "worker", 2],
          [9, 1, 1, "zombie", "gone", 0],
        ],
      );
      assert.is(task(model, 9).exitStatus, 256);
      const worker = task(model, 7);
      // The second byte of the set is 2: of longs, in the order of the machine.
      const { byteOrder, wordBytes } = dialect.arch;
      const blocked = byteOrder === "little-endian" ? 1n << 9n : wordBytes === 8 ? 1n << 49n : 1n << 17n;
      assert.equal(
        worker.threads.map(({ tid, comm, blocked }) => [tid, comm, blocked]),
        [
          [7, "worker", blocked],
          [8, "thread", blocked],
        ],
      );
      assert.is(worker.descriptors?.id, task(model, 1).descriptors?.id);
      assert.equal(worker.threads[0]?.credentials?.groups, [10, 20]);
      assert.equal(
        worker.mappings.map(({ kind, permissions, name }) => [kind, permissions, name]),
        [
          ["file", "r-xp", "/usr/bin/app"],
          ["anonymous", "rw-p", "[heap]"],
          ["shared anonymous", "rw-s", ""],
          ["vdso", "r-xp", "[vdso]"],
        ],
      );
      const hasFs = COMMITS.indexOf(commit) >= COMMITS.indexOf("c97c03d");
      assert.is(worker.cwd?.path, hasFs ? "/work" : undefined);
      assert.is(worker.timers[0]?.left, 2_000_000_000n);
      assert.equal([worker.limits[3]?.soft, worker.limits[3]?.hard], [3n, (1n << 64n) - 1n]);
      assert.equal(
        worker.signals.actions.filter(({ handler }) => handler !== 0n).map(({ signal }) => signal),
        [15],
      );
      assert.is(worker.signals.pending.length, 1);
      const labels = model.files.all.map(({ label }) => label);
      for (const label of ["/var/log/app.log", "/run/fifo", "unix STREAM /tmp/relative", "/dev/pts/3"])
        assert.ok(labels.includes(label), labels.join(" "));
      assert.equal(
        model.pipes.map(({ kind, bytes }) => [kind, bytes]),
        [
          ["pipe", 6],
          ["fifo", 0],
        ],
      );
      const [first, second] = model.files.all.flatMap(({ socket }) => socket ?? []);
      assert.equal(first?.queued, { received: 4, unsent: 0, packets: 1 });
      assert.is(first?.peer?.socket?.inode, second?.inode);
      assert.is(second?.peer?.socket?.inode, first?.inode);
      assert.equal(
        model.locks.map(({ kind, type, breaking, start, end, pid, fd }) => [
          kind,
          type,
          breaking,
          start,
          end,
          pid,
          fd,
        ]),
        [
          ["posix", "write", false, 0n, 9n, 1, 0],
          ["lease", "read", true, 0n, OFFSET_MAX, 1, 0],
          ["flock", "read", false, 0n, OFFSET_MAX, 1, 0],
        ],
      );
    });

test("an image from a pipe says the same as one from a file, though its pages went by", () => {
  const script = `import { openDocument } from "./src/open.ts";
    const { checkpoint, image } = openDocument("-");
    const [task] = checkpoint.tasks;
    console.log(JSON.stringify([task.comm, task.mappings.length, image.ending, checkpoint.files.all.length]));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    {
      cwd: fileURLToPath(new URL("../../../../", import.meta.url)),
      input: readFileSync(MINIMAL),
      encoding: "utf8",
    },
  );
  assert.is(stderr, "");
  assert.equal(JSON.parse(stdout), ["minimal", 4, { kind: "tail", offset: 18228, rest: 0 }, 2]);
});

test("a cut image refuses the model with the place where it ends", () => {
  const bytes = readFileSync(MINIMAL);
  for (const { offset, size } of walkStream(bytes).records.slice(1, -1))
    assert.throws(
      () => checkpoint(bytes.subarray(0, offset + size)).tasks,
      (error: unknown) => isCrimgError(error) && error.code === "TRUNCATED" && error.offset === offset + size,
    );
});

for (const [name, bytes] of [
  ["rich", richStream(NEWEST, { dialectRecords: true })],
  ["extended", extendedStream()],
] as const)
  test(`a flipped bit of the ${name} stream ends in an answer or one error`, () => {
    const small = walkStream(bytes).records.filter(({ size }) => size < 3000);
    const started = process.cpuUsage();
    for (const { offset, size } of small)
      for (let i = 0; i < size; i += 5) {
        const flipped = Buffer.from(bytes);
        flipped[offset + i] = (flipped[offset + i] as number) ^ (1 << ((offset + i) % 8));
        try {
          const model = checkpoint(flipped);
          for (const one of model.tasks) {
            for (const part of [one.threads, one.mappings, one.timers, one.signals, one.limits])
              assert.ok(part);
            for (const thread of one.threads)
              assert.ok([thread.credentials, thread.registers, thread.pending]);
          }
          for (const one of model.tasks) assert.ok([one.attributes, one.memory()?.count(0n, 1n << 47n)]);
          for (const file of model.files.all) {
            assert.type(file.label, "string");
            assert.ok([file.size, file.buildId, file.owner, file.special, file.socket, file.deleted]);
          }
          assert.ok([model.locks, model.pipes, model.deletedFiles]);
        } catch (error) {
          if (!isCrimgError(error)) throw error;
          assert.type(error.offset, "number");
        }
      }
    assert.ok(process.cpuUsage(started).user < 50_000_000);
  });

test.run();
