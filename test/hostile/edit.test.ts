import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { IMAGES } from "../../src/formats/criu/images.js";
import type { CgroupDirEntry } from "../../src/formats/criu/tables/cgroup.js";
import { isCrimgError } from "../../src/io/errors.js";
import type { Document } from "../../src/model/document.js";
import { openDocument } from "../../src/open.js";
import { EDIT_LOG } from "../../src/ops/edit/log.js";
import type { Edit, Plan } from "../../src/ops/edit/plan.js";
import { planEdits } from "../../src/ops/edit/plan-edits.js";
import { SetBuilder } from "../helpers/build-set.js";
import { crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { edits, fixture, fixtureWith } from "../unit/ops/edit/planned.js";

const test = suite("edits of damaged and hostile sets", {}, 300);
test.after(cleanUp);

const EDITS = edits(
  "remap-path /var/lib/crimg-demo=/srv/demo-of-another-length",
  "remap-address 127.0.0.1=10.0.0.1",
  "cgroup /crimg-demo=/x",
  "hostname web",
  "comm 1000=x",
  "fd 1000:1=/out",
  "drop-fd 1000:2",
  "lock 1000:4=drop",
  "lease 1000:9=drop",
  "expiry all=+1s",
  "no-file-check *",
);

/** The plan, or undefined for an error that crimg tells; any other error fails the test. */
function planOf(open: () => Document, given: readonly Edit[]): Plan | undefined {
  let document: Document | undefined;
  try {
    document = open();
    return planEdits(document, given);
  } catch (error) {
    if (isCrimgError(error)) return undefined;
    throw error;
  } finally {
    document?.close();
  }
}

for (const set of ["logger", "locks", "sockets", "threads", "deleted", "container"]) {
  test(`${set}: images cut at any byte, or with any byte flipped, end in a plan or in a sentence`, () => {
    const names = fs
      .readdirSync(fixture(set))
      .filter((name) =>
        /^(files|fdinfo|core|filelocks|cgroup|mountpoints|utsns|remap|ghost|pstree|ids)/.test(name),
      );
    let plans = 0;
    for (const name of names) {
      const bytes = fs.readFileSync(path.join(fixture(set), name));
      const step = Math.max(1, Math.floor(bytes.length / 25));
      for (let at = 0; at < bytes.length; at += step) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] as number) ^ 0x81;
        for (const damaged of [bytes.subarray(0, at), flipped]) {
          const plan = planOf(() => fixtureWith(set, new Map([[name, damaged]])), EDITS);
          if (plan !== undefined) plans++;
        }
      }
    }
    assert.ok(plans > 0, "some damage leaves a set that can be edited");
  });
}

test("missing images end in a plan or in a sentence", () => {
  let plans = 0;
  for (const name of fs.readdirSync(fixture("locks"))) {
    const without = () => fixtureWith("locks", new Map([[name, null]]));
    if (planOf(without, EDITS) !== undefined) plans++;
    if (planOf(without, edits("comm 1000=x")) !== undefined) plans++;
  }
  assert.ok(plans > 0);
});

test("ids that dangle or loop do not", () => {
  const set = new SetBuilder()
    .image(IMAGES.INVENTORY, undefined, [{ img_version: 1, fdinfo_per_id: true }])
    .image(IMAGES.PSTREE, undefined, [
      { pid: 1, ppid: 2, pgid: 1, sid: 1, threads: [1] },
      { pid: 2, ppid: 1, pgid: 1, sid: 1, threads: [2] },
      { pid: 1, ppid: 1, pgid: 1, sid: 1, threads: [] },
    ])
    .image(IMAGES.IDS, 1, [{ vm_id: 1, files_id: 7, fs_id: 1, sighand_id: 1 }])
    .image(IMAGES.IDS, 2, [{ vm_id: 1, files_id: 7, fs_id: 1, sighand_id: 1 }])
    .image(IMAGES.FDINFO, 7, [
      { id: 99, flags: 0, type: 1, fd: 0 },
      { id: 5, flags: 0, type: 3, fd: 1 },
      { id: 5, flags: 0, type: 3, fd: 1 },
      { id: 6, flags: 0, type: 4242, fd: 2 },
    ])
    .image(IMAGES.FILES, undefined, [
      { type: 3, id: 5, fifo: { id: 5, pipe_id: 1, regf_id: 5 } },
      { type: 3, id: 5, fifo: { id: 5, pipe_id: 1, regf_id: 77 } },
      { type: 1, id: 6 },
    ])
    .image(IMAGES.REMAP_FPATH, undefined, [
      { orig_id: 5, remap_id: 5 },
      { orig_id: 1, remap_id: 2 ** 32 - 1 },
    ])
    .image(IMAGES.FILE_LOCKS, undefined, [{ flag: 8, type: 255, pid: -1, fd: -1, start: -1n, len: -1n }]);
  for (const each of edits(
    "drop-fd 1:0",
    "drop-fd 1:1",
    "drop-fd 2:2",
    "fd 1:1=/x",
    "fd 2:2=/x",
    "remap-path /=/x",
    "lease 1:1=settle",
  ))
    planOf(() => set.document(), [each]);
});

test("a cgroup tree of any depth that decodes is edited", () => {
  let dir: CgroupDirEntry = { dir_name: "leaf", children: [], properties: [] };
  for (let i = 0; i < 50; i++) dir = { dir_name: `d${i}`, children: [dir], properties: [] };
  const set = new SetBuilder()
    .image(IMAGES.INVENTORY, undefined, [{ img_version: 1 }])
    .image(IMAGES.CGROUP, undefined, [{ sets: [], controllers: [{ cnames: ["cpu"], dirs: [dir] }] }]);
  const plan = planEdits(set.document(), edits("cgroup /d49/d48=/elsewhere"));
  assert.ok(plan.changes.length > 0);
});

test("text from an image reaches the terminal with its controls made visible", async () => {
  const set = path.join(freshDirectory("hostile"), "set");
  fs.cpSync(fixture("logger"), set, { recursive: true });
  const evil = "/srv/\u001b[31m\u202e\n\r";
  assert.is((await crimg(["edit", set, "--set", `files.img[5].reg.name=${evil}`, "--in-place"])).code, 0);
  for (const args of [
    ["edit", set, "--remap-path", "/srv=/x", "--dry-run"],
    ["edit", set, "--remap-path", "/srv/no=/x", "--dry-run"],
    ["edit", set, "--fd", `1000:5=${evil}`, "--dry-run"],
    ["log", set],
    ["undo", set],
  ]) {
    const { stdout, stderr } = await crimg(args);
    for (const char of ["\u001b", "\u202e", "\r"])
      assert.not.ok((stdout + stderr).includes(char), args.join(" "));
  }
});

const LOGS: readonly [string, string][] = [
  ["no JSON", "x\n"],
  ["cut off", '{"crimg":"1"'],
  ["of another shape", '{"crimg":"1","time":"now","edits":[],"files":{},"changes":[]}\n'],
  ["null", "null\n"],
  ["with a list in place of an entry", "[]\n"],
  ["with a time that is none", entry({}).replace("2026-01-01T00:00:00.000Z", "\\u001b[2Jnow")],
  ["with a name that is no image's", entry({ name: "dump.log" })],
  ["with itself as a name", entry({ name: "crimg-edits.jsonl" })],
  ["with undo bytes that are no base64", entry({ undo: [[8, 1, "*A=="]] })],
  ["with a digest that is none", entry({ before: "0" })],
  ["with a chain that starts in the middle", entry({}).replace("null", `"${"1".repeat(64)}"`)],
  ["with a name of another directory", entry({ name: "../files.img" })],
  ["with splices beyond the end", entry({ undo: [[1e12, 5, "AAAA"]] })],
  [
    "with splices out of order",
    entry({
      undo: [
        [9, 1, "AA=="],
        [4, 1, "AA=="],
      ],
    }),
  ],
  ["with negative offsets", entry({ undo: [[-5, 1, "AA=="]] })],
  ["with hashes that are not true", entry({})],
];

/** A log of one entry whose hash of the present file is right, so that it goes as far as it can. */
function entry(file: object): string {
  return `${JSON.stringify({
    ...{ previous: null, crimg: "1", time: "2026-01-01T00:00:00.000Z", edits: ["x"], changes: [] },
    files: [{ name: "files.img", before: "0".repeat(64), after: "HASH", undo: [[8, 1, "AA=="]], ...file }],
  })}\n`;
}

for (const [what, text] of LOGS) {
  test(`a log ${what} is refused in one sentence, and nothing is touched`, async () => {
    const set = path.join(freshDirectory("hostile"), "set");
    fs.cpSync(fixture("logger"), set, { recursive: true });
    const files = path.join(set, "files.img");
    const before = fs.readFileSync(files);
    const hash = (await import("node:crypto")).createHash("sha256").update(before).digest("hex");
    fs.writeFileSync(path.join(set, EDIT_LOG), text.replace("HASH", hash));
    const { code, stderr } = await crimg(["undo", set]);
    assert.is(code, 2, stderr);
    assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
    assert.not.match(stderr, /internal error/);
    assert.ok(fs.readFileSync(files).equals(before));
    assert.equal(
      fs.readdirSync(set).filter((name) => name.startsWith(".crimg")),
      [],
    );
  });
}

test("links and directories in a set are not followed or copied", async () => {
  const home = freshDirectory("hostile");
  const set = path.join(home, "set");
  fs.cpSync(fixture("logger"), set, { recursive: true });
  fs.mkdirSync(path.join(set, "sub"));
  fs.symlinkSync("/etc/passwd", path.join(set, "core-9.img"));
  const out = path.join(home, "out");
  const { code, stdout, stderr } = await crimg(["edit", set, "--comm", "1000=x", "-o", out]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /not copied, not image files: sub/);
  assert.ok(fs.lstatSync(path.join(out, "core-9.img")).isSymbolicLink());
});

test("a set of the wrong kind of file is refused", async () => {
  const empty = freshDirectory("hostile");
  for (const image of [empty, "/etc/passwd", "/nonexistent"]) {
    const { code, stderr } = await crimg(["edit", image, "--comm", "1=x", "--dry-run"]);
    assert.is(code, 2);
    assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
  }
});

test("a document that is open can be planned twice: a plan changes nothing in it", () => {
  const document = openDocument(fixture("logger"));
  const first = planEdits(document, EDITS.slice(0, 1));
  const second = planEdits(document, EDITS.slice(0, 1));
  assert.equal(second.changes, first.changes);
  assert.ok(document.checkpoint.files.all.some(({ path: name }) => name?.startsWith("/var/lib/crimg-demo/")));
});

test.run();
