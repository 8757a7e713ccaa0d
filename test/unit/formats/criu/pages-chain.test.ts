import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as assert from "uvu/assert";
import { CriuImageSet } from "../../../../src/formats/criu/image-set.js";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { AddressSpace, pagemapsOf } from "../../../../src/formats/criu/pages.js";
import { pageSizeOf } from "../../../../src/formats/criu/pages-size.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { DirectoryFileSet } from "../../../../src/io/file-set.js";
import { assertBytes } from "../../../helpers/bytes.js";
import { BASE, chain, filled, MemorySetBuilder, PAGE, PID } from "../../../helpers/memory-set.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("incremental chains of pages");

const IN_PARENT = { flags: 1 };
const spaceOf = (set: CriuImageSet): AddressSpace => AddressSpace.of(set, PID) as AddressSpace;
const pageAt = (page: number): bigint => BASE + BigInt(page * PAGE);

function failure(run: () => unknown): { readonly code: string; readonly message: string } {
  try {
    run();
  } catch (error) {
    assert.ok(isCrimgError(error), String(error));
    return error as { code: string; message: string } & Error;
  }
  return assert.unreachable("nothing was thrown") as never;
}

/** Pages 0-3 of the newest set: own, in the parent, in the parent's parent, in both (spanning two entries). */
function threeLevels(): CriuImageSet {
  return chain(
    new MemorySetBuilder(
      [
        { at: 0, pages: 1 },
        { at: 1, pages: 4, ...IN_PARENT },
        { at: 8, pages: 1 },
      ],
      Buffer.concat([filled(0xa0), filled(0xa8)]),
    ),
    new MemorySetBuilder(
      [
        { at: 0, pages: 2 },
        { at: 2, pages: 1, ...IN_PARENT },
        { at: 3, pages: 1 },
        { at: 4, pages: 1, flags: 0, in_parent: true },
      ],
      Buffer.concat([filled(0xb0), filled(0xb1), filled(0xb3)]),
    ),
    new MemorySetBuilder([{ at: 2, pages: 3 }], Buffer.concat([filled(0xc2), filled(0xc3), filled(0xc4)])),
  );
}

test("each page comes from the set that its entries lead to", () => {
  const space = spaceOf(threeLevels());
  const bytes = space.read(BASE, 9 * PAGE);
  const wanted = [0xa0, 0xb1, 0xc2, 0xb3, 0xc4, 0, 0, 0, 0xa8];
  assertBytes(bytes, Buffer.concat(wanted.map(filled)));
  assertBytes(space.read(pageAt(2) - 2n, 4), Buffer.of(0xb1, 0xb1, 0xc2, 0xc2));
  assert.equal(space.locate(pageAt(2) + 5n), {
    where: "file",
    file: "memory/parent/parent/pages-1.img",
    offset: 5,
    level: 2,
  });
  const runs = [...space.runs()].map((run) => [run.address, run.pages, run.where]);
  assert.equal(runs, [
    [pageAt(0), 1, "file"],
    [pageAt(1), 1, "file"],
    [pageAt(2), 1, "file"],
    [pageAt(3), 1, "file"],
    [pageAt(4), 1, "file"],
    [pageAt(5), 3, "zero"],
    [pageAt(8), 1, "file"],
    [pageAt(9), 55, "zero"],
  ]);
  assert.equal(space.count(BASE, pageAt(64)), { stored: 2, inParent: 4, lazy: 0 });
});

test("stored pages are listed once, from the set that has them", () => {
  const [pagemap] = pagemapsOf(threeLevels());
  const runs = [...(pagemap?.open().all() ?? [])];
  assert.equal(
    runs.map(({ page, pages, as }) => [BigInt(page * PAGE), pages, as]),
    [0, 1, 2, 3, 4, 8].map((page) => [pageAt(page), 1, "file"]),
  );
});

test("a page that no parent has is missing, not zero", () => {
  const runs = [{ at: 0, pages: 2, ...IN_PARENT }];
  const own = new MemorySetBuilder(runs, Buffer.alloc(0));
  const half = new MemorySetBuilder([{ at: 0, pages: 1 }], filled(1));
  const withoutPagemap = new MemorySetBuilder([], Buffer.alloc(0));
  withoutPagemap.files.delete(`pagemap-${PID}.img`);
  for (const [set, missing] of [
    [chain(own, half), 1],
    [chain(own), 0],
    [chain(own, withoutPagemap), 0],
    [chain(own, own, half), 1],
  ] as const) {
    const space = spaceOf(set);
    assert.is(space.locate(pageAt(missing)).where, "parent-missing");
    const { code, message } = failure(() => space.read(BASE, 2 * PAGE));
    assert.is(code, "MISSING");
    assert.match(
      message,
      new RegExp(`memory at 0x${pageAt(missing).toString(16)} of task 10 is missing in parent set`),
    );
  }
});

test("lazy pages are in no set", () => {
  const space = spaceOf(
    chain(
      new MemorySetBuilder(
        [
          { at: 3, pages: 2, flags: 2 },
          { at: 5, pages: 1, flags: 6 },
        ],
        filled(7),
      ),
    ),
  );
  assert.equal(space.locate(pageAt(3)), { where: "lazy" });
  assert.match(failure(() => space.read(pageAt(4), 1)).message, /left in the dumped task/);
  assertBytes(space.read(pageAt(5), PAGE), filled(7));
  assert.equal(space.count(BASE, pageAt(64)), { stored: 1, inParent: 0, lazy: 2 });
});

test("a private mapping of a file shows the file where the task has no page", () => {
  const builder = new MemorySetBuilder([{ at: 1, pages: 1 }], filled(9));
  const space = spaceOf(chain(builder.mapping({ size: 3, vma: { status: 0x41, flags: 2 } })));
  assert.equal(
    [...space.runs()].map((run) => [run.pages, run.where]),
    [
      [1, "absent"],
      [1, "file"],
      [1, "absent"],
    ],
  );
  assertBytes(space.read(pageAt(1), PAGE), filled(9));
});

test("a mapping of a segment starts where pgoff says; its other pages are zero", () => {
  const builder = new MemorySetBuilder([], Buffer.alloc(0));
  builder.mapping({ size: 4, vma: { status: 0x101, flags: 0x21, shmid: 77n, pgoff: BigInt(2 * PAGE) } });
  const at = (page: number) => ({ vaddr: BigInt(page * PAGE), compat_nr_pages: 1, compressed_size: [] });
  builder.image(IMAGES.SHMEM_PAGEMAP, 77, [{ pages_id: 2 }, at(0), at(3)]);
  builder.files.set("pages-2.img", Buffer.concat([filled(1), filled(4)]));
  const space = spaceOf(chain(builder));
  assertBytes(space.read(BASE, 4 * PAGE), Buffer.concat([0, 4, 0, 0].map(filled)));
  assert.equal(space.count(BASE, pageAt(4)), { stored: 1, inParent: 0, lazy: 0 });
});

function directory(builder: MemorySetBuilder, parent?: string): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "crimg-chain-"));
  for (const [name, bytes] of builder.files) fs.writeFileSync(path.join(dir, name), bytes);
  if (parent !== undefined) fs.symlinkSync(parent, path.join(dir, "parent"));
  return dir;
}

test("parent links on disk: followed, dangling, in a loop", () => {
  const made: string[] = [];
  const keep = (dir: string): string => {
    made.push(dir);
    return dir;
  };
  const open = (dir: string) => spaceOf(new CriuImageSet(new DirectoryFileSet(dir)));
  const inParent = new MemorySetBuilder([{ at: 0, pages: 1, ...IN_PARENT }], Buffer.alloc(0));
  try {
    const full = keep(directory(new MemorySetBuilder([{ at: 0, pages: 1 }], filled(5))));
    const middle = keep(directory(inParent, full));
    const newest = keep(directory(inParent, path.join("..", path.basename(middle))));
    assertBytes(open(newest).read(BASE, PAGE), filled(5));

    const dangling = keep(directory(inParent, "../nowhere"));
    assert.match(failure(() => open(dangling).read(BASE, 1)).message, /parent link .* dangling/);

    const selfish = keep(directory(inParent, "."));
    assert.match(failure(() => open(selfish).read(BASE, 1)).message, /forms a cycle/);

    const first = keep(directory(inParent));
    const second = keep(directory(inParent, first));
    fs.symlinkSync(second, path.join(first, "parent"));
    assert.match(failure(() => open(first).read(BASE, 1)).message, /forms a cycle/);
  } finally {
    for (const dir of made) fs.rmSync(dir, { recursive: true });
  }
});

test("a chain of 720 sets is read; one without end is refused", () => {
  const middle = new MemorySetBuilder([{ at: 0, pages: 1, ...IN_PARENT }], Buffer.alloc(0));
  const last = new MemorySetBuilder([{ at: 0, pages: 1 }], filled(6));
  assertBytes(spaceOf(chain(...Array(720).fill(middle), last)).read(BASE, PAGE), filled(6));
  assert.match(
    failure(() => spaceOf(chain(...Array(2000).fill(middle))).read(BASE, 1)).message,
    /at most 1024/,
  );
});

test("the page size of an architecture with several is the one that fits the pages file", () => {
  const sized = (mtype: number, fileSize: number): number => {
    const builder = new MemorySetBuilder([{ at: 0, pages: 3 }], Buffer.alloc(fileSize));
    builder.image(IMAGES.CORE, PID, [{ mtype }]);
    return pageSizeOf(builder.set());
  };
  assert.is(sized(1, 3 * 16384), 4096);
  assert.is(sized(3, 3 * 16384), 16384);
  assert.is(sized(3, 3 * 65536), 65536);
  assert.is(sized(3, 12345), 4096);
  assert.is(sized(4, 3 * 65536), 65536);
  assert.is(sized(7, 0), 16384);
});

test.run();
