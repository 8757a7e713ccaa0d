import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import type { CoreEntry } from "../../../../src/formats/criu/tables/core.js";
import { ARCHITECTURES } from "../../../../src/formats/linux-cr/revisions.js";
import { MemorySource } from "../../../../src/io/source.js";
import type { Document } from "../../../../src/model/document.js";
import { openStream } from "../../../../src/open.js";
import { type CoreReader, coreOf } from "../../../../src/ops/core/core.js";
import { DIALECTS } from "../../../helpers/arbitrary-stream.js";
import { joined } from "../../../helpers/bytes.js";
import { CoreFile } from "../../../helpers/core-file.js";
import { memoryDocument, memorySet } from "../../../helpers/memory-document.js";
import { BASE, filled, PAGE } from "../../../helpers/memory-set.js";
import { coreOf as coreEntry, GPREGS, oneTaskSet, PID, VMA } from "../../../helpers/one-task-set.js";
import { refusal } from "../../../helpers/refusal.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";
import { DamagedSet } from "../validate/damaged-set.js";
import { DamagedStream, type StreamName } from "../validate/damaged-stream.js";

const test = suite("src/ops/core");
const [PRSTATUS, FPREGSET, PRPSINFO, AUXV] = [1, 2, 3, 6];
const [SIGINFO, FILE, XSTATE] = [0x53494749, 0x46494c45, 0x202];
/** Of pr_reg and pr_pid of 64-bit programs. */
const [REG, TID] = [112, 32];

function written(document: Document, options: { pid?: number; reader?: CoreReader } = {}): CoreFile {
  const core = coreOf(document, options);
  const bytes = joined(
    Array.from(core.contents(), (piece) => (Buffer.isBuffer(piece) ? Buffer.from(piece) : piece)),
  );
  assert.is(BigInt(bytes.length), core.size);
  return new CoreFile(bytes);
}

for (const name of ["logger", "threads", "tree"])
  test(`${name}: registers of every thread, ids and memory are those of the model, in both families`, () => {
    for (const document of [new DamagedSet(name).open(), new DamagedStream(name as StreamName).open()])
      for (const task of document.checkpoint.tasks.filter(({ mm }) => mm !== undefined)) {
        const core = written(document, { pid: task.pid });
        assert.is(core.machine, 62);
        const statuses = core.all(PRSTATUS);
        assert.equal(
          statuses.map((status) => status.readInt32LE(TID)),
          task.threads.map(({ tid }) => tid),
        );
        for (const [i, { registers, blocked }] of task.threads.entries()) {
          const status = statuses[i] as Buffer;
          assert.is(status.length, 336);
          assert.is(status.readBigUInt64LE(REG + 16 * 8), registers.get("ip"));
          assert.is(status.readBigUInt64LE(REG + 19 * 8), registers.get("sp"));
          assert.is(status.readBigUInt64LE(REG + 21 * 8), registers.get("fs_base"));
          assert.is(status.readBigUInt64LE(24), blocked);
        }
        assert.is(core.all(FPREGSET).length, task.threads.length);
        assert.is(core.all(XSTATE).length, task.threads.length);
        assert.is(core.all(SIGINFO)[0]?.length, 128);
        const info = core.all(PRPSINFO)[0] as Buffer;
        assert.is(info.toString("latin1", 40, 40 + task.comm.length + 1), `${task.comm}\0`);
        assert.match(
          info.toString("latin1", 56),
          new RegExp(`^/var/lib/crimg-demo/${name}/bin/${name} /var`),
        );
        assert.is(core.all(AUXV)[0]?.readBigUInt64LE(0), task.mm?.auxv[0]);
        assert.ok(core.all(FILE)[0]?.includes(`/bin/${name}\0`));
        const memory = task.memory();
        let stored = 0;
        for (const run of memory?.runs() ?? []) {
          const size = run.pages * PAGE;
          const found = core.memory(run.address, size);
          if (run.where === "file") assert.ok(found !== undefined, `${run.address}`);
          if (run.where === "absent") assert.is(found, undefined);
          else if (found !== undefined) assert.ok(memory?.read(run.address, size).equals(found));
          if (run.where === "file") stored += run.pages;
        }
        assert.ok(stored > 5);
      }
  });

test("what is lazy, missing or of a file has no bytes; the rest has, and holes are not read", () => {
  const chained = memoryDocument(
    memorySet(
      [
        { at: 0, pages: 1 },
        { at: 1, pages: 2, flags: 1 },
        { at: 5, pages: 2, flags: 2 },
      ],
      filled(0xa1),
    ),
    memorySet([{ at: 1, pages: 1 }], filled(0xb1)),
  );
  const core = written(chained);
  assert.equal(
    core.segments.map(({ address, fileSize, size }) => [
      Number((address - BASE) / BigInt(PAGE)),
      fileSize / PAGE,
      Number(size) / PAGE,
    ]),
    [
      [0, 2, 2],
      [2, 0, 1],
      [3, 2, 2],
      [5, 0, 2],
      [7, 57, 57],
    ],
  );
  const { lazy, missing, empty } = coreOf(chained, {});
  assert.equal([lazy, missing, empty], [2, 1, 2]);
  assert.is(core.memory(BASE + 4097n, 1)?.[0], 0xb1);
  const holes = [...coreOf(chained, {}).contents()].filter((piece) => !Buffer.isBuffer(piece));
  assert.equal(holes, [{ zeros: 2 * PAGE }, { zeros: 57 * PAGE }]);
});

test("untouched memory that nobody may access, or of more than 256 MiB, has no bytes", () => {
  const end = VMA.start + 2n ** 40n;
  const vmas = [
    { ...VMA, end: VMA.start + 0x1000n, prot: 0 },
    { ...VMA, start: VMA.start + 0x1000n, end },
  ];
  const { segments } = written(memoryDocument(memorySet([{ at: 1, pages: 1 }], filled(1), vmas)));
  assert.equal(
    segments.map(({ fileSize, flags }) => [fileSize, flags]),
    [
      [0, 0],
      [PAGE, 6],
      [0, 6],
    ],
  );
});

test("for volatility every segment has all its bytes, at its physical address", () => {
  const { segments } = written(new DamagedSet("logger").open(), { reader: "volatility" });
  assert.ok(segments.length > 5);
  for (const { fileSize, size, address, physical } of segments)
    assert.equal([BigInt(fileSize), physical], [size, address]);
});

test("more than 65,534 program headers are counted by a section header", () => {
  const pages = 65_600;
  const vmas = [{ ...VMA, end: VMA.start + BigInt(pages * PAGE) }];
  const lazy = Array.from({ length: pages / 2 }, (_, i) => ({ at: 2 * i, pages: 1, flags: 2 }));
  const core = written(memoryDocument(memorySet(lazy, Buffer.alloc(0), vmas)));
  assert.is(core.segments.length, pages);
  assert.is(core.fields.u16(56), 0xffff);
  assert.is(core.segments.filter(({ fileSize }) => fileSize === 0).length, pages / 2);
});

const zeros = (count: number): bigint[] => Array.from({ length: count }, () => 0n);
const upTo = (count: number): bigint[] => Array.from({ length: count }, (_, i) => BigInt(i + 1));
const named = (names: string): Record<string, number> =>
  Object.fromEntries(names.split(" ").map((name, i) => [name, i + 1]));
const named64 = (names: string): Record<string, bigint> =>
  Object.fromEntries(names.split(" ").map((name, i) => [name, BigInt(i + 1)]));
const r = (count: number): string => Array.from({ length: count }, (_, i) => `r${i}`).join(" ");

/** Of each architecture: its registers as criu stores them; EM_; bytes of the status; where the pc is, and its value; sets. */
const OTHERS: Readonly<
  Record<string, readonly [object, number, number, number, bigint, Record<number, number>]>
> = {
  aarch64: [
    {
      mtype: 3,
      ti_aarch64: {
        ...{ clear_tid_addr: 0n, tls: 77n },
        gpregs: { regs: upTo(31), sp: 40n, pc: 41n, pstate: 0n },
        fpsimd: { vregs: upTo(64), fpsr: 1, fpcr: 2 },
      },
    },
    ...[183, 392, 256, 41n, { [FPREGSET]: 528, 1025: 8 }],
  ] as never,
  armv7l: [
    {
      mtype: 2,
      ti_arm: {
        ...{ clear_tid_addr: 0n, tls: 77 },
        gpregs: named("r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 fp ip sp lr pc cpsr orig_r0"),
        fpstate: { vfp_regs: upTo(32), fpscr: 1, fpexc: 0, fpinst: 0, fpinst2: 0 },
      },
    },
    ...[40, 148, 60, 16n, { 1024: 260 }],
  ] as never,
  s390x: [
    {
      mtype: 5,
      ti_s390: {
        clear_tid_addr: 0n,
        gpregs: {
          ...{ psw_mask: 1n, psw_addr: 42n, gprs: upTo(16), acrs: zeros(16).map(Number) },
          ...{ orig_gpr2: 0n, system_call: 0 },
        },
        fpregs: { fpc: 0, fprs: upTo(16) },
        vxrs_low: { regs: upTo(16) },
        vxrs_high: { regs: upTo(32) },
      },
    },
    ...[22, 336, 8, 42n, { [FPREGSET]: 136, 775: 4, 777: 128, 778: 256 }],
  ] as never,
  ppc64le: [
    {
      mtype: 4,
      ti_ppc64: {
        clear_tid_addr: 0n,
        gpregs: {
          ...{ gpr: upTo(32), nip: 43n, msr: 0n, orig_gpr3: 0n, ctr: 0n, link: 0n },
          ...{ xer: 0n, ccr: 0n, trap: 0n },
        },
        fpstate: { fpregs: upTo(33) },
        vrstate: { vrregs: upTo(66), vrsave: 1 },
        vsxstate: { vsxregs: upTo(32) },
      },
    },
    ...[21, 504, 256, 43n, { [FPREGSET]: 264, 256: 544, 258: 256 }],
  ] as never,
  mips64: [
    {
      mtype: 6,
      ti_mips: {
        ...{ clear_tid_addr: 0n, tls: 0n },
        gpregs: named64(`${r(32)} lo hi cp0_epc cp0_badvaddr cp0_status cp0_cause`),
        fpregs: { ...named64(`${r(32)} lo hi`), fpu_fcr31: 1, fpu_id: 2 },
      },
    },
    ...[8, 480, 272, 35n, { [FPREGSET]: 264 }],
  ] as never,
  loongarch64: [
    {
      mtype: 7,
      ti_loongarch64: {
        ...{ clear_tid_addr: 0n, tls: 0n },
        gpregs: { regs: upTo(32), pc: 44n },
        fpregs: { regs: upTo(32), fcc: 0n, fcsr: 0 },
      },
    },
    ...[258, 480, 264, 44n, { [FPREGSET]: 272 }],
  ] as never,
  riscv64: [
    {
      mtype: 8,
      ti_riscv64: {
        ...{ clear_tid_addr: 0n, tls: 0n },
        gpregs: named64(
          "pc ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6",
        ),
        fpsimd: { f: upTo(32), fcsr: 0 },
      },
    },
    ...[243, 376, 0, 1n, { [FPREGSET]: 264 }],
  ] as never,
};

for (const [name, [info, machine, size, at, pc, sets]] of Object.entries(OTHERS))
  test(`${name}: status and register sets have the sizes and places of its kernel`, () => {
    const { thread_info, ...rest } = coreEntry({});
    const builder = oneTaskSet().image(IMAGES.CORE, PID, [{ ...rest, ...info } as CoreEntry]);
    const document = builder.document();
    assert.is(coreOf(document, {}).architecture, name);
    const core = written(document);
    assert.is(core.machine, machine);
    const status = core.all(PRSTATUS)[0] as Buffer;
    assert.is(status.length, size);
    const { is64 } = core.fields;
    const file = new CoreFile(core.bytes).fields;
    const where = core.bytes.indexOf(status) + (is64 ? REG : 72) + at;
    assert.is(file.word(where), pc);
    assert.is(core.bytes.indexOf(status) >= 0, true);
    assert.equal(
      Object.fromEntries(
        core.notes
          .filter(({ type }) => type in sets || type > 0xff)
          .filter(({ type }) => type !== SIGINFO && type !== FILE)
          .map(({ type, content }) => [type, content.length]),
      ),
      sets,
    );
  });

test("a 32-bit program of x86-64 has a 32-bit core", () => {
  const gpregs = { ...GPREGS, mode: 2, ip: 0x8048000n, sp: 0xffff0000n };
  const core = written(
    oneTaskSet({ registers: { gpregs }, mm: { vmas: [{ ...VMA, end: VMA.start + 0x2000n }] } }).document(),
  );
  assert.equal([core.machine, core.fields.is64], [3, false]);
  const status = core.all(PRSTATUS)[0] as Buffer;
  assert.is(status.length, 144);
  assert.is(status.readUInt32LE(72 + 12 * 4), 0x8048000);
  assert.is(core.all(0x46e62b7f)[0]?.length, 512);
  assert.is(core.all(PRPSINFO)[0]?.length, 124);
});

test("streams of every architecture have cores of its word size and byte order", () => {
  const seen = new Set<string>();
  for (const dialect of DIALECTS) {
    const { name, wordBytes, byteOrder } = dialect.arch;
    const document = openStream(new MemorySource(richStream(dialect), `${name}.ckpt`));
    const pid = document.checkpoint.tasks.find(({ mm }) => mm !== undefined)?.pid as number;
    const core = written(document, { pid });
    assert.equal([core.fields.is64, core.fields.isLittle], [wordBytes === 8, byteOrder === "little-endian"]);
    assert.ok(core.all(PRSTATUS).length > 0, name);
    seen.add(name);
  }
  assert.is(seen.size, Object.keys(ARCHITECTURES).length);
});

test("one of several tasks must be named; an unknown architecture is refused", () => {
  const tree = new DamagedSet("tree").open();
  assert.match(
    refusal(() => coreOf(tree, {})),
    /^USAGE the image has tasks 1000, .*choose one with -p/,
  );
  assert.match(
    refusal(() => coreOf(tree, { pid: 5 })),
    /^MISSING no task with pid 5/,
  );
  const { thread_info, ...rest } = coreEntry({});
  const unknown = oneTaskSet()
    .image(IMAGES.CORE, PID, [{ ...rest, mtype: 0 }])
    .document();
  assert.match(
    refusal(() => coreOf(unknown, {})),
    /^UNSUPPORTED no core for architecture unknown/,
  );
});

test.run();
