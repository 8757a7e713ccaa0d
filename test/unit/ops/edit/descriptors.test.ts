import * as assert from "uvu/assert";
import type { CriuImageSet } from "../../../../src/formats/criu/image-set.js";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import type { FdinfoEntry, FileEntry } from "../../../../src/formats/criu/tables/fdinfo.js";
import { suite } from "../../../helpers/suite.js";
import { edits, planned } from "./planned.js";

const test = suite("src/ops/edit/kinds: fd and drop-fd");

function descriptor(set: CriuImageSet, table: number, fd: number): FdinfoEntry | undefined {
  return set.records(IMAGES.FDINFO, table).find(({ value }) => value.fd === fd)?.value;
}

function file(set: CriuImageSet, id: number | undefined): FileEntry | undefined {
  return set.records(IMAGES.FILES).find(({ value }) => value.id === id)?.value;
}

test("a description of one descriptor goes, and the descriptor names a new file", () => {
  const { after } = planned("sockets", edits("fd 1000:5=/srv/in"));
  const fd = descriptor(after, 2, 5);
  const entry = file(after, fd?.id);
  assert.is(fd?.type, 1);
  assert.is(entry?.type, 1);
  assert.is(entry?.usk, undefined);
  assert.equal(
    { ...entry?.reg, fown: undefined },
    { id: fd?.id, flags: 2, pos: 0n, fown: undefined, name: "/srv/in", build_id: [] },
  );
});

test("descriptors that shared a description and go to one file share it again", () => {
  const { after } = planned("sockets", edits("fd 1000:1=/srv/out,append", "fd 1000:2=/srv/out,append"));
  const [one, two] = [descriptor(after, 2, 1), descriptor(after, 2, 2)];
  assert.is(one?.id, two?.id);
  const entry = file(after, one?.id);
  assert.is(entry?.reg?.name, "/srv/out");
  assert.is(entry?.reg?.flags, 0o2001);
  assert.is(entry?.reg?.mode, undefined);
});

test("one of two that share gets a description of its own; the other keeps the old one, and both are named", () => {
  const { after, plan } = planned("sockets", edits("fd 1000:1=/srv/out"));
  const [one, two] = [descriptor(after, 2, 1), descriptor(after, 2, 2)];
  assert.is.not(one?.id, two?.id);
  assert.is(file(after, one?.id)?.reg?.name, "/srv/out");
  assert.is(file(after, two?.id)?.reg?.name, "/dev/null");
  assert.match(plan.notes.join(), /1000:1 shared its open file with 1000:2/);
  const ids = after.records(IMAGES.FILES).map(({ value }) => value.id);
  assert.is(new Set(ids).size, ids.length);
});

test("dropping a terminal's descriptor takes its node along", () => {
  const { after } = planned("terminal", edits("drop-fd 1005:5"));
  assert.is(descriptor(after, 3, 5), undefined);
  const files = after.records(IMAGES.FILES).map(({ value }) => value);
  assert.is(files.filter(({ tty }) => tty !== undefined).length, 1);
  assert.not.ok(files.some(({ reg }) => reg?.name === "/dev/pts/0"));
});

test("a description that others hold stays", () => {
  const before = planned("tree", edits("comm 1000=x")).after.records(IMAGES.FILES).length;
  const { after } = planned("tree", edits("drop-fd 1000:5"));
  assert.is(descriptor(after, 2, 5), undefined);
  assert.is(after.records(IMAGES.FILES).length, before);
});

test("the other end of a unix socket loses its peer, as if it had been closed", () => {
  const { after, plan } = planned("sockets", edits("drop-fd 1000:4"));
  const other = file(after, descriptor(after, 2, 5)?.id)?.usk;
  assert.is(other?.peer, 0);
  assert.is(other?.shutdown, 3);
  assert.match(plan.warnings.join(), /1000:5 will read end of file/);
});

test("locks go with the descriptor", () => {
  const { after } = planned("locks", edits("drop-fd 1000:4", "fd 1000:7=/srv/x"));
  const locks = after.records(IMAGES.FILE_LOCKS).map(({ value }) => value.fd);
  assert.not.ok(locks.includes(4));
  assert.not.ok(locks.includes(7));
  assert.is(locks.length, 12 - 3 - 1);
});

test("an epoll instance no longer waits for a dropped descriptor", () => {
  const targets = (set: CriuImageSet): number[] =>
    set.records(IMAGES.FILES).flatMap(({ value }) => value.epfd?.tfd.map(({ tfd }) => tfd) ?? []);
  const [fd] = targets(planned("threads", edits("comm 1000=x")).after);
  const { after, plan } = planned("threads", edits(`drop-fd 1000:${fd}`));
  assert.ok(fd !== undefined);
  assert.not.ok(targets(after).includes(fd));
  assert.match(plan.notes.join(), /epoll/);
});

test("a memory file that a mapping shows stays when its descriptor goes", () => {
  const memfds = (set: CriuImageSet): number =>
    set.records(IMAGES.FILES).filter(({ value }) => value.memfd).length;
  const before = memfds(planned("threads", edits("comm 1000=x")).after);
  const { after } = planned("threads", edits("drop-fd 1000:9"));
  assert.is(descriptor(after, 2, 9), undefined);
  assert.ok(memfds(after) >= before - 1);
});

for (const name of ["locks", "sockets", "threads", "terminal", "deleted", "tree"])
  test(`${name}: every descriptor may go at once, and takes its locks, its packets and its watches along`, () => {
    const { after: before } = planned(name, edits("comm 1000=x"));
    const fds = before.ids(IMAGES.FDINFO).flatMap((table) => {
      const pid = before.records(IMAGES.PSTREE).find(({ value }) => filesOf(before, value.pid) === table);
      return before.records(IMAGES.FDINFO, table).map(({ value }) => `${pid?.value.pid}:${value.fd}`);
    });
    for (const order of [fds, fds.toReversed()]) {
      const { after, plan } = planned(name, edits(...order.map((fd) => `drop-fd ${fd}`)));
      assert.equal(plan.unmatched, []);
      for (const table of after.ids(IMAGES.FDINFO)) assert.is(after.records(IMAGES.FDINFO, table).length, 0);
      assert.is(after.records(IMAGES.FILE_LOCKS).length, 0);
      assert.is(after.records(IMAGES.SK_QUEUES).length, 0);
      const types = new Set(after.records(IMAGES.FILES).map(({ value }) => value.type));
      assert.ok(
        [...types].every((type) => type === 1 || type === 18),
        String([...types]),
      );
    }
  });

function filesOf(set: CriuImageSet, pid: number): number | undefined {
  return (set.first(IMAGES.CORE, pid)?.ids ?? set.first(IMAGES.IDS, pid))?.files_id;
}

test("what is not open is no match", () => {
  for (const edit of ["fd 1000:99=/x", "drop-fd 1000:99", "drop-fd 7:1"]) {
    const { plan } = planned("logger", edits(edit));
    assert.is(plan.unmatched.length, 1);
    assert.match(plan.unmatched[0] ?? "", /has no descriptor/);
  }
});

for (const bad of ["fd 1000=/x", "fd 1000:1", "fd 1000:1=x", "fd 1000:1=/", "drop-fd 1000", "drop-fd a:1"]) {
  test(`${bad} is a usage error`, () => {
    assert.throws(
      () => planned("logger", edits(bad)),
      (error: unknown) => (error as { code: string }).code === "USAGE",
    );
  });
}

test.run();
