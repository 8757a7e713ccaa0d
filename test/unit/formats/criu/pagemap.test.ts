import fs from "node:fs";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { CriuImage } from "../../../../src/formats/criu/image.js";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { type Pagemap, PE, readPagemap } from "../../../../src/formats/criu/pagemap.js";
import { PAGEMAP_ENTRY, type PagemapEntry } from "../../../../src/formats/criu/tables/pagemap.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { FileSource, MemorySource } from "../../../../src/io/source.js";
import { decodeMessage } from "../../../../src/schema/decode.js";
import { SetBuilder } from "../../../helpers/build-set.js";
import { FIXTURE_NAMES } from "../../../helpers/images.js";
import { holds } from "../../../helpers/property.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("pagemap columns");

const HEAD = Buffer.from("1943565425400856020000000801", "hex");

/** A pagemap of raw messages behind a head with pages_id 1. */
function pagemapOf(messages: readonly Buffer[]): CriuImage {
  const parts = messages.flatMap((message) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(message.length);
    return [size, message];
  });
  return new CriuImage(new MemorySource(Buffer.concat([HEAD, ...parts]), "pagemap-1.img"), "pagemap-1.img");
}

const entry = (value: Partial<PagemapEntry>): PagemapEntry => ({
  vaddr: 0x1000n,
  compat_nr_pages: 0,
  compressed_size: [],
  ...value,
});

function built(entries: readonly PagemapEntry[]): Pagemap {
  const builder = new SetBuilder().image(IMAGES.PAGEMAP, 1, [{ pages_id: 7 }, ...entries]);
  return readPagemap(builder.set().image(IMAGES.PAGEMAP, 1) as CriuImage);
}

/** What the columns must be, by the message decoder. */
function expected(value: PagemapEntry): { vaddr: bigint; pages: number; flags: number } {
  const flags = value.in_parent ? ((value.flags ?? 0) | PE.PARENT) >>> 0 : (value.flags ?? PE.PRESENT);
  return { vaddr: value.vaddr, pages: Number(value.nr_pages ?? value.compat_nr_pages), flags };
}

test("every fixture's columns are what the message decoder reads", () => {
  let entries = 0;
  for (const name of FIXTURE_NAMES)
    for (const file of fs.readdirSync(`fixtures/criu/${name}`).filter((f) => f.startsWith("pagemap-"))) {
      const image = new CriuImage(new FileSource(`fixtures/criu/${name}/${file}`), file);
      const pagemap = readPagemap(image);
      const records = image.records().slice(1);
      assert.is(pagemap.length, records.length);
      for (const [i, { value, offset }] of records.entries()) {
        const { vaddr, pages, flags } = expected(value as PagemapEntry);
        assert.is(pagemap.vaddr[i], vaddr);
        assert.is(pagemap.pages[i], pages);
        assert.is(pagemap.flags[i], flags);
        assert.is(pagemap.recordOffset[i], offset);
        assert.is(pagemap.firstPage(i, 4096), Number(vaddr / 4096n));
      }
      entries += records.length;
      image.source.close();
    }
  assert.ok(entries > 50);
});

test("page counts of criu before and after 4.2, flags of criu before and after 3.5", () => {
  const pagemap = built([
    entry({ compat_nr_pages: 3 }),
    entry({ nr_pages: 5n, flags: 4 }),
    entry({ compat_nr_pages: 1, nr_pages: 0x1_0000_0001n, flags: 6 }),
    entry({ compat_nr_pages: 2, in_parent: true }),
    entry({ compat_nr_pages: 2, in_parent: false }),
    entry({ nr_pages: 2n, in_parent: true, flags: 2 }),
    entry({ nr_pages: 2n, flags: 0 }),
  ]);
  assert.is(pagemap.pagesId, 7);
  assert.equal([...pagemap.pages], [3, 5, 0x1_0000_0001, 2, 2, 2, 2]);
  assert.equal([...pagemap.flags], [4, 4, 6, 1, 4, 3, 0]);
});

test("both forms of compressed entries", () => {
  const pagemap = built([
    entry({ nr_pages: 2n, compressed_size: [0, 77], total_compressed_size: 77n }),
    entry({ nr_pages: 9n, compressed_size: [1, 2], total_compressed_size: 3n, region_pages: 8 }),
    entry({ nr_pages: 9n, flags: 12 }),
    entry({
      nr_pages: 9n,
      blocks: {
        block_sizes: [1, 300_000],
        total_payload_size: 303_104n,
        pages_per_block: 8,
        payload_padded: true,
      },
    }),
  ]);
  assert.equal([...pagemap.blocks.keys()], [0, 1, 3]);
  assert.equal(pagemap.blocks.get(0), {
    sizes: Uint32Array.of(0, 77),
    pagesPerBlock: 1,
    padded: false,
    total: 77n,
  });
  assert.is(pagemap.blocks.get(1)?.pagesPerBlock, 8);
  assert.equal(pagemap.blocks.get(3), {
    sizes: Uint32Array.of(1, 300_000),
    pagesPerBlock: 8,
    padded: true,
    total: 303_104n,
  });
});

/** Any fields in any order, some twice, some in more bytes than needed, some of wrong wire type, some unknown. */
const oddField = fc
  .tuple(
    fc.integer({ min: 1, max: 12 }),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.constantFrom(0, 2, 5),
    fc.boolean(),
  )
  .map(([number, value, wireType, isLong]) => {
    const tag = varint(BigInt((number << 3) | wireType), false);
    if (wireType === 0) return Buffer.concat([tag, varint(number === 5 ? value >> 13n : value, isLong)]);
    if (wireType === 5) return Buffer.concat([tag, Buffer.alloc(4, number)]);
    return Buffer.concat([tag, Buffer.from([2, 0x10, 0x05])]);
  });

function varint(value: bigint, isLong: boolean): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  } while (rest > 0n || (isLong && bytes.length < 9));
  bytes.push((bytes.pop() as number) & 0x7f);
  return Buffer.from(bytes);
}

test("whatever an entry holds, columns and message decoder agree", () => {
  holds(
    fc.property(fc.array(fc.array(oddField, { maxLength: 8 }), { maxLength: 4 }), (entries) => {
      const messages = entries.map((fields) => Buffer.concat(fields));
      let wanted: ReturnType<typeof expected>[] | undefined;
      try {
        wanted = messages.map((message) => expected(decodeMessage(PAGEMAP_ENTRY, message)));
      } catch (error) {
        assert.ok(isCrimgError(error));
      }
      try {
        const { length, vaddr, pages, flags } = readPagemap(pagemapOf(messages));
        assert.is(length, messages.length);
        assert.equal(
          messages.map((_, i) => ({ vaddr: vaddr[i], pages: pages[i], flags: flags[i] })),
          wanted,
        );
      } catch (error) {
        if (wanted !== undefined || !isCrimgError(error)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});

test("flags with bit 31, out of a varint above 32 bits, stay unsigned", () => {
  const { pages, flags } = readPagemap(
    pagemapOf([
      Buffer.from("0800 1000 1801 2080808080c8f1d1f204".replaceAll(" ", ""), "hex"),
      Buffer.from("0800 1081808080f0ff7f 1801 208480808098ff7f".replaceAll(" ", ""), "hex"),
    ]),
  );
  assert.equal([...flags], [0x8000_0001, 0x8000_0005]);
  assert.equal([...pages], [0, 1]);
});

test("a defect is named with record and offset", () => {
  const good = Buffer.from("0880201001", "hex");
  const failure = (image: CriuImage): string => {
    try {
      readPagemap(image);
    } catch (error) {
      assert.ok(isCrimgError(error));
      return (error as Error).message;
    }
    return "no failure";
  };
  assert.match(
    failure(pagemapOf([good, Buffer.from("1001", "hex")])),
    /missing required field vaddr .*\(in \[2\], at offset 0x1b\)/,
  );
  assert.match(
    failure(pagemapOf([good, Buffer.from("0880", "hex")])),
    /varint.*\(in \[2\]\.vaddr, at offset 0x1c\)/,
  );
  const cut = pagemapOf([good, good]).source.read(0, 25);
  const cutImage = new CriuImage(new MemorySource(cut, "pagemap-1.img"), "pagemap-1.img");
  assert.match(failure(cutImage), /truncated: .*\(in \[2\], at offset 0x17\)/);
  const claims = Buffer.concat([HEAD, Buffer.from("ffffffff00", "hex")]);
  assert.match(
    failure(new CriuImage(new MemorySource(claims, "p"), "p")),
    /found 1 bytes of a record \(expected 4294967295\)/,
  );
  const many = Buffer.concat([good, Buffer.from("28ffffffffffffffffff01", "hex")]);
  assert.match(failure(pagemapOf([many])), /invalid number of pages 18446744073709552000/);
});

test("262,144 entries are read in a fraction of a second, and ten times as many in ten times that", () => {
  const one = Buffer.from("16000000 08 80e0ffffff7f 1000 2004 2801".replaceAll(" ", ""), "hex");
  one.writeUInt32LE(one.length - 4);
  const read = (count: number): number => {
    const body = Buffer.alloc(one.length * count);
    for (let i = 0; i < count; i++) one.copy(body, i * one.length);
    const image = new CriuImage(new MemorySource(Buffer.concat([HEAD, body]), "p"), "p");
    const start = process.cpuUsage();
    assert.is(readPagemap(image).length, count);
    return process.cpuUsage(start).user / 1000;
  };
  const best = (count: number): number => Math.min(...[1, 2, 3].map(() => read(count)));
  const small = best(262_144);
  assert.ok(small < 500, `${small} ms`);
  assert.ok(best(2_621_440) < Math.max(small, 20) * 25);
});

test.run();
