import fs from "node:fs";
import * as assert from "uvu/assert";
import { CriuImageSet } from "../../../../src/formats/criu/image-set.js";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { AddressSpace, pagemapsOf } from "../../../../src/formats/criu/pages.js";
import type { MmEntry } from "../../../../src/formats/criu/tables/mm.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { DirectoryFileSet } from "../../../../src/io/file-set.js";
import { assertBytes } from "../../../helpers/bytes.js";
import { FIXTURE_NAMES } from "../../../helpers/images.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("address space of real sets");

const CASES = FIXTURE_NAMES;
const open = (name: string): CriuImageSet => new CriuImageSet(new DirectoryFileSet(`fixtures/criu/${name}`));

interface Opened {
  readonly name: string;
  readonly set: CriuImageSet;
  readonly pid: number;
  readonly space: AddressSpace;
  readonly mm: MmEntry;
}

function* tasks(): Generator<Opened> {
  for (const name of CASES) {
    const set = open(name);
    for (const pid of set.ids(IMAGES.MM)) {
      const space = AddressSpace.of(set, pid);
      if (space === undefined) throw new Error("no address space");
      yield { name, set, pid, space, mm: set.required(IMAGES.MM, pid) };
    }
    set.close();
  }
}

const words = (bytes: Buffer): string[] => bytes.toString().split("\0").slice(0, -1);

test("arguments, environment and program name of every task", () => {
  let count = 0;
  for (const { name, space, mm } of tasks()) {
    const argv = space.read(mm.mm_arg_start, Number(mm.mm_arg_end - mm.mm_arg_start));
    assert.match(words(argv)[0] as string, new RegExp(`^(/var/lib/crimg-demo/${name}/bin/)?${name}$`));
    const environ = space.read(mm.mm_env_start, Number(mm.mm_env_end - mm.mm_env_start));
    assert.equal(words(environ), ["PATH=/usr/bin:/bin", "HOME=/"]);
    const execfn = mm.mm_saved_auxv[mm.mm_saved_auxv.findIndex((word, i) => i % 2 === 0 && word === 31n) + 1];
    const stack = mm.vmas.find(({ start, end }) => start <= (execfn as bigint) && (execfn as bigint) < end);
    const above = Number((stack?.end as bigint) - (execfn as bigint));
    assert.match(words(space.read(execfn as bigint, above))[0] as string, new RegExp(`/${name}$`));
    count++;
  }
  assert.ok(count >= CASES.length);
});

test("a located byte is the byte that is read, and a mapped file's is not in the set", () => {
  let mapped = 0;
  for (const { space, mm } of tasks()) {
    const place = space.locate(mm.mm_arg_start);
    if (place.where !== "file") throw new Error(place.where);
    assert.is(place.level, 0);
    const fd = fs.openSync(place.file, "r");
    const bytes = Buffer.alloc(16);
    fs.readSync(fd, bytes, 0, 16, place.offset);
    fs.closeSync(fd);
    assertBytes(space.read(mm.mm_arg_start, 16), bytes);
    const absent = [...space.runs()].find(
      (run) => run.where === "absent" && run.why === "contents of a mapped file",
    );
    if (absent !== undefined) mapped++;
    assert.equal(space.locate(0n), { where: "absent", why: "not mapped" });
    assert.equal(space.locate((1n << 64n) - 4097n), { where: "absent", why: "not mapped" });
    for (const address of [0n, absent?.address ?? 0x1000n]) {
      try {
        space.read(address, 1);
        assert.unreachable("read");
      } catch (error) {
        assert.ok(isCrimgError(error) && error.code === "MISSING", String(error));
      }
    }
  }
  assert.ok(mapped > 5);
});

test("the vDSO is an ELF file, the vvar pages belong to the kernel", () => {
  for (const { space, mm } of tasks()) {
    const vdso = mm.vmas.find((vma) => (vma.status & 8) !== 0);
    const vvar = mm.vmas.find((vma) => (vma.status & 0x1000) !== 0);
    assertBytes(space.read(vdso?.start as bigint, 4), Buffer.from("\x7fELF"));
    assert.equal(space.locate(vvar?.start as bigint), { where: "absent", why: "memory of the kernel" });
  }
});

test("shared memory comes from its segment, whichever task maps it", () => {
  const shared = [...tasks()].flatMap(({ name, space, mm }) =>
    mm.vmas
      .filter((vma) => (vma.flags & 1) !== 0 && (vma.status & 0x4500) !== 0)
      .map((vma) => ({ name, bytes: space.read(vma.start, Number(vma.end - vma.start)) })),
  );
  const ofThreads = shared.filter(({ name }) => name === "threads").map(({ bytes }) => bytes);
  const anonymous = ofThreads.find((bytes) => bytes.length === 4 * 4096);
  const memfd = ofThreads.find((bytes) => bytes.length === 2 * 4096);
  // threads.c writes the same letter into both, once a round.
  const letter = memfd?.[4096] as number;
  assert.ok(letter >= 0x61 && letter <= 0x7a, String(letter));
  assert.is(anonymous?.[3 * 4096], letter);
  const sysV = shared.find(({ name }) => name === "container")?.bytes[4096] as number;
  assert.ok(sysV >= 0x61 && sysV <= 0x7a, String(sysV));
  const ofTree = shared.filter(({ name }) => name === "tree");
  assert.ok(ofTree.length > 1);
  for (const { bytes } of ofTree) assertBytes(bytes, ofTree[0]?.bytes as Buffer);
  assert.ok(ofTree[0]?.bytes.some((byte) => byte !== 0));
});

test("runs cover every mapping without a gap and agree with locate, read and count", () => {
  for (const { space, mm } of tasks()) {
    const runs = [...space.runs()];
    for (const vma of mm.vmas) {
      let at = vma.start;
      let stored = 0;
      for (const run of space.runs(vma.start, vma.end)) {
        assert.is(run.address, at);
        const { address, pages, ...location } = run;
        assert.equal(space.locate(address), location);
        if (location.where === "file") stored += pages;
        at += BigInt(pages) * 4096n;
      }
      assert.is(at, vma.end);
      assert.equal(space.count(vma.start, vma.end), { stored, inParent: 0, lazy: 0 });
    }
    const total = runs.reduce((sum, { pages }) => sum + pages, 0);
    assert.is(total, Number(mm.vmas.reduce((sum, { start, end }) => sum + (end - start), 0n) / 4096n));
    for (const run of runs) {
      if (run.where !== "file" && run.where !== "zero") continue;
      const whole = space.read(run.address, run.pages * 4096);
      assert.is(whole.length, run.pages * 4096);
      assertBytes(
        space.read(run.address + 4000n, Math.min(whole.length - 4000, 200)),
        whole.subarray(4000, 4200),
      );
      if (run.where === "zero") assert.ok(whole.every((byte) => byte === 0));
    }
  }
});

test("stored pieces are the pages files, page by page", () => {
  for (const name of CASES) {
    const set = open(name);
    for (const pagemap of pagemapsOf(set)) {
      const store = pagemap.open();
      let bytes = 0;
      for (const run of store.all()) for (const piece of store.piecesOf(run)) bytes += piece.bytes.length;
      assert.is(bytes, store.layout.size);
      assert.is(bytes, fs.statSync(`fixtures/criu/${name}/pages-${store.layout.pagemap.pagesId}.img`).size);
    }
    set.close();
  }
});

test("a zombie has no address space", () => {
  const set = open("logger");
  assert.is(AddressSpace.of(set, 4711), undefined);
});

test.run();
