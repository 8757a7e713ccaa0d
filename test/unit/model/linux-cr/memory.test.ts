import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../../../src/formats/linux-cr/revisions.js";
import { type ByteSource, MemorySource } from "../../../../src/io/source.js";
import type { Memory } from "../../../../src/model/memory.js";
import { openStream } from "../../../../src/open.js";
import { refusal } from "../../../helpers/refusal.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";

const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;
const RICH = richStream(NEWEST);
const PAGE = 4096;
const test = suite("linux-cr: memory");

function memoryOf(source: ByteSource, pid = 1): Memory {
  const memory = openStream(source).checkpoint.task(pid)?.memory();
  assert.ok(memory);
  return memory;
}

for (const commit of COMMITS)
  for (const arch of archNumbering(commit))
    test(`pages are found by their address in an image of ${commit} on ${arch}`, () => {
      const memory = memoryOf(
        new MemorySource(richStream({ commit, arch: ARCHITECTURES[arch] }), "test.ckpt"),
        7,
      );
      assert.is(memory.pageSize, PAGE);
      // Private pages are filled with 1 and 2, the first page of the segment with 1, its second was never touched.
      assert.equal(memory.read(0x600ffcn, 8), Buffer.from([1, 1, 1, 1, 2, 2, 2, 2]));
      assert.equal(memory.read(0x700ffcn, 8), Buffer.from([1, 1, 1, 1, 0, 0, 0, 0]));
      assert.equal(memory.count(0x600000n, 0x702000n), { stored: 3, inParent: 0, lazy: 0 });
      assert.match(
        refusal(() => memory.read(0x400000n, 1)),
        /^MISSING .*contents of a mapped file/,
      );
      assert.match(
        refusal(() => memory.read(0x500000n, 1)),
        /^MISSING .*is not mapped/,
      );
      assert.match(
        refusal(() => memory.read(0x5ffffen, 4)),
        /^MISSING .*0x5ff000/,
      );
      assert.match(
        refusal(() => memory.read(0x7ffff000n, 1)),
        /^MISSING .*memory of the kernel/,
      );
    });

test("runs tell where the pages are, without a gap in what is mapped", () => {
  const memory = memoryOf(new MemorySource(RICH, "somewhere/test.ckpt"));
  assert.is(memory.directory, "somewhere");
  const runs = [...memory.runs()];
  assert.equal(
    runs.map(({ address, pages, where }) => [address, pages, where]),
    [
      [0x400000n, 2, "absent"],
      [0x600000n, 2, "file"],
      [0x700000n, 1, "file"],
      [0x701000n, 1, "zero"],
      [0x7ffff000n, 1, "absent"],
    ],
  );
  for (const run of runs)
    if (run.where === "file")
      assert.equal(
        RICH.subarray(run.offset, run.offset + run.pages * PAGE),
        memory.read(run.address, run.pages * PAGE),
      );
});

test("the index of pages reads no page", () => {
  const inner = new MemorySource(RICH, "test.ckpt");
  const reads: (readonly [offset: number, size: number])[] = [];
  const isPage = (at: number): boolean => pages.some(([start, end]) => at >= start && at < end);
  const source: ByteSource = {
    name: inner.name,
    size: inner.size,
    read: (offset, size) => {
      reads.push([offset, size]);
      return inner.read(offset, size);
    },
    close: () => {},
  };
  const pages = [...memoryOf(inner).runs()].flatMap((run) =>
    run.where === "file" ? [[run.offset, run.offset + run.pages * PAGE] as const] : [],
  );
  const { checkpoint } = openStream(source);
  // The walk of the records steps through the image in windows; what comes after must not.
  assert.ok(checkpoint.tasks.length > 0);
  reads.length = 0;
  const memory = checkpoint.task(1)?.memory();
  assert.is([...(memory?.runs() ?? [])].length, 5);
  assert.ok(reads.every(([offset, size]) => !isPage(offset) && !isPage(offset + size - 1)));
  memory?.read(0x600000n, 4);
  assert.equal(reads.at(-1)?.[1], 4);
});

test("a damaged list of pages is told with its record", () => {
  const keys = Buffer.alloc(16);
  keys.writeBigUInt64LE(0x600000n);
  keys.writeBigUInt64LE(0x601000n, 8);
  const at = RICH.indexOf(keys);
  const changed = (key: bigint): Memory => {
    const bytes = Buffer.from(RICH);
    bytes.writeBigUInt64LE(key, at + 8);
    return memoryOf(new MemorySource(bytes, "test.ckpt"));
  };
  assert.match(
    refusal(() => changed(0x600000n).read(0x600000n, 4)),
    /^INVALID .*saved twice/,
  );
  assert.match(
    refusal(() => changed(0x601001n).read(0x600000n, 4)),
    /^INVALID .*not where a page begins/,
  );
});

test("pages in another order are the same memory", () => {
  const swapped = Buffer.from(RICH);
  const keys = Buffer.alloc(16);
  keys.writeBigUInt64LE(0x600000n);
  keys.writeBigUInt64LE(0x601000n, 8);
  const at = swapped.indexOf(keys);
  swapped.writeBigUInt64LE(0x601000n, at);
  swapped.writeBigUInt64LE(0x600000n, at + 8);
  swapped.copyWithin(at + 16, at + 16 + PAGE, at + 16 + 2 * PAGE).fill(1, at + 16 + PAGE, at + 16 + 2 * PAGE);
  const memory = memoryOf(new MemorySource(swapped, "test.ckpt"));
  assert.equal(memory.read(0x600ffcn, 8), Buffer.from([1, 1, 1, 1, 2, 2, 2, 2]));
});

test("memory of a piped image is refused in one sentence, never read wrong", () => {
  const script = `import { openDocument } from "./src/open.ts";
    const { checkpoint } = openDocument("-");
    const memory = checkpoint.tasks[0].memory();
    const answers = [[...memory.runs()].length];
    try { answers.push(memory.read(0x600000n, 4).toString("hex")); }
    catch (error) { answers.push(error.code, error.message); }
    console.log(JSON.stringify(answers));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script],
    {
      cwd: fileURLToPath(new URL("../../../../", import.meta.url)),
      input: readFileSync(new URL("../../../../fixtures/linux-cr/minimal.ckpt", import.meta.url)),
      encoding: "utf8",
    },
  );
  assert.is(stderr, "");
  const [runs, code, message] = JSON.parse(stdout);
  assert.equal([runs, code], [7, "UNSUPPORTED"]);
  assert.match(message, /piped image is not kept/);
});

test.run();
