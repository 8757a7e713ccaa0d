import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import type { ImageKind } from "../../../../../src/formats/criu/image-kind.js";
import { CriuImageSet } from "../../../../../src/formats/criu/image-set.js";
import { IMAGES } from "../../../../../src/formats/criu/images.js";
import type { CoreEntry } from "../../../../../src/formats/criu/tables/core.js";
import { LinuxCrImage } from "../../../../../src/formats/linux-cr/image.js";
import type { RecordKind } from "../../../../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { editSplices, type RecordEdit } from "../../../../../src/formats/linux-cr/write.js";
import { SourceFileSet } from "../../../../../src/io/file-set.js";
import { type ByteSource, FileSource, MemorySource } from "../../../../../src/io/source.js";
import { SplicedSource } from "../../../../../src/io/splice.js";
import { Losses } from "../../../../../src/model/loss.js";
import { toCriu } from "../../../../../src/ops/convert/to-criu/to-criu.js";
import { equalValues } from "../../../../../src/schema/equal.js";
import { convertedFixture } from "../../../../helpers/converted-stream.js";
import { fixture } from "../../../../helpers/images.js";
import { openSet } from "../../../../helpers/open-set.js";
import { suite } from "../../../../helpers/suite.js";

const R = RECORDS;
const MINIMAL = fileURLToPath(new URL("../../../../../fixtures/linux-cr/minimal.ckpt", import.meta.url));
const PID = 1234;
const NO_CALL = 2n ** 64n - 1n;

const test = suite("linux-cr to CRIU: tasks");

interface Converted {
  readonly set: CriuImageSet;
  /** `object: what` of each loss. */
  readonly losses: readonly string[];
}

function convert(source: ByteSource): Converted {
  const losses = new Losses();
  const files = toCriu(new LinuxCrImage(source), losses);
  return {
    set: new CriuImageSet(new SourceFileSet("made", new Map(files.map((file) => [file.name, file.content])))),
    losses: losses.list().map(({ object, what }) => `${object}: ${what}`),
  };
}

/** The minimal stream of 2011 with some records changed: the first of each kind. */
function changed(...edits: readonly (readonly [RecordKind, RecordEdit])[]): Converted {
  const source = new FileSource(MINIMAL);
  const image = new LinuxCrImage(source);
  const byIndex = new Map(
    edits.map(([kind, edit]) => {
      const index = Array.from({ length: image.length }, (_, i) => i).find((i) => image.kind(i) === kind);
      return [index as number, edit];
    }),
  );
  return convert(new SplicedSource(source, editSplices(image, byIndex)));
}

const core = ({ set }: Converted, tid = PID): CoreEntry => set.required(IMAGES.CORE, tid);

/** What a stream does not keep of a core image: kernel flags that no restore looks at. */
function comparable(value: CoreEntry): CoreEntry {
  return value.tc === undefined ? value : { ...value, tc: { ...value.tc, flags: 0 } };
}

for (const name of ["logger", "locks", "threads", "tree", "terminal", "deleted", "sockets", "container"])
  test(`threads, namespaces and clocks of ${name} come back through a stream as they were`, () => {
    const { set: before } = openSet(fixture(name));
    const { set: after } = convert(new MemorySource(convertedFixture(name).bytes, `${name}.ckpt`));
    for (const tid of before.ids(IMAGES.CORE)) {
      const [was, is] = [before.required(IMAGES.CORE, tid), after.required(IMAGES.CORE, tid)];
      assert.ok(equalValues(comparable(is), comparable(was)), `core-${tid}.img of ${name}`);
    }
    const same = (kind: ImageKind, id?: number): void =>
      assert.ok(
        equalValues(
          after.records(kind, id).map(({ value }) => value),
          before.records(kind, id).map(({ value }) => value),
        ),
        `${kind.name} of ${name}`,
      );
    same(IMAGES.SECCOMP);
    same(IMAGES.TIMENS, 0);
    if (name !== "container") for (const pid of before.ids(IMAGES.IDS)) same(IMAGES.IDS, pid);
  });

for (const name of ["threads", "tree"])
  test(`private and shared pages of ${name} come back through a stream`, () => {
    const { set: before } = openSet(fixture(name));
    const { set: after } = convert(new MemorySource(convertedFixture(name).bytes, `${name}.ckpt`));
    for (const pid of before.ids(IMAGES.PAGEMAP)) {
      const [was, is] = [pagesOf(before, IMAGES.PAGEMAP, pid), pagesOf(after, IMAGES.PAGEMAP, pid)];
      assert.ok(was.size > 0);
      assert.equal([...is.keys()], [...was.keys()]);
      for (const [address, bytes] of was)
        assert.ok(is.get(address)?.equals(bytes), `page ${address} of ${pid}`);
    }
    const shared = (set: CriuImageSet): string[] =>
      set
        .ids(IMAGES.SHMEM_PAGEMAP)
        .flatMap((id) =>
          [...pagesOf(set, IMAGES.SHMEM_PAGEMAP, id)].map(([at, page]) => `${at} ${page.toString("hex")}`),
        )
        .sort();
    assert.equal(shared(after), shared(before));
  });

/** The pages of a pagemap by address, each as its own bytes. */
function pagesOf(set: CriuImageSet, kind: ImageKind, id: number): Map<bigint, Buffer> {
  const pages = new Map<bigint, Buffer>();
  const [head, ...entries] = set.records(kind, id).map(({ value }) => value as Record<string, unknown>);
  const file = set.fileSet.open(`pages-${head?.pages_id}.img`) as ByteSource;
  let offset = 0;
  for (const { vaddr, nr_pages: count } of entries as { vaddr: bigint; nr_pages: bigint }[])
    for (let page = 0n; page < count; page++, offset += 4096)
      pages.set(vaddr + page * 4096n, file.read(offset, 4096));
  assert.is(offset, file.size);
  return pages;
}

test("a stream as a kernel of 2011 wrote it becomes a set", () => {
  const { set, losses } = changed();
  assert.equal(losses, []);
  assert.equal(set.ids(IMAGES.CORE), [PID]);
  const { tc, thread_info: info } = core({ set, losses });
  assert.is(tc?.comm, "minimal");
  assert.is(info?.fpregs.cwd, 0x37f);
  assert.is(info?.fpregs.xsave, undefined);
  assert.equal(
    set.required(IMAGES.MM, PID).vmas.map(({ status }) => status),
    [0x41, 0x221, 0x201, 0x209],
  );
  // The host's name is in every stream of a kernel; only a container has one of its own.
  assert.equal(set.ids(IMAGES.UTSNS), []);
});

test("a container gets the name that the stream has", () => {
  const { set } = changed([R.HEADER, { fields: { uflags: 0n } }]);
  assert.equal(set.ids(IMAGES.UTSNS), [9]);
  assert.is(set.required(IMAGES.UTSNS, 9).nodename, "box");
  assert.is(set.required(IMAGES.IDS, PID).uts_ns_id, 9);
});

test("a system call that the kernel would start again is started again", () => {
  for (const code of [512n, 513n, 514n]) {
    const { set, losses } = changed([
      R.CPU,
      { fields: { ax: 2n ** 64n - code, orig_ax: 0n, ip: 0x400123n } },
    ]);
    const { gpregs } = core({ set, losses }).thread_info ?? {};
    assert.equal([gpregs?.ax, gpregs?.ip], [0n, 0x400121n]);
  }
});

test("a sleep that only the kernel can go on with ends with EINTR, which is told", () => {
  const found = changed(
    [R.CPU, { fields: { ax: 2n ** 64n - 516n, orig_ax: 35n, ip: 0x400123n } }],
    [R.RESTART_BLOCK, { fields: { function_type: 2n, arg_4: 1_500_000_000n } }],
  );
  const { gpregs } = core(found).thread_info ?? {};
  assert.equal([gpregs?.ax, gpregs?.ip], [2n ** 64n - 4n, 0x400123n]);
  assert.equal(found.losses, [`task ${PID}: that its system call goes on for the 1500 ms it has left`]);
});

test("outside of a system call the registers stay whatever they hold", () => {
  const { set, losses } = changed([
    R.CPU,
    { fields: { ax: 2n ** 64n - 512n, orig_ax: NO_CALL, ip: 0x400123n } },
  ]);
  const { gpregs } = core({ set, losses }).thread_info ?? {};
  assert.equal([gpregs?.ax, gpregs?.ip], [2n ** 64n - 512n, 0x400123n]);
});

test("selectors are those that the codes stand for", () => {
  const fields = { cs: 1, ss: 2, ds: 2, es: 0, fsindex: 0x4001, gsindex: 0x8003 };
  const { gpregs } = core(changed([R.CPU, { fields }])).thread_info ?? {};
  const { cs, ss, ds, es, fs, gs, mode } = gpregs ?? {};
  assert.equal([cs, ss, ds, es, fs, gs, mode], [0x23n, 0x2bn, 0x2bn, 0n, 0x6bn, 0x1fn, 2]);
});

test("the upper half of a stored XSAVE area comes back", () => {
  const area = Buffer.alloc(832);
  area.writeUInt16LE(0x37f, 0);
  area.writeBigUInt64LE(7n, 512);
  area.writeUInt32LE(0xabcdef, 576 + 8);
  const { fpregs } = core(changed([R.CPU_FPU, { payload: area }])).thread_info ?? {};
  assert.is(fpregs?.xsave?.xstate_bv, 7n);
  assert.is(fpregs?.xsave?.ymmh_space[2], 0xabcdef);
});

test("what a task does not have alone is told", () => {
  assert.equal(changed([R.TASK, { fields: { exit_signal: 10 } }]).losses, [
    `task ${PID}: that it ends with signal 10 instead of SIGCHLD`,
  ]);
});

test("a stopped task comes back stopped", () => {
  assert.is(core(changed([R.TASK, { fields: { state: 4 } }])).tc?.task_state, 3);
});

test("streams of other architectures are refused in one sentence", () => {
  assert.throws(
    () => changed([R.HEADER, { fields: { arch_id: 1 } }]),
    /the stream is of i686; only streams of x86-64 can be converted/,
  );
});

test("a page that was saved twice is refused", () => {
  const source = new FileSource(MINIMAL);
  const image = new LinuxCrImage(source);
  const list = Array.from({ length: image.length }, (_, i) => i).find(
    (i) => image.kind(i) === R.PGARR && image.value(i, R.PGARR).nr_pages === 2n,
  ) as number;
  const payload = Buffer.from(image.bytes(list + 1));
  payload.copy(payload, 8, 0, 8);
  const splices = editSplices(image, new Map([[list + 1, { payload }]]));
  assert.throws(() => convert(new SplicedSource(source, splices)), /page 0x[0-9a-f]+ is saved twice/);
});

test.run();
