import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { DirectoryFileSet } from "../../../../src/io/file-set.js";
import type { CriuDocument } from "../../../../src/model/document.js";
import { openFileSet } from "../../../../src/open.js";
import { diffCheckpoints } from "../../../../src/ops/diff/diff.js";
import { type FieldPath, patchMessage } from "../../../../src/schema/patch.js";
import { memoryFiles } from "../../../helpers/build-set.js";
import { openSet } from "../../../helpers/open-set.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops/diff");

type Change = readonly [file: string, record: number, path: FieldPath, value: unknown];

/** A fixture with fields changed one after the other, and with whole files changed as bytes. */
function changed(
  fixture: string,
  changes: readonly Change[],
  bytes: Record<string, (old: Buffer) => Buffer> = {},
): CriuDocument {
  const files = new DirectoryFileSet(`fixtures/criu/${fixture}`);
  const contents = new Map<string, Buffer>();
  for (const name of files.names()) {
    const source = files.open(name);
    if (source !== undefined) contents.set(name, source.read(0, source.size));
  }
  for (const [file, index, path, value] of changes) {
    const old = contents.get(file) as Buffer;
    const record = openFileSet(memoryFiles(contents)).set.imageNamed(file)?.records()[index];
    if (record === undefined) throw new Error(`${file}[${index}] is not there`);
    const message = old.subarray(record.offset, record.offset + record.size);
    const patched = patchMessage(record.table, message, [{ path, value }]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(patched.length);
    contents.set(
      file,
      Buffer.concat([old.subarray(0, record.offset - 4), size, patched, old.subarray(record.end)]),
    );
  }
  for (const [name, change] of Object.entries(bytes))
    contents.set(name, change(contents.get(name) as Buffer));
  return openFileSet(memoryFiles(contents));
}

for (const fixture of ["logger", "locks", "deleted", "sockets", "threads", "tree"])
  test(`${fixture}: a set does not differ from itself`, () => {
    const [left, right] = [openSet(`fixtures/criu/${fixture}`), openSet(`fixtures/criu/${fixture}`)];
    assert.equal(diffCheckpoints(left, right), { differences: [], memory: [] });
  });

test("renumbered file ids are no difference", () => {
  const { set } = openSet("fixtures/criu/logger");
  const moveId = (id: number): number => id + 1000;
  const changes: Change[] = [];
  for (const { index, value } of set.records(IMAGES.FILES)) {
    changes.push(["files.img", index, ["id"], moveId(value.id)]);
    if (value.reg !== undefined) changes.push(["files.img", index, ["reg", "id"], moveId(value.reg.id)]);
  }
  const [task] = set.records(IMAGES.PSTREE);
  const pid = task?.value.pid as number;
  const ids = set.required(IMAGES.IDS, pid);
  for (const { index, value } of set.records(IMAGES.FDINFO, ids.files_id))
    changes.push([`fdinfo-${ids.files_id}.img`, index, ["id"], moveId(value.id)]);
  const mm = set.required(IMAGES.MM, pid);
  changes.push([`mm-${pid}.img`, 0, ["exe_file_id"], moveId(mm.exe_file_id)]);
  for (const [i, vma] of mm.vmas.entries())
    if ((vma.status & 0xc0) !== 0)
      changes.push([`mm-${pid}.img`, 0, ["vmas", i, "shmid"], vma.shmid + 1000n]);
  const fs = set.required(IMAGES.FS, pid);
  changes.push(
    [`fs-${pid}.img`, 0, ["cwd_id"], moveId(fs.cwd_id)],
    [`fs-${pid}.img`, 0, ["root_id"], moveId(fs.root_id)],
  );
  assert.ok(changes.length > 10);
  const moved = changed("logger", changes);
  assert.equal(diffCheckpoints(openSet("fixtures/criu/logger"), moved), { differences: [], memory: [] });
});

test("an offset, a name and a flag of one file are one modified thing", () => {
  const { set } = openSet("fixtures/criu/logger");
  const index = set.records(IMAGES.FILES).findIndex(({ value }) => value.reg?.name.endsWith("/log/messages"));
  const diff = diffCheckpoints(
    openSet("fixtures/criu/logger"),
    changed("logger", [["files.img", index, ["reg", "pos"], 0xffff_ffff_ffff_fff0n]]),
  );
  assert.is(diff.differences.length, 1);
  const [difference] = diff.differences;
  assert.is(difference?.section, "files");
  assert.is(difference?.status, "modified");
  assert.equal(
    difference?.changes.map(({ field, new: fresh }) => [field, fresh]),
    [["position", 0xffff_ffff_ffff_fff0n]],
  );
});

test("a lease that changed, and only the sections asked for", () => {
  const { set } = openSet("fixtures/criu/locks");
  const index = set.records(IMAGES.FILE_LOCKS).findIndex(({ value }) => value.flag === 8 && value.type === 6);
  const after = changed("locks", [["filelocks.img", index, ["type"], 0]]);
  const all = diffCheckpoints(openSet("fixtures/criu/locks"), after);
  assert.equal(
    all.differences.map(({ section, changes }) => [section, changes.map(({ field }) => field)]),
    [["locks", ["type", "breaking"]]],
  );
  assert.equal(diffCheckpoints(openSet("fixtures/criu/locks"), after, { only: ["fds"] }).differences, []);
});

test("one changed byte of memory is one changed page of its mapping", () => {
  const flip = (old: Buffer): Buffer => {
    const bytes = Buffer.from(old);
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
    return bytes;
  };
  const after = changed("logger", [], { "pages-1.img": flip });
  const diff = diffCheckpoints(openSet("fixtures/criu/logger"), after, { pages: true });
  assert.equal(diff.differences, []);
  assert.is(diff.memory.length, 1);
  const [memory] = diff.memory;
  assert.equal([memory?.added, memory?.removed, memory?.changed], [0, 0, 1]);
  const [range] = memory?.ranges ?? [];
  assert.is(BigInt(range?.end ?? 0) - BigInt(range?.start ?? 0), 4096n);
});

test("two programs that have nothing in common are compared, not refused", () => {
  const diff = diffCheckpoints(openSet("fixtures/criu/tree"), openSet("fixtures/criu/sockets"));
  const statuses = new Set(diff.differences.map(({ status }) => status));
  assert.equal([...statuses].sort(), ["added", "modified", "removed"]);
});

/** A field that no table knows, in every message between the core and the registers. */
for (const path of [
  ["thread_info", "gpregs"],
  ["thread_info", "fpregs"],
  ["thread_info", "fpregs", "xsave"],
  ["thread_info"],
  ["tc"],
])
  test(`an unknown field in ${path.join(".")} is no register, and compares`, () => {
    const plain = changed("logger", []);
    const core = plain.set.imageNamed("core-1000.img")?.records()[0]?.value;
    const message = path.reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], core);
    const unknown = [
      { number: 999, wireType: 0, data: Buffer.of(7) },
      { number: 1000, wireType: 2, data: Buffer.from("x") },
    ];
    const other = changed("logger", [
      ["core-1000.img", 0, path, { ...(message as object), _unknown: unknown }],
    ]);
    const stored = other.set.imageNamed("core-1000.img")?.records()[0]?.value;
    const kept = path.reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], stored);
    assert.equal((kept as { _unknown?: unknown })._unknown, unknown);
    assert.equal(diffCheckpoints(plain, other).differences, []);
  });

test("the differing bytes of changed pages, in runs, on request", () => {
  const at = [16, 17, 21, 100];
  const flip = (old: Buffer): Buffer => {
    const bytes = Buffer.from(old);
    for (const offset of at) bytes[offset] = (bytes[offset] as number) ^ 0xff;
    return bytes;
  };
  const [before, after] = [openSet("fixtures/criu/logger"), changed("logger", [], { "pages-1.img": flip })];
  const [memory, ...others] = diffCheckpoints(before, after, { only: ["memory"], bytes: true }).memory;
  assert.equal(others, []);
  assert.is(memory?.changed, 1);
  const page = (diffCheckpoints(before, after, { only: ["memory"], pages: true }).memory[0]?.ranges ?? [])[0];
  const start = BigInt(page?.start ?? 0);
  const bytes = memory?.bytes ?? [];
  assert.equal(
    bytes.map(({ address, old }) => [BigInt(address) - start, old.length / 2]),
    [
      [16n, 6],
      [100n, 1],
    ],
  );
  const [, last] = bytes;
  assert.is(Number.parseInt(last?.old ?? "", 16) ^ Number.parseInt(last?.new ?? "", 16), 0xff);
  assert.is(diffCheckpoints(before, after, { only: ["memory"] }).memory[0]?.bytes, undefined);
});

test.run();
