import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { CriuImageSet } from "../../../../src/formats/criu/image-set.js";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { PE } from "../../../../src/formats/criu/pagemap.js";
import { AddressSpace } from "../../../../src/formats/criu/pages.js";
import { PAGEMAP_ENTRY, type PagemapEntry } from "../../../../src/formats/criu/tables/pagemap.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { DirectoryFileSet } from "../../../../src/io/file-set.js";
import { decodeMessage } from "../../../../src/schema/decode.js";
import { encodeMessage } from "../../../../src/schema/encode.js";
import { patchMessage } from "../../../../src/schema/patch.js";
import { assertBytes } from "../../../helpers/bytes.js";
import { lz4Blocks } from "../../../helpers/lz4.js";
import { BASE, chain, filled, MemorySetBuilder, PAGE, PID } from "../../../helpers/memory-set.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("compressed pages");

/** How criu-dev has stored compressed pages: fields of the entry itself at first, a message of their own later. */
interface Form {
  readonly nested: boolean;
  readonly pagesPerBlock: number;
  readonly padded: boolean;
}

const FORMS: readonly Form[] = [
  { nested: false, pagesPerBlock: 1, padded: false },
  { nested: false, pagesPerBlock: 4, padded: false },
  { nested: true, pagesPerBlock: 1, padded: false },
  { nested: true, pagesPerBlock: 16, padded: false },
  { nested: true, pagesPerBlock: 4, padded: true },
];

const toPage = (size: number): number => Math.ceil(size / PAGE) * PAGE;

/** What an entry with these contents becomes, and its bytes in a pages file that has `offset` bytes already. */
function compress(plain: PagemapEntry, contents: Buffer, offset: number, form: Form) {
  const size = form.pagesPerBlock * PAGE;
  const blocks = lz4Blocks(contents, size).map(({ bytes }, i) => {
    const full = contents.subarray(i * size, (i + 1) * size);
    return full.every((byte) => byte === 0) ? Buffer.alloc(0) : bytes;
  });
  const isRaw = blocks.every((bytes, i) => bytes.length === Math.min(size, contents.length - i * size));
  const isAligned = form.padded || isRaw;
  const parts: Buffer[] = isAligned ? [Buffer.alloc(toPage(offset) - offset)] : [];
  for (const block of blocks)
    parts.push(block, Buffer.alloc(form.padded ? toPage(block.length) - block.length : 0));
  const entry = { ...plain, flags: isAligned ? PE.PRESENT | PE.PAYLOAD_ALIGNED : PE.PRESENT };
  const sizes = blocks.map(({ length }) => length);
  const total = BigInt(sizes.reduce((sum, length) => sum + (form.padded ? toPage(length) : length), 0));
  const payload = Buffer.concat(parts);
  if (isRaw) return { entry, payload };
  if (!form.nested) {
    const region = form.pagesPerBlock === 1 ? {} : { region_pages: form.pagesPerBlock };
    return { entry: { ...entry, compressed_size: sizes, total_compressed_size: total, ...region }, payload };
  }
  const padding = form.padded ? { payload_padded: true } : {};
  const fields = { block_sizes: sizes, total_payload_size: total, pages_per_block: form.pagesPerBlock };
  return { entry: { ...entry, blocks: { ...fields, ...padding } }, payload };
}

/** A set with the given runs of memory, compressed. */
function compressedSet(runs: readonly { readonly at: number; readonly contents: Buffer }[], form: Form) {
  const builder = new MemorySetBuilder([], Buffer.alloc(0), 4096);
  let pages: Buffer = Buffer.alloc(0);
  const entries = runs.map(({ at, contents }) => {
    const plain = {
      vaddr: BASE + BigInt(at * PAGE),
      compat_nr_pages: 0,
      nr_pages: BigInt(contents.length / PAGE),
      compressed_size: [],
    };
    const { entry, payload } = compress(plain, contents, pages.length, form);
    pages = Buffer.concat([pages, payload]);
    return entry;
  });
  builder.image(IMAGES.PAGEMAP, PID, [{ pages_id: 1 }, ...entries]);
  builder.files.set("pages-1.img", pages);
  return builder.inventory(3, form.pagesPerBlock === 1 ? 1 : 2);
}

/** Real memory: the private pages of a dumped task, in its own runs, with zeros and noise between. */
function realRuns(): { readonly at: number; readonly contents: Buffer }[] {
  const set = new CriuImageSet(new DirectoryFileSet("fixtures/criu/threads"));
  const space = AddressSpace.of(set, 1000) as AddressSpace;
  const runs: { at: number; contents: Buffer }[] = [];
  let at = 1;
  for (const run of space.runs()) {
    if (run.where !== "file") continue;
    runs.push({ at, contents: space.read(run.address, run.pages * PAGE) });
    at += run.pages + 2;
  }
  set.close();
  const noise = Buffer.concat(
    Array.from({ length: (5 * PAGE) / 32 }, (_, i) => createHash("sha256").update(`${i}`).digest()),
  );
  runs.push({ at, contents: Buffer.concat([noise, Buffer.alloc(6 * PAGE), filled(0x5a), noise]) });
  runs.push({ at: at + 40, contents: noise });
  runs.push({ at: at + 50, contents: Buffer.alloc(2 * PAGE) });
  return runs;
}

test("real memory reads the same however it is compressed", () => {
  const runs = realRuns();
  for (const form of FORMS) {
    const builder = compressedSet(runs, form);
    const space = AddressSpace.of(chain(builder), PID) as AddressSpace;
    for (const { at, contents } of runs) {
      const address = BASE + BigInt(at * PAGE);
      assertBytes(space.read(address, contents.length), contents);
      for (let page = contents.length / PAGE - 1; page >= 0; page -= 3) {
        const part = contents.subarray(page * PAGE + 100, page * PAGE + 300);
        assertBytes(space.read(address + BigInt(page * PAGE + 100), 200), part);
      }
    }
    const wheres = new Set([...space.runs()].map(({ where }) => where));
    assert.ok(["file", "compressed", "zero"].every((where) => wheres.has(where as "file")));
    assert.ok(
      (builder.files.get("pages-1.img") as Buffer).length < runs.reduce((n, r) => n + r.contents.length, 0),
    );
  }
});

test("a place inside a block says which block", () => {
  const contents = Buffer.concat([filled(0x41), filled(0x42), filled(0x43)]);
  const form = { nested: true, pagesPerBlock: 2, padded: false };
  const builder = compressedSet([{ at: 0, contents }], form);
  const space = AddressSpace.of(chain(builder), PID) as AddressSpace;
  const first = space.locate(BASE + BigInt(PAGE));
  const last = space.locate(BASE + BigInt(2 * PAGE));
  if (first.where !== "compressed" || last.where !== "compressed")
    throw new Error(`${first.where} ${last.where}`);
  assert.is(first.offset, 0);
  assert.is(last.offset, first.size);
  assert.is(first.size + last.size, builder.files.get("pages-1.img")?.length);
});

test("each set of a chain is read by its own inventory", () => {
  const contents = Buffer.concat([filled(0x41), filled(0x42)]);
  const parent = compressedSet([{ at: 0, contents }], { nested: true, pagesPerBlock: 2, padded: false });
  const own = new MemorySetBuilder([{ at: 0, pages: 2, flags: 1 }], Buffer.alloc(0)).inventory(3);
  const space = AddressSpace.of(chain(own, parent), PID) as AddressSpace;
  assertBytes(space.read(BASE, 2 * PAGE), contents);
});

/** Sets of one entry of two pages whose fields contradict each other. */
function fails(
  entry: Partial<PagemapEntry>,
  text: RegExp,
  pages = filled(1),
  version = 3,
  compress = 1,
): void {
  const builder = new MemorySetBuilder([{ at: 0, pages: 2, ...entry }], pages).inventory(version, compress);
  try {
    (AddressSpace.of(chain(builder), PID) as AddressSpace).read(BASE, 2 * PAGE);
  } catch (error) {
    assert.ok(isCrimgError(error), String(error));
    assert.match(error.message, text);
    return;
  }
  assert.unreachable(`no failure like ${text}`);
}

test("the two fields with number 6 keep apart, block sizes are packed", () => {
  const plain = { vaddr: 0n, compat_nr_pages: 0, compressed_size: [] };
  const nested = {
    ...plain,
    blocks: { block_sizes: [5, 300], total_payload_size: 305n, pages_per_block: 1 },
  };
  const flat = { ...plain, compressed_size: [5, 300] };
  const nestedBytes = encodeMessage(PAGEMAP_ENTRY, nested);
  assert.is(nestedBytes.toString("hex"), "08001000320a0a0305ac0210b1021801");
  assert.is(encodeMessage(PAGEMAP_ENTRY, flat).toString("hex"), "08001000300530ac02");
  for (const value of [nested, flat])
    assert.equal(decodeMessage(PAGEMAP_ENTRY, encodeMessage(PAGEMAP_ENTRY, value)), value);
  const changes = [{ path: ["compressed_size"], value: [7] }];
  const both = decodeMessage(PAGEMAP_ENTRY, patchMessage(PAGEMAP_ENTRY, nestedBytes, changes));
  assert.equal(both, { ...nested, compressed_size: [7] });
});

test("contradictions in the fields of compressed pages", () => {
  const blocks = (block_sizes: number[], total: number, pages_per_block = 1) => ({
    blocks: { block_sizes, total_payload_size: BigInt(total), pages_per_block },
  });
  fails(blocks([PAGE], PAGE), /1 blocks of 1 pages for 2 pages \(in \[1\]/);
  fails(blocks([10, 20, 30], 60), /3 blocks of 1 pages for 2 pages/);
  fails(blocks([PAGE + 1, 0], PAGE + 1), /size of block 0: 4097 bytes \(expected at most 4096/);
  fails(blocks([10, 20], 31), /size of all blocks: 30 bytes \(expected 31/);
  fails(blocks([10], 10, 0), /pages per block 0 \(expected 1 to 1024/);
  fails(blocks([10], 10, 1025), /pages per block 1025 \(expected 1 to 1024/);
  fails(blocks([], 0), /0 blocks of 1 pages for 2 pages/);
  fails({ total_compressed_size: 5n }, /0 blocks of 1 pages for 2 pages/);
  fails(
    { nr_pages: 2n ** 50n, ...blocks([1], 1, 1024) },
    /1 blocks of 1024 pages for 1125899906842624 pages/,
  );
  fails(
    blocks([3000, 3000], 6000),
    /truncated: found \d+ bytes \(expected at least 6000 for the pages at 0x10001000/,
  );
  fails(blocks([100, 0], 100), /pages-1.img: invalid LZ4 block of 4096 bytes/);
  fails({ flags: 8 }, /contradictory flags 0x8 /);
});

test("compressed entries are believed only where the inventory has them", () => {
  const entry = { compressed_size: [100, 0], total_compressed_size: 100n };
  fails(entry, /without compression in its inventory/, filled(1), 2, 0);
  fails({ flags: 12 }, /without compression in its inventory/, filled(1), 2, 0);
  fails(entry, /invalid image version 2 for compressed pages/, filled(1), 2, 1);
  fails({}, /unsupported image version 4 \(expected 1 to 3\)/, filled(1), 4, 0);
  fails({}, /image version 0/, filled(1), 0, 0);
  fails({}, /unsupported page compression 3/, filled(1), 3, 3);
});

test("a block of four megabytes from a few kilobytes is decoded, and only when asked for", () => {
  const contents = Buffer.alloc(1024 * PAGE, 0x20);
  const form = { nested: true, pagesPerBlock: 1024, padded: false };
  const builder = compressedSet([{ at: 0, contents }], form);
  assert.ok((builder.files.get("pages-1.img") as Buffer).length < 20_000);
  const space = AddressSpace.of(chain(builder), PID) as AddressSpace;
  assertBytes(space.read(BASE + BigInt(700 * PAGE), PAGE), filled(0x20));
});

test.run();
