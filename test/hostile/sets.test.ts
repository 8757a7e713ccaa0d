import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { kindOfFileName } from "../../src/formats/criu/detect.js";
import { CriuImage } from "../../src/formats/criu/image.js";
import { FILE_LOCK_ENTRY } from "../../src/formats/criu/tables/file-lock.js";
import { PAGEMAP_ENTRY, PAGEMAP_HEAD } from "../../src/formats/criu/tables/pagemap.js";
import { PSTREE_ENTRY } from "../../src/formats/criu/tables/pstree.js";
import { MemorySource } from "../../src/io/source.js";
import { salvage } from "../../src/model/salvaged.js";
import { openRestoreOptions, restoreOptions } from "../../src/ops/restore-options/restore-options.js";
import { type ValidateOptions, type Verdict, validate } from "../../src/ops/validate/validate.js";
import { encodeMessage } from "../../src/schema/encode.js";
import type { MessageTable, Value } from "../../src/schema/message.js";
import { crimg, preloading } from "../helpers/cli.js";
import { FIXTURE_NAMES } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { DamagedSet, FIXTURES, word } from "../unit/ops/validate/damaged-set.js";

const test = suite("hostile: whole sets", undefined, 240);
test.after(cleanUp);

const MIB = 1024 * 1024;
const MAX_PEAK = 256 * MIB;
const MAX_SECONDS = 5;
/** So many places of an image are damaged in turn. */
const PLACES = 8;
/** As many as a kernel has by default (kernel.pid_max). */
const TASKS = 32_000;
const PEAK = fileURLToPath(new URL("../helpers/peak.cjs", import.meta.url));
const ALL = { root: FIXTURES, criu: { path: "/usr/sbin/criu", version: "4.2", problem: undefined } };

/** Checks a damaged set by itself or in every way there is: it must end with a verdict, and soon. */
function survives(set: DamagedSet, what: string, options: ValidateOptions = {}): Verdict {
  const start = performance.now();
  const document = salvage(set.open());
  try {
    const verdict = validate(document, options);
    restoreOptions(document);
    openRestoreOptions(document);
    const seconds = (performance.now() - start) / 1000;
    assert.ok(seconds < MAX_SECONDS, `${what}: ${seconds} s`);
    return verdict;
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).stack}`, { cause: error });
  } finally {
    document.close();
  }
}

/** Images with records of a fixture. */
function imagesOf(fixture: string): string[] {
  return readdirSync(join(FIXTURES, fixture)).filter(
    (name) => kindOfFileName(name)?.kind.magic !== undefined,
  );
}

for (const fixture of FIXTURE_NAMES) {
  test(`${fixture}: each image cut off at many places is told`, () => {
    for (const image of imagesOf(fixture)) {
      const bytes = new DamagedSet(fixture).read(image);
      const records = new CriuImage(new MemorySource(bytes, image), image).records();
      const ends = new Set(records.flatMap(({ offset, end }) => [offset - 4, end]));
      for (let size = 0; size < bytes.length; size += 1 + Math.floor(bytes.length / PLACES)) {
        const { findings } = survives(
          new DamagedSet(fixture).put(image, bytes.subarray(0, size)),
          `${image} at ${size}`,
        );
        const told = findings.some(({ at, severity }) => at.image === image && severity === "error");
        assert.ok(
          told || ends.has(size) || (size >= 8 && records.length === 0),
          `${image} at ${size}: nothing was told`,
        );
      }
    }
  });

  test(`${fixture}: flipped bits`, () => {
    for (const image of imagesOf(fixture)) {
      const bytes = new DamagedSet(fixture).read(image);
      for (let at = 0; at < bytes.length; at += 1 + Math.floor(bytes.length / PLACES))
        for (const flip of [0x01, 0x80, 0xff]) {
          const damaged = Buffer.from(bytes);
          damaged[at] = (damaged[at] as number) ^ flip;
          survives(new DamagedSet(fixture).put(image, damaged), `${image}: byte ${at} ^ ${flip}`);
        }
    }
  });

  test(`${fixture}: each image empty, gone, or another's`, () => {
    const images = imagesOf(fixture);
    for (const [i, image] of images.entries()) {
      const other = images[(i + 1) % images.length] as string;
      survives(new DamagedSet(fixture).put(image, Buffer.alloc(0)), `${image} empty`, ALL);
      survives(
        new DamagedSet(fixture).put(image, new DamagedSet(fixture).read(other)),
        `${image} is ${other}`,
      );
      if (image !== "inventory.img") survives(new DamagedSet(fixture).remove(image), `${image} gone`, ALL);
    }
  });
}

test("4 GiB lengths and counts are not believed", () => {
  for (const [image, index, field, value] of [
    ["pagemap-1000.img", 1, "nr_pages", 1n << 63n],
    ["pagemap-1000.img", 1, "nr_pages", 0xffff_ffffn],
    ["pagemap-1000.img", 1, "vaddr", 0xffff_ffff_ffff_f000n],
    ["pagemap-1000.img", 0, "pages_id", 0xffff_ffff],
    ["mm-1000.img", 0, "vmas[0].end", 0xffff_ffff_ffff_ffffn],
    ["fdinfo-2.img", 3, "fd", 0xffff_ffff],
    ["files.img", 3, "reg.pos", 0xffff_ffff_ffff_fffen],
    ["pstree.img", 0, "threads", Array.from({ length: 50_000 }, (_, i) => i)],
  ] as const)
    assert.not.ok(
      survives(new DamagedSet("logger").set(`${image}[${index}].${field}`, value), field, ALL).valid,
      field,
    );
  const huge = Buffer.concat([
    new DamagedSet("logger").read("fs-1000.img").subarray(0, 8),
    word(0xffff_ffff),
    Buffer.alloc(8),
  ]);
  assert.not.ok(survives(new DamagedSet("logger").put("fs-1000.img", huge), "length").valid);
  assert.not.ok(
    survives(
      new DamagedSet("tree").set("pipes-data.img[0].bytes", 1280).set("pipes-data.img[0].size", 1),
      "pipe",
    ).valid,
  );
});

test("cycles end: tasks, mounts, seccomp filters, parent links", () => {
  const tree = new DamagedSet("tree").set("pstree.img[0].ppid", 1013);
  assert.ok(survives(tree, "tree").findings.some(({ id }) => id === "TREE_CYCLE"));
  const mounts = new DamagedSet("container").set("mountpoints-13.img[4].parent_mnt_id", 71);
  assert.ok(survives(mounts, "mounts").findings.some(({ id }) => id === "MOUNT_CYCLE"));
  survives(new DamagedSet("threads").set("seccomp.img[0].seccomp_filters[0].prev", 0), "seccomp");
});

/** The fixture on disk. */
function copyOf(fixture: string): string {
  const directory = join(freshDirectory("hostile"), fixture);
  cpSync(join(FIXTURES, fixture), directory, { recursive: true });
  return directory;
}

/** What the files of a directory hold. */
function hashOf(directory: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(directory).sort()) {
    const file = join(directory, name);
    if (statSync(file).isFile() && statSync(file).size < 64 * MIB)
      hash.update(name).update(readFileSync(file));
  }
  return hash.digest("hex");
}

/** Runs the program over a set: an answer without a stack trace, in bounded time and memory, the set untouched. */
async function runs(
  set: string,
  args: readonly string[] = [],
): Promise<{ code: number | null; stdout: string }> {
  const before = hashOf(set);
  const peak = join(freshDirectory("peak"), "bytes");
  const { code, stdout, stderr } = await crimg(["validate", set, ...args], {
    env: { NODE_OPTIONS: preloading(PEAK), CRIMG_TEST_PEAK: peak },
  });
  assert.ok(code === 0 || code === 1 || code === 2, `exit ${code}: ${stderr}`);
  assert.not.match(stdout + stderr, /internal error|\n {4}at /);
  assert.not.ok((stdout + stderr).includes("\u001b"));
  assert.ok(stderr === "" || /^error: [^\n]{1,2000}\n$/.test(stderr), stderr);
  // Of the processor: time on the wall says little on a busy machine.
  const { bytes: used, cpuSeconds } = JSON.parse(readFileSync(peak, "utf8"));
  assert.ok(cpuSeconds < MAX_SECONDS, `${cpuSeconds} s`);
  assert.ok(used < MAX_PEAK, `${Math.round(used / MIB)} MiB`);
  assert.is(hashOf(set), before);
  return { code, stdout };
}

function framed<M extends MessageTable>(table: M, value: Value<M>): Buffer {
  const message = encodeMessage(table, value);
  return Buffer.concat([word(message.length), message]);
}

/** An image of so many records behind the header of a fixture's. */
function writeMany(
  set: string,
  image: string,
  head: Buffer,
  count: number,
  record: (i: number) => Buffer,
): void {
  const file = join(set, image);
  writeFileSync(file, Buffer.concat([head, ...Array.from({ length: count }, (_, i) => record(i))]));
}

test("a chain of 32,000 tasks without images", async () => {
  const set = copyOf("logger");
  const head = new DamagedSet("logger").read("pstree.img").subarray(0, 8);
  writeMany(set, "pstree.img", head, TASKS, (i) =>
    framed(PSTREE_ENTRY, { pid: i + 1, ppid: i, pgid: 1, sid: 1, threads: [i + 1] }),
  );
  const { code, stdout } = await runs(set);
  assert.is(code, 1);
  assert.match(stdout, /invalid: \S+: \d+ errors/);
});

test("a ring of 32,000 tasks", async () => {
  const set = copyOf("logger");
  const head = new DamagedSet("logger").read("pstree.img").subarray(0, 8);
  writeMany(set, "pstree.img", head, TASKS, (i) =>
    framed(PSTREE_ENTRY, { pid: i + 1, ppid: ((i + 1) % TASKS) + 1, pgid: 1, sid: 1, threads: [i + 1] }),
  );
  const { code, stdout } = await runs(set);
  assert.is(code, 1);
  assert.match(stdout, /error TREE_CYCLE/);
});

test("300,000 pagemap entries that all overlap", async () => {
  const set = copyOf("logger");
  const head = Buffer.concat([
    new DamagedSet("logger").read("pagemap-1000.img").subarray(0, 8),
    framed(PAGEMAP_HEAD, { pages_id: 1 }),
  ]);
  const entry = framed(PAGEMAP_ENTRY, { vaddr: 0x1000n, compat_nr_pages: 3, flags: 4, compressed_size: [] });
  writeMany(set, "pagemap-1000.img", head, 300_000, () => entry);
  const { code, stdout } = await runs(set);
  assert.is(code, 1);
  assert.match(stdout, /and 299\d\d\d more/);
});

test("100,000 locks of a task that is not there, all in conflict", async () => {
  const set = copyOf("locks");
  const head = new DamagedSet("locks").read("filelocks.img").subarray(0, 8);
  writeMany(set, "filelocks.img", head, 100_000, (i) =>
    framed(FILE_LOCK_ENTRY, { flag: 1, type: 1, pid: i % 2 === 0 ? 1000 : 1001, fd: 4, start: 0n, len: 0n }),
  );
  assert.is((await runs(set)).code, 1);
});

test("an image of 64 MiB of zeros", async () => {
  const set = copyOf("logger");
  for (const image of ["files.img", "pstree.img", "fdinfo-2.img"]) {
    writeFileSync(join(set, image), new DamagedSet("logger").read(image).subarray(0, 8));
    truncateSync(join(set, image), 64 * MIB);
  }
  assert.is((await runs(set)).code, 1);
});

test("a pages file of 8 GiB", async () => {
  const set = copyOf("logger");
  truncateSync(join(set, "pages-1.img"), 8 * 1024 * MIB);
  const { code, stdout } = await runs(set);
  assert.equal([code, /PAGES_SIZE/.test(stdout)], [0, true]);
});

test("a parent link that leads to the set itself", async () => {
  const set = copyOf("logger");
  symlinkSync(".", join(set, "parent"));
  writeFileSync(
    join(set, "pagemap-1000.img"),
    new DamagedSet("logger").set("pagemap-1000.img[1].flags", 1).read("pagemap-1000.img"),
  );
  const { code, stdout } = await runs(set);
  assert.equal([code, /PARENT_MISSING/.test(stdout)], [1, true]);
});

test("directories and fifos in the place of images", async () => {
  const set = copyOf("logger");
  for (const image of ["fs-1000.img", "mm-1000.img"]) rmSync(join(set, image));
  mkdirSync(join(set, "fs-1000.img"));
  spawnSync("mkfifo", [join(set, "mm-1000.img")]);
  assert.is((await runs(set)).code, 1);
});

test("terminal escapes, newlines and odd bytes in names are shown, not sent", async () => {
  const set = copyOf("logger");
  const name = "/srv/\u001b[2J\u001b]0;x\u0007\n\u202e\udcff";
  const changed = new DamagedSet("logger")
    .set("files.img[3].reg.name", name)
    .set("core-1000.img[0].thread_core.comm", `\u001b[31m${"x".repeat(20)}`);
  for (const image of ["files.img", "core-1000.img"]) writeFileSync(join(set, image), changed.read(image));
  const { code, stdout } = await runs(set, ["--root", "/"]);
  assert.is(code, 1);
  assert.match(stdout, "\\x1b[2J");
  assert.not.match(stdout, "\u202e");
});

test("a directory that is no set, and one whose files are garbage", async () => {
  const empty = freshDirectory("none");
  assert.is((await runs(empty)).code, 2);
  writeFileSync(join(empty, "pstree.img"), "garbage");
  const { code, stdout } = await runs(empty);
  assert.equal([code, /IMAGE_MAGIC/.test(stdout)], [1, true]);
});

test.run();
