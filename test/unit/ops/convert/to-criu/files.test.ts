import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import type { ImageKind } from "../../../../../src/formats/criu/image-kind.js";
import { CriuImageSet } from "../../../../../src/formats/criu/image-set.js";
import { IMAGES } from "../../../../../src/formats/criu/images.js";
import { LinuxCrImage } from "../../../../../src/formats/linux-cr/image.js";
import type { RecordKind } from "../../../../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../../../../src/formats/linux-cr/revisions.js";
import { editSplices, type RecordEdit } from "../../../../../src/formats/linux-cr/write.js";
import { DirectoryFileSet } from "../../../../../src/io/file-set.js";
import { type ByteSource, MemorySource } from "../../../../../src/io/source.js";
import { SplicedSource } from "../../../../../src/io/splice.js";
import type { Document } from "../../../../../src/model/document.js";
import { Losses } from "../../../../../src/model/loss.js";
import { openFileSet } from "../../../../../src/open.js";
import { toCriu } from "../../../../../src/ops/convert/to-criu/to-criu.js";
import { toLinuxCr } from "../../../../../src/ops/convert/to-linux-cr/to-linux-cr.js";
import { diffCheckpoints } from "../../../../../src/ops/diff/diff.js";
import { memoryFiles } from "../../../../helpers/build-set.js";
import { richStream } from "../../../../helpers/rich-stream.js";
import { suite } from "../../../../helpers/suite.js";

const FIXTURES = fileURLToPath(new URL("../../../../../fixtures/criu/", import.meta.url));
const R = RECORDS;
const test = suite("linux-cr to CRIU: files");

const fixture = (name: string): Document => openFileSet(new DirectoryFileSet(join(FIXTURES, name)));

function streamOf(name: string): { stream: ByteSource; losses: Losses } {
  const losses = new Losses();
  const { set } = fixture(name) as { set: CriuImageSet };
  return { stream: toLinuxCr(set, losses), losses };
}

interface Converted {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly set: CriuImageSet;
  /** `object: what` of each loss. */
  readonly losses: readonly string[];
}

function convert(source: ByteSource): Converted {
  const losses = new Losses();
  const made = toCriu(new LinuxCrImage(source), losses);
  const files = new Map(made.map(({ name, content }) => [name, content.read(0, content.size)]));
  return {
    files,
    set: new CriuImageSet(memoryFiles(files)),
    losses: losses.list().map(({ object, what }) => `${object}: ${what}`),
  };
}

/** The stream of a fixture with some of its records changed. */
function edited(
  name: string,
  choose: (image: LinuxCrImage, index: number) => RecordEdit | undefined,
): ByteSource {
  const { stream } = streamOf(name);
  const image = new LinuxCrImage(stream);
  const edits = new Map<number, RecordEdit>();
  for (let i = 0; i < image.length; i++) {
    const edit = choose(image, i);
    if (edit !== undefined) edits.set(i, edit);
  }
  assert.ok(edits.size > 0);
  return new SplicedSource(stream, editSplices(image, edits));
}

/** The stream of a fixture without the records of a kind. */
function without(name: string, kind: RecordKind): ByteSource {
  const { stream } = streamOf(name);
  const image = new LinuxCrImage(stream);
  const kept: Buffer[] = [];
  for (let i = 0; i < image.length; i++) {
    const { offset, size } = image.range(i);
    if (image.kind(i) !== kind) kept.push(stream.read(offset, size));
  }
  return new MemorySource(Buffer.concat(kept), name);
}

/** Changes fields of all records of a kind. */
const all =
  (kind: RecordKind, fields: Readonly<Record<string, unknown>>) =>
  (image: LinuxCrImage, index: number): RecordEdit | undefined =>
    image.kind(index) === kind ? { fields } : undefined;

function values(set: CriuImageSet, kind: ImageKind): Readonly<Record<string, unknown>>[] {
  return set.records(kind).map(({ value }) => value as Readonly<Record<string, unknown>>);
}

for (const name of ["logger", "locks", "deleted", "sockets", "terminal", "tree", "threads"])
  test(`${name}: a set that was a stream says the same`, () => {
    const { stream, losses } = streamOf(name);
    assert.equal(losses.list(), []);
    const { files, losses: back } = convert(stream);
    assert.equal(back, []);
    const { differences, memory } = diffCheckpoints(fixture(name), openFileSet(memoryFiles(files)));
    assert.equal(differences, []);
    assert.equal(memory, []);
  });

/** Records of an image with the bytes that follow each. */
function withBytes(set: CriuImageSet, kind: ImageKind, id?: number): readonly unknown[] {
  const image = set.image(kind, id);
  return [...(image?.records() ?? [])].map(({ value, payload }) => [
    { ...value, id_for: undefined, scm: undefined },
    payload.map(({ offset, size }) => image?.source.read(offset, size).toString("latin1")),
  ]);
}

test("sockets of all families are field by field as they were, with what is queued and in flight", () => {
  const { set } = convert(streamOf("sockets").stream);
  const before = (fixture("sockets") as { set: CriuImageSet }).set;
  const sockets = (of: CriuImageSet) =>
    values(of, IMAGES.FILES)
      .flatMap(({ usk, isk, nlsk, psk }) => usk ?? isk ?? nlsk ?? psk ?? [])
      .map((socket) => ({ ...(socket as object), id: 0 }) as Readonly<Record<string, unknown>>)
      .sort((a, b) => Number(a.ino ?? 0) - Number(b.ino ?? 0))
      .map(({ ip_opts: ip, tcp_opts: tcp, ...rest }) => ({
        ...rest,
        // Messages without any field say as much as none.
        ...(Object.keys(ip ?? {}).length > 0 ? { ip } : {}),
        ...(Object.keys(tcp ?? {}).length > 0 ? { tcp } : {}),
      }));
  assert.equal(sockets(set), sockets(before));
  assert.equal(withBytes(set, IMAGES.SK_QUEUES), withBytes(before, IMAGES.SK_QUEUES));
  assert.equal(set.ids(IMAGES.TCP_STREAM), before.ids(IMAGES.TCP_STREAM));
  for (const id of before.ids(IMAGES.TCP_STREAM))
    assert.equal(withBytes(set, IMAGES.TCP_STREAM, id), withBytes(before, IMAGES.TCP_STREAM, id));
  const [flight] = values(set, IMAGES.SK_QUEUES).flatMap(({ scm }) => scm as { rights: number[] }[]);
  const passed = values(set, IMAGES.FILES).find(({ id }) => id === flight?.rights[0]);
  assert.match(String((passed?.reg as { name: string })?.name), /\/sockets\/passed$/);
});

test("a connection of a stream without our records comes back closed, and is told", () => {
  const { set, losses } = convert(without("sockets", R.TCP_EXTRA));
  assert.is(losses.length, 2);
  assert.match(losses[0] ?? "", /^task 1000 fd 21: its connection; it comes back as a closed socket$/);
  assert.equal(set.ids(IMAGES.TCP_STREAM), []);
});

test("the locks are the same, each once", () => {
  const { set } = convert(streamOf("locks").stream);
  assert.equal(
    values(set, IMAGES.FILE_LOCKS),
    values((fixture("locks") as { set: CriuImageSet }).set, IMAGES.FILE_LOCKS),
  );
});

test("a POSIX lock that a stream repeats under each descriptor of the file is one lock", () => {
  const { set } = convert(new MemorySource(richStream(NEWEST, { dialectRecords: true }), "rich.ckpt"));
  assert.equal(
    values(set, IMAGES.FILE_LOCKS).map(({ flag, type, fd, start, len }) => [flag, type, fd, start, len]),
    [
      [1, 1, 0, 0n, 10n],
      [8, 4, 0, 0n, 0n],
      [2, 0, 0, 0n, 0n],
    ],
  );
});

const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;

test("the time that a lease has left is lost, unless it is all of it", () => {
  assert.equal(convert(edited("locks", all(R.FILE_LOCK, { fl_rem_lease: 45 }))).losses, []);
  const { losses } = convert(edited("locks", all(R.FILE_LOCK, { fl_rem_lease: 7 })));
  assert.equal(losses, [
    "lease of task 1000 fd 10: that 7 s are left until it is taken away",
    "lease of task 1000 fd 11: that 7 s are left until it is taken away",
    "lease of task 1000 fd 12: that 7 s are left until it is taken away",
  ]);
});

test("locks of an unknown kind are lost; a file of an unknown kind is an error with its place", () => {
  const { losses } = convert(edited("locks", all(R.FILE_LOCK, { fl_flags: 512 })));
  assert.ok(losses.includes("task 1000 fd 4: a lock of kind 512 of type write"), losses.join("\n"));
  const unknown = edited("threads", (image, i) =>
    image.kind(i) === R.FILE && image.value(i, R.FILE).f_type === 7 ? { fields: { f_type: 77 } } : undefined,
  );
  assert.throws(() => convert(unknown), /is of the unknown kind 77; found FILE/);
});

test("deleted files: the contents once for all that have them open, links and copies by their name", () => {
  const { set } = convert(streamOf("deleted").stream);
  const original = (fixture("deleted") as { set: CriuImageSet }).set;
  assert.is(set.ids(IMAGES.GHOST_FILE).length, original.ids(IMAGES.GHOST_FILE).length);
  const kept = convert(edited("deleted", all(R.FILE_UNLINKED, { flags: 0 })));
  assert.is(kept.losses.length, 1);
  assert.match(kept.losses[0] ?? "", /linked\): .*link_remap\.13 stays after the restart/);
  const linked = (method: number) =>
    edited("deleted", (image, i) =>
      image.kind(i) === R.FILE_UNLINKED && image.value(i, R.FILE_UNLINKED).method === 1
        ? { fields: { method } }
        : undefined,
    );
  const copied = convert(linked(3));
  assert.equal(copied.losses, []);
  assert.equal(values(copied.set, IMAGES.REMAP_FPATH), values(set, IMAGES.REMAP_FPATH));
  assert.throws(() => convert(linked(9)), /comes back by the unknown method 9/);
});

test("owners of files are processes, groups and threads; a session is a loss", () => {
  const owners = (set: CriuImageSet) =>
    values(set, IMAGES.FILES).flatMap(({ usk }) => {
      const { fown } = (usk ?? {}) as { fown?: { pid: number; pid_type: number; signum: number } };
      return fown === undefined || fown.signum === 0 ? [] : [[fown.pid, fown.pid_type, fown.signum]];
    });
  assert.equal(owners(convert(streamOf("terminal").stream).set), [[1000, 1, 39]]);
  assert.equal(owners(convert(edited("terminal", all(R.FILE_OWNER, { pid_type: 1 }))).set), [[1000, 2, 39]]);
  assert.equal(owners(convert(edited("terminal", all(R.FILE_OWNER, { pid_type: 3 }))).set), [[1000, 0, 39]]);
  const session = convert(edited("terminal", all(R.FILE_OWNER, { pid_type: 2 })));
  assert.equal(owners(session.set), [[0, 0, 39]]);
  assert.match(session.losses.join(), /its signals go to session 1000/);
});

test("an eventfd that counts down one by one is told", () => {
  const { losses } = convert(
    edited("threads", (image, i) =>
      image.kind(i) === R.FILE && image.value(i, R.FILE).f_type === 7 ? { fields: { flags: 1 } } : undefined,
    ),
  );
  assert.match(losses.join(), /^task 1000 fd \d+: that each read takes 1 \(EFD_SEMAPHORE\)$/);
});

for (const commit of COMMITS.filter((each) => archNumbering(each).includes("X86_64")))
  test(`a stream of ${commit}, without any record of ours, becomes a set`, () => {
    const dialect = { commit, arch: ARCHITECTURES.X86_64 };
    const { set, losses } = convert(new MemorySource(richStream(dialect), "rich.ckpt"));
    const types = values(set, IMAGES.FILES).map(({ type }) => type as number);
    for (const type of [1, 2, 3, 5, 6, 7, 11]) assert.ok(types.includes(type), `type ${type} of ${types}`);
    assert.is(set.records(IMAGES.SK_QUEUES).length, 2);
    assert.ok(losses.length < 20, losses.join("\n"));
  });

test.run();
