import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import type { LinuxCrDocument } from "../../../../../src/model/document.js";
import { openDocument } from "../../../../../src/open.js";
import { applyPlan } from "../../../../../src/ops/edit/apply.js";
import { writeNewFiles } from "../../../../../src/ops/edit/new-file.js";
import { planEdits } from "../../../../../src/ops/edit/plan-edits.js";
import { undoEdits } from "../../../../../src/ops/edit/undo.js";
import { assertBytes } from "../../../../helpers/bytes.js";
import { cleanUp, freshDirectory } from "../../../../helpers/live.js";
import { suite } from "../../../../helpers/suite.js";
import { plannedStream, streamBytes } from "./planned-stream.js";

const test = suite("--deleted");
test.after(cleanUp);

const DIR = "/var/lib/crimg-demo/deleted";

function root(): string {
  const directory = freshDirectory("deleted");
  fs.mkdirSync(path.join(directory, "tmp"));
  return directory;
}

for (const name of ["small", "twin", "sparse"])
  test(`${name}: out of the stream and in again gives the same bytes`, () => {
    const directory = root();
    const out = plannedStream("deleted", [`deleted ${DIR}/${name}=copy:/tmp/${name}`], { root: directory });
    assert.is(fs.existsSync(path.join(directory, "tmp", name)), false, "planning writes nothing");
    writeNewFiles(out.plan.newFiles);
    const { size, mode } = fs.statSync(path.join(directory, "tmp", name));
    const [file] = out.plan.newFiles;
    assert.equal([size, mode], [file?.size, file?.mode]);
    assert.ok(out.texts(RECORDS.FILE_NAME).includes(`/tmp/${name}`));
    assert.ok(out.after.length < streamBytes("deleted").length);
    const back = plannedStream(out.after, [`deleted ${DIR}/${name}=contents`], { root: directory });
    assertBytes(back.after, streamBytes("deleted"));
  });

test("a hole takes no room on disk", () => {
  const directory = root();
  const { plan } = plannedStream("deleted", [`deleted ${DIR}/sparse=copy:/tmp/sparse`], { root: directory });
  writeNewFiles(plan.newFiles);
  const { size, blocks } = fs.statSync(path.join(directory, "tmp/sparse"));
  assert.ok(blocks * 512 < size / 10);
});

test("all FILEs of one deleted file follow; only the last removes the substitute", () => {
  const { all } = plannedStream("deleted", [`deleted ${DIR}/twin=copy:/tmp/x`], { root: root() });
  const copies = all(RECORDS.FILE_UNLINKED).filter(({ method }) => method === 3);
  assert.equal(
    copies.map(({ nr_chunks, flags }) => [nr_chunks, flags & 1]),
    [
      [0, 0],
      [0, 1],
    ],
  );
});

test("no file that is there is written over, not even through a link; the very same one is taken", () => {
  const directory = root();
  const edit = [`deleted ${DIR}/small=copy:/tmp/small`];
  const { plan } = plannedStream("deleted", edit, { root: directory });
  writeNewFiles(plan.newFiles);
  writeNewFiles(plan.newFiles);
  plannedStream("deleted", edit, { root: directory });
  const file = path.join(directory, "tmp/small");
  fs.appendFileSync(file, "x");
  assert.throws(() => plannedStream("deleted", edit, { root: directory }), /never writes over one/);
  assert.throws(() => writeNewFiles(plan.newFiles), /never writes over one/);
  fs.rmSync(file);
  fs.symlinkSync("/etc/passwd", file);
  assert.throws(() => writeNewFiles(plan.newFiles), /never writes over one/);
  assert.equal(fs.readdirSync(path.join(directory, "tmp")), ["small"]);
});

test("a link in the place of the directory is not followed, whatever came between planning and writing", () => {
  const directory = root();
  const { plan } = plannedStream("deleted", [`deleted ${DIR}/small=copy:/tmp/small`], { root: directory });
  const elsewhere = freshDirectory("elsewhere");
  fs.renameSync(path.join(directory, "tmp"), path.join(directory, "aside"));
  fs.symlinkSync(elsewhere, path.join(directory, "tmp"));
  assert.throws(() => writeNewFiles(plan.newFiles), /replaced by a symbolic link meanwhile/);
  assert.equal(fs.readdirSync(elsewhere), []);
});

test("relink: the link must be there with the same bytes", () => {
  const directory = root();
  const edit = [`deleted ${DIR}/small=relink:/tmp/link`];
  assert.throws(() => plannedStream("deleted", edit, { root: directory }), /is not there under/);
  const copy = plannedStream("deleted", [`deleted ${DIR}/small=copy:/tmp/link`], { root: directory });
  writeNewFiles(copy.plan.newFiles);
  assert.throws(() => plannedStream("deleted", edit, { root: directory }), /not a link to the deleted file/);
});

test("a path that is given counts from the root of the container, and the record says so", () => {
  const { all } = plannedStream("deleted", [`deleted ${DIR}/fifo=relink:/tmp/fifo`], { root: root() });
  const fifo = all(RECORDS.FILE_UNLINKED).find(({ kind }) => kind === 3);
  assert.equal([fifo?.method, (fifo?.flags ?? 0) & 2], [1, 2]);
});

test("undo names the file that the edit wrote, and leaves it there", () => {
  const directory = root();
  const file = path.join(directory, "deleted.ckpt");
  fs.writeFileSync(file, streamBytes("deleted"));
  const document = openDocument(file) as LinuxCrDocument;
  const edits = [{ kind: "deleted", text: `${DIR}/small=copy:/tmp/small` }];
  const plan = planEdits(document, edits, { root: directory });
  applyPlan(document, plan, { to: "in place" }, { version: "test" });
  const copy = path.join(directory, "tmp/small");
  assert.ok(fs.existsSync(copy));
  const undone = undoEdits(openDocument(file) as LinuxCrDocument, 1, { to: "in place" });
  assert.equal([undone.left, fs.existsSync(copy)], [[copy], true]);
  assertBytes(fs.readFileSync(file), streamBytes("deleted"));
});

test("a link that is not there cannot be taken in; one of another size is refused", () => {
  const directory = root();
  const edit = [`deleted ${DIR}/linked=contents`];
  assert.throws(() => plannedStream("deleted", edit, { root: directory }), /is not there under/);
  fs.mkdirSync(path.join(directory, DIR), { recursive: true });
  const link = path.join(directory, DIR, "link_remap.13");
  fs.writeFileSync(link, "short");
  assert.throws(() => plannedStream("deleted", edit, { root: directory }), /it has 5 bytes, and .* had 200/);
  fs.writeFileSync(link, Buffer.alloc(200, "z"));
  const { all, checkpoint } = plannedStream("deleted", edit, { root: directory });
  assert.is(all(RECORDS.FILE_UNLINKED).filter(({ method }) => method !== 2).length, 0);
  assert.is(checkpoint.deletedFiles.find(({ path: name }) => name === `${DIR}/linked`)?.ghost?.stored, 200);
});

test("what is no regular file has no contents to move; a file with a name is none that was deleted", () => {
  for (const name of ["fifo", "directory", "link", "device"])
    assert.throws(
      () => plannedStream("deleted", [`deleted ${DIR}/${name}=copy:/tmp/x`], { root: root() }),
      /is not a regular file/,
    );
  const { plan } = plannedStream("deleted", [`deleted ${DIR}/log=contents`]);
  assert.match(plan.left[0]?.why as string, /not a deleted file/);
  assert.is(plan.unmatched.length, 1);
});

test("dropping the first of several FILEs of a deleted file leaves the contents to the next", () => {
  const before = plannedStream("deleted", ["comm 1000=x"]).checkpoint.deletedFiles;
  const small = before.filter(({ path: name }) => name === `${DIR}/small`);
  assert.is(small.length, 2);
  const after = plannedStream("deleted", ["drop-fd 1000:4"]).checkpoint.deletedFiles;
  assert.equal(
    after.filter(({ path: name }) => name === `${DIR}/small`).map(({ ghost }) => ghost?.stored),
    [100],
  );
});

test("a path with . or .., a relative one, and a missing word are usage errors", () => {
  for (const text of [
    "/a=copy:/tmp/../x",
    "/a=copy:x",
    "/a=relink",
    "a=contents",
    "/a=contents:/x",
    "/a=move:/b",
  ])
    assert.throws(() => plannedStream("deleted", [`deleted ${text}`]), /--deleted: /);
});

test.run();
