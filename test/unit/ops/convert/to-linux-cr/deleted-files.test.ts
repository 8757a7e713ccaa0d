import * as assert from "uvu/assert";
import { fileNameOf } from "../../../../../src/formats/criu/detect.js";
import { IMAGES } from "../../../../../src/formats/criu/images.js";
import type { GhostFileEntry } from "../../../../../src/formats/criu/tables/ghost-file.js";
import type { Part } from "../../../../../src/formats/linux-cr/parse.js";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { convertedFixture } from "../../../../helpers/converted-stream.js";
import { fixture } from "../../../../helpers/images.js";
import { openSet } from "../../../../helpers/open-set.js";
import { suite } from "../../../../helpers/suite.js";

const test = suite("convert: deleted files of a set in a stream");
const R = RECORDS;
const DIRECTORY = "/var/lib/crimg-demo/deleted";
const { from, to, all, image, objects } = convertedFixture("deleted");

/** The FILE with this name that has FILE_UNLINKED. */
function files(name: string): Part[] {
  return [...objects.values()].filter(({ records }) => {
    const path = records.find((i) => image.kind(i) === R.FILE_NAME);
    const isDeleted = records.some((i) => image.kind(i) === R.FILE_UNLINKED);
    return path !== undefined && isDeleted && image.text(path) === `${DIRECTORY}/${name}`;
  });
}

function unlinked(part: Part | undefined) {
  return image.value(part?.records.find((i) => image.kind(i) === R.FILE_UNLINKED) ?? 0, R.FILE_UNLINKED);
}

function extra(part: Part | undefined) {
  return image.value(part?.records.find((i) => image.kind(i) === R.UNLINKED_EXTRA) ?? 0, R.UNLINKED_EXTRA);
}

/** The pieces of a file's contents, by their offsets. */
function pieces(part: Part | undefined): (readonly [number, Buffer])[] {
  return (part?.parts ?? []).map(({ records }) => {
    const bytes = image.bytes(records[0] as number);
    return [Number(bytes.readBigUInt64LE()), bytes.subarray(8)] as const;
  });
}

/** What the set has of a ghost: its head and its contents with the holes filled. */
function ghost(id: number): { head: GhostFileEntry; contents: Map<number, Buffer> } {
  const document = openSet(fixture("deleted"));
  const stored = document.set.image(IMAGES.GHOST_FILE, id);
  const contents = new Map<number, Buffer>();
  let head: GhostFileEntry | undefined;
  for (const { value, payload } of stored?.readRecords() ?? []) {
    if ("mode" in value) head = value;
    const [range] = payload;
    const offset = "off" in value ? Number(value.off) : 0;
    if (range !== undefined && range.size > 0)
      contents.set(offset, stored?.source.read(range.offset, range.size) as Buffer);
  }
  document.close();
  if (head === undefined) throw new Error(`${fileNameOf(IMAGES.GHOST_FILE, id)} has no head`);
  return { head, contents };
}

test("contents of a ghost stand in the stream byte for byte, holes left out", () => {
  for (const [name, id] of [
    ["small", 2],
    ["sparse", 4],
    ["#1466377", 5],
    ["gone/orphan", 10],
    ["mapped", 1],
  ] as const) {
    const { head, contents } = ghost(id);
    const [part] = files(name);
    const record = unlinked(part);
    assert.is(record.method, 2);
    assert.equal([record.mode, record.uid, record.gid], [head.mode, head.uid, head.gid]);
    assert.is(record.ino, head.ino);
    assert.equal(pieces(part), [...contents], name);
    assert.is(record.nr_chunks, contents.size);
    const end = Math.max(0, ...[...contents].map(([at, data]) => at + data.length));
    assert.ok(record.size >= BigInt(end));
  }
  assert.is(unlinked(files("sparse")[0]).size, 67_108_864n);
});

test("a file that is open twice has its contents once, and both say that they are one", () => {
  const [first, second] = files("small");
  assert.is(extra(first).inode_objref, extra(second).inode_objref);
  assert.is(extra(first).flags & 2, 0);
  assert.is(extra(second).flags & 2, 2);
  assert.is(pieces(first).length, 1);
  assert.is(pieces(second).length, 0);
  const [twin] = files("twin");
  const [other] = files("other-twin");
  assert.is(extra(twin).inode_objref, extra(other).inode_objref, "two names of one inode");
  assert.is.not(extra(twin).inode_objref, extra(first).inode_objref);
});

test("a file that is still linked elsewhere comes back by that link", () => {
  const [part] = files("linked");
  const record = unlinked(part);
  assert.is(record.method, 1);
  assert.is(record.flags, 1 | 2, "removed once it is open; the path is that of the container");
  const names = (part?.records ?? []).filter((i) => image.kind(i) === R.FILE_NAME).map((i) => image.text(i));
  assert.equal(names, [`${DIRECTORY}/linked`, `${DIRECTORY}/link_remap.13`]);
});

test("fifo, directory, symbolic link and device keep their kind, owner and mode", () => {
  const kinds = ["fifo", "directory", "link", "device"].map((name) => unlinked(files(name)[0]).kind);
  assert.equal(kinds, [3, 2, 4, 5]);
  const [[, target] = [0, Buffer.alloc(0)]] = pieces(files("link")[0]);
  assert.is(target.toString(), "nowhere");
  assert.is(extra(files("device")[0]).rdev, ghost(9).head.rdev);
  const fifo = files("fifo")[0]?.records.map((i) => image.kind(i)?.name);
  assert.equal(fifo?.slice(0, 4), ["FILE", "FILE_NAME", "FILE_UNLINKED", "PIPE_BUF"]);
});

test("times of access and change are kept to the microsecond", () => {
  const { head } = ghost(2);
  const [part] = files("small");
  const { atime_sec: seconds, atime_nsec: ns, flags } = extra(part);
  assert.is(flags & 1, 1);
  assert.equal([seconds, BigInt(ns)], [head.atim?.tv_sec, (head.atim?.tv_usec ?? 0n) * 1000n]);
  const identity = part?.records.find((i) => image.kind(i) === R.FILE_IDENTITY) ?? 0;
  const { mtime_sec: changed, flags: stored } = image.value(identity, R.FILE_IDENTITY);
  assert.is(stored, 1 | 2 | 4 | 8);
  assert.is(changed, head.mtim?.tv_sec);
});

test("a working directory that was deleted is a FILE of its own", () => {
  const [{ cwd_objref: cwd, root_objref: root } = { cwd_objref: 0, root_objref: 0 }] = all(R.FS_EXTRA);
  assert.is(root, 0);
  assert.is(unlinked(objects.get(cwd)).kind, 2);
  assert.is(to.tasks[0]?.cwd?.path, from.tasks[0]?.cwd?.path);
});

test("the model has as many deleted files, each by its method and path", () => {
  const list = (checkpoint: typeof from): string[] =>
    checkpoint.deletedFiles.map(({ method, path }) => `${method} ${path}`).sort();
  assert.equal(list(to), list(from));
  assert.is(list(to).length, 14);
});

test.run();
