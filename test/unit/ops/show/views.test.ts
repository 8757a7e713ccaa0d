import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { CONTAINER_VIEWS, VIEWS, type ViewName } from "../../../../src/index.js";
import { NotFoundError } from "../../../../src/io/errors.js";
import type { CriuDocument } from "../../../../src/model/document.js";
import { SetBuilder } from "../../../helpers/build-set.js";
import { openSet } from "../../../helpers/open-set.js";
import { suite } from "../../../helpers/suite.js";
import { core, NO_OWNER, regular } from "./sets.js";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures/criu/", import.meta.url));
const test = suite("src/ops/show/views");
const fixture = (name: string): CriuDocument => openSet(join(FIXTURES, name));

const task = (pid: number, ppid = 0) => ({ pid, ppid, pgid: 1, sid: 1, threads: [pid, pid + 100] });
const descriptor = (fd: number, id: number, type = 1, flags = 0) => ({ fd, id, type, flags });

/** Two tasks that share table 7, and one with a table of its own. */
function sharers(): CriuDocument {
  return new SetBuilder()
    .image(IMAGES.PSTREE, undefined, [task(1), task(2, 1), task(3, 1)])
    .image(IMAGES.CORE, 1, [core({ comm: "one", files: 7 })])
    .image(IMAGES.CORE, 2, [core({ comm: "two", files: 7 })])
    .image(IMAGES.CORE, 3, [core({ comm: "three", files: 8 })])
    .image(IMAGES.FDINFO, 7, [descriptor(0, 1), descriptor(4, 2, 2), descriptor(9, 99)])
    .image(IMAGES.FDINFO, 8, [descriptor(5, 3, 2, 1)])
    .image(IMAGES.FILES, undefined, [
      { type: 1, id: 1, reg: regular(1, "/tmp/a\u001b[2J", { flags: 0x402, pos: 1n << 60n }) },
      { type: 2, id: 2, pipe: { id: 2, pipe_id: 5, flags: 0, fown: NO_OWNER } },
      { type: 2, id: 3, pipe: { id: 3, pipe_id: 5, flags: 1, fown: NO_OWNER } },
    ])
    .document();
}

test("a shared descriptor table is shown once", () => {
  const [one, two, three] = VIEWS.fds(sharers()).tasks;
  assert.equal([one?.sameAs, one?.descriptors.length], [undefined, 3]);
  assert.equal([two?.sameAs, two?.descriptors.length], [1, 0]);
  assert.equal([three?.sameAs, three?.descriptors.length], [undefined, 1]);
  assert.is(VIEWS.fds(sharers(), { pids: [2] }).tasks[0]?.descriptors.length, 3);
});

test("a descriptor has the names of its flags, its exact offset and its close-on-exec", () => {
  const [first, , missing] = VIEWS.fds(sharers()).tasks[0]?.descriptors ?? [];
  assert.equal(first?.flags, ["O_RDWR", "O_APPEND"]);
  assert.is(first?.position, 1n << 60n);
  assert.is(missing?.file, undefined);
  assert.is(VIEWS.fds(sharers(), { pids: [3] }).tasks[0]?.descriptors[0]?.closeOnExec, true);
});

test("the ends of a pipe are told with all tasks that hold them", () => {
  const [pipe] = VIEWS.pipes(sharers()).pipes;
  assert.equal(pipe?.readers, [{ pids: [1, 2], fd: 4 }]);
  assert.equal(pipe?.writers, [{ pids: [3], fd: 5 }]);
});

test("a pid limits files and pipes to those that it holds", () => {
  assert.equal(
    VIEWS.files(sharers(), { pids: [3] }).files.map(({ id }) => id),
    [3],
  );
  assert.is(VIEWS.pipes(sharers(), { pids: [3] }).pipes.length, 1);
});

for (const view of Object.keys(VIEWS) as ViewName[]) {
  // Objects of the whole namespace, and of the container around the tasks.
  if (view === "ipc" || (CONTAINER_VIEWS as readonly ViewName[]).includes(view)) continue;
  test(`${view} says which pids there are when one is unknown`, () => {
    assert.throws(
      () => VIEWS[view](sharers(), { pids: [77] }),
      (error: Error) => error instanceof NotFoundError && error.message.endsWith("(expected one of 1, 2, 3)"),
    );
    assert.throws(
      () => VIEWS[view](sharers(), { pids: [102] }),
      (error: Error) => error instanceof NotFoundError && /102 is a thread of task 2/.test(error.message),
    );
  });
}

test("the lease states of the locks program are told apart", () => {
  const leases = VIEWS.locks(fixture("locks")).locks.filter(({ kind }) => kind === "lease");
  assert.equal(
    leases.map(({ type, breaking }) => [type, breaking]),
    [
      ["read", false],
      ["write", false],
      ["unlock", true],
      ["read", true],
      ["unlock", true],
    ],
  );
});

test("the bytes of a lock have an end unless it reaches to that of the file", () => {
  const posix = VIEWS.locks(fixture("locks")).locks.filter(({ kind }) => kind === "posix");
  assert.equal(
    posix.map(({ start, end }) => [start, end]),
    [
      [0n, 99n],
      [100n, 199n],
      [4000n, undefined],
    ],
  );
});

test("each end of a unix pair names the other", () => {
  const { sockets } = VIEWS.sockets(fixture("sockets"));
  const paired = sockets.filter(({ peer }) => peer?.id !== undefined);
  assert.ok(paired.length >= 10);
  for (const { id, peer, inode } of paired) {
    const other = sockets.find((socket) => socket.id === peer?.id);
    assert.equal(other?.descriptors, peer?.descriptors);
    if (other?.peer !== undefined) assert.is(other.peer.inode, inode, `peer of the peer of ${id}`);
  }
});

for (const name of ["logger", "locks", "sockets", "threads", "tree", "deleted", "terminal", "container"])
  test(`${name}: the stored pages of rss fill the pages files`, () => {
    const document = fixture(name);
    const { tasks, pageSize } = VIEWS.rss(document);
    const files = document.set.files.filter(({ kind }) => kind === IMAGES.PAGES);
    const bytes = files.reduce((sum, file) => sum + statSync(join(FIXTURES, name, file.name)).size, 0);
    const own = tasks.reduce((sum, { stored }) => sum + stored, 0);
    const segments = new Map(
      tasks.flatMap(({ mappings }) =>
        mappings
          .filter(({ permissions }) => permissions.endsWith("s"))
          .map((each) => [each.name, each.stored]),
      ),
    );
    const shared = [...segments.values()].reduce((sum, stored) => sum + stored, 0);
    assert.is((own + shared) * pageSize, bytes);
  });

test("the runs of rss add up to its counts", () => {
  const [plain] = VIEWS.rss(fixture("threads")).tasks;
  const [withRuns] = VIEWS.rss(fixture("threads"), { runs: true }).tasks;
  for (const [at, { stored, runs }] of (withRuns?.mappings ?? []).entries()) {
    assert.is(stored, plain?.mappings[at]?.stored);
    assert.is(
      [...(runs ?? [])].reduce((sum, { pages }) => sum + pages, 0),
      stored,
    );
  }
});

test("the command line and environment come from memory", () => {
  const [logger] = VIEWS.env(fixture("logger")).tasks;
  assert.equal(logger?.argv, ["/var/lib/crimg-demo/logger/bin/logger", "/var/lib/crimg-demo/logger"]);
  assert.equal(logger?.environment, [
    { name: "PATH", value: "/usr/bin:/bin" },
    { name: "HOME", value: "/" },
  ]);
  assert.equal(logger?.problems, []);
});

test("the environment of a task without its pages is a sentence", () => {
  const [one] = VIEWS.env(sharers()).tasks;
  assert.equal([one?.argv, one?.environment], [[], []]);
  assert.equal(one?.problems, ["the task has no memory"]);
});

test("every deleted file is used by someone", () => {
  const { files } = VIEWS.ghosts(fixture("deleted"));
  assert.ok(files.length >= 10);
  for (const { path, descriptors, uses } of files) assert.ok(descriptors.length + uses.length > 0, path);
  const sparse = files.find(({ path }) => path?.endsWith("/sparse"));
  assert.ok((sparse?.stored ?? 0) < (sparse?.size ?? 0n));
});

test("the signals that the threads program sent to itself are pending", () => {
  const [threads] = VIEWS.signals(fixture("threads")).tasks;
  assert.ok(threads?.pending.some(({ name, code }) => name === "SIGUSR2" && code === "SI_USER"));
  assert.ok(threads?.pending.some(({ code, sender }) => code === "SI_QUEUE" && sender === 1000));
});

test("threads whose credentials differ keep their own", () => {
  const [threads] = VIEWS.creds(fixture("threads")).tasks;
  assert.is(threads?.threads.length, 4);
  assert.is(threads?.threads[0]?.seccomp, "filter");
});

test.run();
