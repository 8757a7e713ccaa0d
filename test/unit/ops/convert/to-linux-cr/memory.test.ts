import * as assert from "uvu/assert";
import { CriuImageSet } from "../../../../../src/formats/criu/image-set.js";
import { IMAGES } from "../../../../../src/formats/criu/images.js";
import { AddressSpace } from "../../../../../src/formats/criu/pages.js";
import type { VmaEntry } from "../../../../../src/formats/criu/tables/mm.js";
import type { PagemapEntry } from "../../../../../src/formats/criu/tables/pagemap.js";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { isCrimgError } from "../../../../../src/io/errors.js";
import type { FileSet } from "../../../../../src/io/file-set.js";
import { MemorySource } from "../../../../../src/io/source.js";
import { type Loss, Losses } from "../../../../../src/model/loss.js";
import { openStream } from "../../../../../src/open.js";
import { toCriu } from "../../../../../src/ops/convert/to-criu/to-criu.js";
import { toLinuxCr } from "../../../../../src/ops/convert/to-linux-cr/to-linux-cr.js";
import { memoryFiles, type SetBuilder } from "../../../../helpers/build-set.js";
import { oneTaskSet, PID, VMA } from "../../../../helpers/one-task-set.js";
import { suite } from "../../../../helpers/suite.js";

const test = suite("convert: memory of a set as a stream");
const PAGE = 4096;
const BASE = VMA.start;
const page = (byte: number): Buffer => Buffer.alloc(PAGE, byte);
const at = (index: number): bigint => BASE + BigInt(index * PAGE);
const PRESENT = 4;
const IN_PARENT = 1;
const LAZY = 2;

function run(vaddr: bigint, pages: number, flags = PRESENT): PagemapEntry {
  return { vaddr, compat_nr_pages: pages, flags, compressed_size: [] };
}

/** One task with these mappings, and its pages in the order of the runs. */
function withMemory(
  vmas: readonly VmaEntry[],
  runs: readonly PagemapEntry[],
  bytes: readonly Buffer[],
): SetBuilder {
  const builder = oneTaskSet({ mm: { vmas: [...vmas] } });
  builder.image(IMAGES.PAGEMAP, PID, [{ pages_id: 1 }, ...runs]);
  builder.files.set("pages-1.img", Buffer.concat(bytes));
  return builder;
}

function converted(set: CriuImageSet) {
  const losses = new Losses();
  const stream = toLinuxCr(set, losses);
  const { image, checkpoint } = openStream(new MemorySource(stream.read(0, stream.size), "test.ckpt"));
  const all = <K extends (typeof RECORDS)[keyof typeof RECORDS]>(kind: K) =>
    Array.from({ length: image.length }, (_, i) => i)
      .filter((i) => image.kind(i) === kind)
      .map((index) => ({ index, value: image.value(index, kind) }));
  /** Keys of all page lists and the first byte of each page, in order. */
  const pages = all(RECORDS.PGARR).flatMap(({ index, value }) => {
    const count = Number(value.nr_pages);
    if (count === 0) return [];
    const bytes = image.bytes(index + 1);
    return Array.from({ length: count }, (_, i): [bigint, number | undefined] => [
      bytes.readBigUInt64LE(i * 8),
      bytes[count * 8 + i * PAGE],
    ]);
  });
  return { losses: losses.list() as readonly Loss[], image, checkpoint, all, pages };
}

test("private memory: what is stored, by address; pages that nobody touched are left out", () => {
  const { pages, losses, all } = converted(
    withMemory([VMA], [run(at(1), 2), run(at(5), 1)], [page(1), page(2), page(3)]).set(),
  );
  assert.equal(losses, []);
  assert.equal(pages, [
    [at(1), 1],
    [at(2), 2],
    [at(5), 3],
  ]);
  const [vma] = all(RECORDS.VMA);
  assert.equal([vma?.value.vma_type, vma?.value.vm_flags], [2, 0x73n]);
});

test("an incremental set gives one whole stream", () => {
  const child = withMemory([VMA], [run(at(0), 1), run(at(1), 2, IN_PARENT)], [page(9)]);
  const parent = withMemory([VMA], [run(at(0), 3)], [page(1), page(2), page(3)]);
  const files: FileSet = { ...memoryFiles(child.files), parent: () => memoryFiles(parent.files) };
  const { pages } = converted(new CriuImageSet(files));
  assert.equal(pages, [
    [at(0), 9],
    [at(1), 2],
    [at(2), 3],
  ]);
});

test("pages that a parent set should have and has not are refused", () => {
  const child = withMemory([VMA], [run(at(1), 2, IN_PARENT)], []);
  assert.throws(
    () => converted(child.set()),
    (error: unknown) => isCrimgError(error) && error.code === "MISSING" && /parent/.test(error.message),
  );
});

test("pages of a lazy migration are lost, and told", () => {
  const { losses, pages } = converted(withMemory([VMA], [run(at(1), 2, LAZY)], []).set());
  assert.equal(pages, []);
  assert.match(losses[0]?.what ?? "", /lazy migration/);
});

/** Shared anonymous memory of sets before criu 3.14. */
function shared(start: bigint, pages: number, firstPage: number): VmaEntry {
  return {
    ...{ start, end: start + BigInt(pages * PAGE), pgoff: BigInt(firstPage * PAGE), shmid: 77n },
    ...{ prot: 3, flags: 0x21, status: 0x101, fd: -1n },
  };
}

test("shared memory is written once, by page index, as large as it is mapped", () => {
  const builder = withMemory([shared(at(0), 2, 0), shared(at(8), 3, 1)], [], []);
  builder.image(IMAGES.SHMEM_PAGEMAP, 77, [{ pages_id: 2 }, run(0n, 1), run(3n * BigInt(PAGE), 1)]);
  builder.files.set("pages-2.img", Buffer.concat([page(5), page(6)]));
  const { pages, all, checkpoint } = converted(builder.set());
  const vmas = all(RECORDS.VMA).map(({ value }) => value);
  assert.equal(
    vmas.map(({ vma_type, ino_size, vm_pgoff }) => [vma_type, ino_size, vm_pgoff]),
    [
      [4, BigInt(4 * PAGE), 0n],
      [5, BigInt(4 * PAGE), 1n],
    ],
  );
  assert.is(vmas[0]?.ino_objref, vmas[1]?.ino_objref);
  assert.equal(pages, [
    [0n, 5],
    [3n, 6],
  ]);
  const memory = checkpoint.tasks[0]?.memory();
  assert.equal([memory?.read(at(0), 1)[0], memory?.read(at(8), 1)[0], memory?.read(at(10), 1)[0]], [5, 0, 6]);
});

test("what the kernel maps has no type of its own and keeps its kind; the pages of the vdso follow", () => {
  const kernel = (index: number, status: number): VmaEntry => ({
    ...VMA,
    ...{ start: at(index), end: at(index + 1), prot: 5, status: status | 0x201 },
  });
  const { all, pages } = converted(
    withMemory(
      [kernel(0, 0x1000), kernel(1, 8), { ...kernel(2, 4), status: 0x204 }],
      [run(at(1), 1)],
      [page(0xee)],
    ).set(),
  );
  assert.equal(
    all(RECORDS.VMA).map(({ value }) => value.vma_type),
    [0, 1, 0],
  );
  assert.equal(
    all(RECORDS.VMA_EXTRA).map(({ index, value }) => [value.kind, value.flags & 1, index > 0]),
    [
      [2, 0, true],
      [1, 1, true],
      [3, 0, true],
    ],
  );
  assert.equal(pages, [[at(1), 0xee]]);
  assert.is(all(RECORDS.MM_CONTEXT)[0]?.value.vdso, at(1));
});

test("advice, MAP_NORESERVE, growing stacks and guard areas come back", () => {
  const vmas: VmaEntry[] = [
    { ...VMA, start: at(0), end: at(2), madv: 1n << 14n },
    { ...VMA, start: at(2), end: at(4), flags: 0x22 | 0x4000, prot: 0 },
    { ...VMA, start: at(4), end: at(6), flags: 0x22 | 0x100 },
    { ...VMA, start: at(6), end: at(8), flags: 0x22 | 0x2000, prot: 7 },
    { ...VMA, start: at(1), end: at(3), flags: 0, prot: 0, status: 0x10000 },
  ];
  const losses = new Losses();
  const stream = toLinuxCr(withMemory(vmas, [], []).set(), losses);
  const { image } = openStream(new MemorySource(stream.read(0, stream.size), "test.ckpt"));
  const files = new Map(
    toCriu(image, losses).map(({ name, content }) => [name, content.read(0, content.size)]),
  );
  assert.equal(losses.list(), []);
  const back = new CriuImageSet(memoryFiles(files));
  assert.equal(
    back
      .required(IMAGES.MM, PID)
      .vmas.map(({ start, end, prot, flags, status, madv }) => [start, end, prot, flags, status, madv]),
    vmas.map(({ start, end, prot, flags, status, madv }) => [start, end, prot, flags, status, madv]),
  );
  assert.ok(AddressSpace.of(back, PID));
});

test("mappings that no record is for are told one by one", () => {
  const lost = (index: number, status: number): VmaEntry => ({
    ...VMA,
    ...{ start: at(index), end: at(index + 1), status: status | 1 },
  });
  const { losses, all } = converted(
    withMemory(
      [lost(0, 0x2000), lost(1, 0x800), { ...VMA, start: at(2), end: at(3) }, lost(2, 0x10000)],
      [],
      [],
    ).set(),
  );
  assert.equal(
    losses.map(({ object, what }) => `${object}: ${what}`),
    [
      `task 4711 mapping 0x${at(0).toString(16)}: a ring of asynchronous I/O`,
      `task 4711 mapping 0x${at(1).toString(16)}: a ring of a packet socket`,
    ],
  );
  assert.is(all(RECORDS.VMA).length, 1);
  assert.is(all(RECORDS.MM)[0]?.value.map_count, 1);
});

test("a mapping that is no range of whole pages is refused", () => {
  assert.throws(
    () => converted(withMemory([{ ...VMA, end: VMA.end + 1n }], [], []).set()),
    (error: unknown) => isCrimgError(error) && error.code === "INVALID",
  );
});

test.run();
