import * as assert from "uvu/assert";
import type { CriuImageSet } from "../../../../src/formats/criu/image-set.js";
import { AddressSpace, pagemapsOf } from "../../../../src/formats/criu/pages.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { criuStoredMemory } from "../../../../src/model/criu/stored-memory.js";
import {
  BASE,
  chain,
  filled,
  MemorySetBuilder,
  PAGE,
  PID,
  type RunSpec,
} from "../../../helpers/memory-set.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("damaged and hostile pagemaps", {}, 10);

const spaceOf = (set: CriuImageSet): AddressSpace => AddressSpace.of(set, PID) as AddressSpace;
const of = (runs: readonly RunSpec[], pages = filled(1)): CriuImageSet =>
  chain(new MemorySetBuilder(runs, pages));

/** Everything a caller can do with the memory ends in the same error, and soon. */
function fails(set: CriuImageSet, code: string, text: RegExp): void {
  const attempts = [
    () => spaceOf(set).read(BASE, 2 * PAGE),
    () => [...spaceOf(set).runs()],
    () => [...criuStoredMemory(set)].map(({ pages }) => [...pages().pieces()]),
  ];
  for (const attempt of attempts) {
    try {
      attempt();
    } catch (error) {
      assert.ok(isCrimgError(error), String(error));
      assert.is(error.code, code);
      assert.match(error.message, text);
      continue;
    }
    assert.unreachable(`no failure like ${text}`);
  }
}

test("entries that overlap or are out of order", () => {
  fails(
    of([
      { at: 0, pages: 2 },
      { at: 1, pages: 1 },
    ]),
    "INVALID",
    /0x10001000 overlap .*\(in \[2\], at offset 0x/,
  );
  fails(
    of([
      { at: 5, pages: 1 },
      { at: 1, pages: 1 },
    ]),
    "INVALID",
    /0x10001000 overlap .* out of order/,
  );
});

test("addresses inside pages and behind the last one", () => {
  fails(
    of([{ at: 0, pages: 1, vaddr: BASE + 1n }]),
    "INVALID",
    /address 0x10000001 \(expected a multiple of the page size/,
  );
  const top = (1n << 64n) - BigInt(PAGE);
  fails(of([{ at: 0, pages: 2, vaddr: top }]), "INVALID", /2 pages from 0xfffffffffffff000 \(beyond/);
});

test("counts of 2^50 pages, and of more than any number can tell exactly", () => {
  fails(
    of([{ at: 0, pages: 2n ** 50n }]),
    "TRUNCATED",
    /expected at least \d+ for the pages at .*pagemap-10.img\[1\]/,
  );
  fails(
    of([
      { at: 0, pages: 2n ** 50n },
      { at: 1, pages: 1 },
    ]),
    "INVALID",
    /overlap/,
  );
  fails(of([{ at: 0, pages: 2n ** 53n }]), "INVALID", /invalid number of pages 9007199254740992/);
  fails(of([{ at: 0, pages: 2n ** 64n - 1n }]), "INVALID", /larger than any address space/);
  const lazy = spaceOf(of([{ at: 0, pages: 2n ** 50n, flags: 2 }]));
  assert.equal([...lazy.runs()], [{ where: "lazy", address: BASE, pages: 64 }]);
  const parents = of([{ at: 0, pages: 2n ** 50n, flags: 1 }]);
  const [inParent] = pagemapsOf(parents);
  assert.ok([...(inParent?.open().all() ?? [])].every(({ as }) => as === "parent-missing"));
});

test("pages beyond the end of the pages file, and no pages file", () => {
  fails(
    of([{ at: 0, pages: 2 }]),
    "TRUNCATED",
    /pages-1.img: truncated: found \d+ bytes \(expected at least 8192 for the pages at 0x10000000/,
  );
  const builder = new MemorySetBuilder([{ at: 0, pages: 1 }], filled(1));
  builder.files.delete("pages-1.img");
  fails(chain(builder), "MISSING", /pages-1.img: missing \(referenced by .*pagemap-10.img\)/);
  const counts = spaceOf(chain(builder)).count(BASE, BASE + 0x10000n);
  assert.equal(counts, { stored: 1, inParent: 0, lazy: 0 });
});

test("flags that contradict each other, and flags of the future", () => {
  fails(of([{ at: 0, pages: 1, flags: 5 }]), "INVALID", /contradictory flags 0x5 /);
  fails(of([{ at: 0, pages: 1, flags: 0x14 }]), "UNSUPPORTED", /unknown bits in the flags 0x14/);
});

test("mappings that overlap, are empty or cut pages", () => {
  const mapped = (start: bigint, end: bigint): CriuImageSet =>
    chain(new MemorySetBuilder([], filled(1)).mapping({ vma: { start, end } }));
  for (const [start, end] of [
    [BASE, BASE],
    [BASE + 0x1000n, BASE],
    [BASE + 1n, BASE + 0x1000n],
    [BASE, BASE + 0x1001n],
  ] as const) {
    try {
      spaceOf(mapped(start, end));
      assert.unreachable("opened");
    } catch (error) {
      assert.ok(isCrimgError(error));
      assert.match(error.message, /mm-10.img: mapping 0x1000.* is not a range of whole \d+-byte pages/);
    }
  }
});

test("a length that no one can mean", () => {
  try {
    spaceOf(of([{ at: 0, pages: 1 }])).read(BASE, 2 ** 40);
    assert.unreachable("read");
  } catch (error) {
    assert.ok(isCrimgError(error) && error.code === "USAGE");
  }
});

test("a pagemap cut off anywhere, or with any byte changed, is read or refused", () => {
  const builder = new MemorySetBuilder(
    [
      { at: 0, pages: 1 },
      { at: 2, pages: 2 },
    ],
    Buffer.alloc(3 * PAGE, 1),
  );
  const name = `pagemap-${PID}.img`;
  const whole = builder.files.get(name) as Buffer;
  const attempt = (bytes: Buffer): void => {
    builder.files.set(name, bytes);
    try {
      const space = spaceOf(chain(builder));
      for (const run of space.runs()) if (run.where === "file") space.read(run.address, run.pages * PAGE);
    } catch (error) {
      assert.ok(isCrimgError(error), String(error));
    }
  };
  for (let size = 0; size < whole.length; size++) attempt(whole.subarray(0, size));
  for (let at = 0; at < whole.length; at++)
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
      const bytes = Buffer.from(whole);
      bytes[at] = value;
      attempt(bytes);
    }
});

test("twenty parents of ten thousand entries each stay linear", () => {
  const runs = Array.from({ length: 10_000 }, (_, i) => ({ at: 2 * i, pages: 1, flags: 1 }));
  const builder = new MemorySetBuilder(runs, Buffer.alloc(0), 20_000);
  const start = performance.now();
  let missing = 0;
  for (const run of spaceOf(chain(...Array(20).fill(builder))).runs())
    if (run.where === "parent-missing") missing++;
  assert.is(missing, 10_000);
  assert.ok(performance.now() - start < 5000);
});

test.run();
