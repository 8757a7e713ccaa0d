import fc from "fast-check";
import * as assert from "uvu/assert";
import { CriuImageSet } from "../../src/formats/criu/image-set.js";
import { IMAGES } from "../../src/formats/criu/images.js";
import { CORE_ENTRY, type CoreEntry } from "../../src/formats/criu/tables/core.js";
import { type USER_X86_FPREGS_ENTRY, USER_X86_REGS_ENTRY } from "../../src/formats/criu/tables/core-x86.js";
import { CREDS_ENTRY } from "../../src/formats/criu/tables/creds.js";
import { POSIX_TIMER_ENTRY } from "../../src/formats/criu/tables/timer.js";
import { MemorySource } from "../../src/io/source.js";
import { openStream } from "../../src/open.js";
import { planConversion } from "../../src/ops/convert/convert.js";
import { decodeMessage } from "../../src/schema/decode.js";
import { encodeMessage } from "../../src/schema/encode.js";
import type { Value } from "../../src/schema/message.js";
import { valuesOf } from "../helpers/arbitrary.js";
import { memoryFiles, type SetBuilder } from "../helpers/build-set.js";
import {
  type CREDS,
  coreOf,
  type GPREGS,
  type OneTask,
  oneTaskSet,
  PID,
  type TASK_CORE,
  type THREAD_CORE,
  TLS,
} from "../helpers/one-task-set.js";
import { holds } from "../helpers/property.js";
import { suite } from "../helpers/suite.js";
import { walkStream } from "../helpers/walk-stream.js";

const test = suite("property: conversion", undefined, 120);

/** The set that a set becomes by way of a stream. Fails on any loss. */
function thereAndBack(builder: SetBuilder): CriuImageSet {
  const there = planConversion(builder.document());
  assert.equal(there.losses, []);
  if (there.to !== "linux-cr") throw new Error("a set becomes a stream");
  const bytes = Buffer.from(there.stream.read(0, there.stream.size));
  assert.is(walkStream(bytes).end, bytes.length);
  const back = planConversion(openStream(new MemorySource(bytes, "there.ckpt")));
  assert.equal(back.losses, []);
  if (back.to !== "criu") throw new Error("a stream becomes a set");
  return new CriuImageSet(
    memoryFiles(
      new Map(back.files.map(({ name, content }) => [name, content.read(0, content.size)])),
      "back",
    ),
  );
}

const u16 = fc.nat({ max: 0xffff });
const u32 = fc.nat({ max: 0xffffffff });
/** Not 12 or 24: whether these are right depends on the width of the code, which a stream does not say of a long address. */
const listBytes = u32.filter((bytes) => bytes !== 12 && bytes !== 24);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const list = <T>(one: fc.Arbitrary<T>, length: number) =>
  fc.array(one, { minLength: length, maxLength: length });
/** There or not. */
const maybe = <K extends string, T>(key: K, one: fc.Arbitrary<T>) =>
  fc
    .option(one, { nil: undefined })
    .map((value) => (value === undefined ? {} : { [key]: value })) as fc.Arbitrary<{ [P in K]?: T }>;
/** All of the objects as one. */
const merged = <T extends object>(...parts: fc.Arbitrary<T>[]) =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as T);

/** Selectors of thread-local segments and of the LDT. */
const special = fc.oneof(
  fc.constantFrom(0x63n, 0x6bn, 0x73n),
  fc.nat({ max: 0x1fff }).map((entry) => BigInt((entry << 3) | 7)),
);
const segment = (name: "fs" | "gs") =>
  fc.oneof(
    special.map((selector) => ({ [name]: selector, [`${name}_base`]: 0n })),
    u64.map((base) => ({ [name]: 0n, [`${name}_base`]: base })),
  );

const gpregs = merged<object>(
  valuesOf(USER_X86_REGS_ENTRY, { tame: true }),
  // A number of a call that is to be called again is for the kernel alone.
  fc.constant({ orig_ax: 2n ** 64n - 1n }),
  fc.constantFrom({ cs: 0x33n, mode: 1 }, { cs: 0x23n, mode: 2 }),
  fc.record({ ss: fc.constantFrom(0n, 0x2bn), ds: fc.constantFrom(0n, 0x2bn), es: special }),
  segment("fs"),
  segment("gs"),
) as fc.Arbitrary<typeof GPREGS>;

const xsave = merged<object>(
  fc.record({
    xstate_bv: u64,
    ymmh_space: list(u32, 64),
    bndreg_state: fc.oneof(fc.constant([]), list(u64, 8)),
    bndcsr_state: fc.oneof(fc.constant([]), list(u64, 2)),
    opmask_reg: fc.oneof(fc.constant([]), list(u64, 8)),
    zmm_upper: fc.oneof(fc.constant([]), list(u64, 64)),
    hi16_zmm: fc.oneof(fc.constant([]), list(u64, 128)),
    pkru: fc.oneof(fc.constant([]), list(u32, 2)),
  }),
  maybe("cet", fc.record({ cet: u64, ssp: u64 })),
);
const fpregs = merged<object>(
  fc.record({
    ...{ cwd: u16, swd: u16, twd: u16, fop: u16, rip: u64, rdp: u64, mxcsr: u32, mxcsr_mask: u32 },
    ...{ st_space: list(u32, 32), xmm_space: list(u32, 64), padding: fc.constant([]) },
  }),
  maybe("xsave", xsave),
) as fc.Arbitrary<Value<typeof USER_X86_FPREGS_ENTRY>>;

const used = fc.record({
  ...{ base_addr: u32, limit: fc.nat({ max: 0xfffff }), seg_32bit: fc.boolean() },
  ...{ contents_h: fc.boolean(), contents_l: fc.boolean(), read_exec_only: fc.boolean() },
  ...{ limit_in_pages: fc.boolean(), seg_not_present: fc.constant(false), usable: fc.boolean() },
});
const tls = fc
  .tuple(...TLS.map((empty) => fc.oneof(fc.constant(empty), used)))
  .map((all) => all.map((one, i) => ({ ...one, entry_number: 12 + i })));

const microseconds = fc.nat({ max: 999_999 }).map(BigInt);
const nanoseconds = fc.nat({ max: 999_999_999 }).map(BigInt);
const seconds = fc.nat({ max: 2 ** 31 }).map(BigInt);
const itimer = fc.record({ isec: seconds, iusec: microseconds, vsec: seconds, vusec: microseconds });
const posix = merged<object>(
  valuesOf(POSIX_TIMER_ENTRY, { tame: true, without: ({ label }) => label === "optional" }),
  fc.record({ isec: seconds, insec: nanoseconds, vsec: seconds, vnsec: nanoseconds }),
  maybe("notify_thread_id", fc.integer({ min: 1 })),
) as fc.Arbitrary<Value<typeof POSIX_TIMER_ENTRY>>;

/** siginfo_t of kill(2), sigqueue(3) and a POSIX timer, which are all there is to a queue for the most part. */
const siginfo = fc
  .tuple(fc.integer({ min: 1, max: 64 }), fc.constantFrom(0, -1, -2, -6), list(u32, 4))
  .map(([signo, code, words]) => {
    const bytes = Buffer.alloc(128);
    bytes.writeInt32LE(signo, 0);
    bytes.writeInt32LE(code, 8);
    for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, 16 + i * 4);
    return { siginfo: bytes };
  });
const queue = fc.record({ signals: fc.array(siginfo, { maxLength: 3 }) });
const comm = fc
  .string({ maxLength: 15 })
  .filter((text) => !text.includes("\0") && Buffer.byteLength(text) <= 15);

const task = merged<object>(
  fc.record({
    ...{ personality: u32, flags: fc.constantFrom(0, 0x40, 0x100, 0x140), blk_sigset: u64, comm },
    timers: fc.record({ real: itimer, virt: itimer, prof: itimer, posix: fc.array(posix, { maxLength: 3 }) }),
    rlimits: fc.record({ rlimits: list(fc.record({ cur: u64, max: u64 }), 16) }),
    signals_s: queue,
    sigactions: list(
      fc.record({
        ...{ sigaction: u64, flags: u64, restorer: u64, mask: u64, compat_sigaction: fc.constant(false) },
      }),
      62,
    ),
  }),
  maybe("loginuid", u32),
  maybe("oom_score_adj", fc.integer({ min: -1000, max: 1000 })),
  fc.record({ child_subreaper: fc.boolean() }),
  maybe("membarrier_registration_mask", fc.integer({ min: 1 })),
  fc.oneof(
    fc.constant({ task_state: 1 }),
    fc.integer({ min: 1, max: 64 }).map((stop_signo) => ({ task_state: 3, stop_signo })),
  ),
) as fc.Arbitrary<Partial<typeof TASK_CORE>>;

const caps = list(u32, 2);
const creds = merged<object>(
  valuesOf(CREDS_ENTRY, { tame: true, without: ({ label }) => label === "optional" }),
  fc.record({
    ...{ cap_inh: caps, cap_prm: caps, cap_eff: caps, cap_bnd: caps, cap_amb: caps },
    groups: fc.uniqueArray(u32, { maxLength: 5 }).map((groups) => groups.sort((a, b) => a - b)),
  }),
  // criu leaves it out where it is not set.
  maybe("no_new_privs", fc.constant(1)),
  maybe(
    "lsm_profile",
    fc.string({ minLength: 1, maxLength: 30 }).filter((text) => !text.includes("\0")),
  ),
) as fc.Arbitrary<typeof CREDS>;

const thread = merged<object>(
  fc.record({
    ...{ futex_rla: u64, futex_rla_len: listBytes, signals_p: queue, creds, cg_set: fc.constant(1) },
    sas: fc.oneof(
      fc.record({
        ss_sp: u64,
        ss_size: fc.bigInt({ min: 1n, max: 2n ** 32n - 1n }),
        ss_flags: fc.constant(0),
      }),
      fc.constant({ ss_sp: 0n, ss_size: 0n, ss_flags: 2 }),
    ),
    ...{ sched_nice: fc.integer({ min: -20, max: 19 }), sched_policy: fc.nat({ max: 6 }) },
  }),
  maybe("sched_prio", fc.integer({ min: 1, max: 99 })),
  maybe("pdeath_sig", fc.integer({ min: 1, max: 64 })),
  maybe(
    "rseq_entry",
    merged<object>(
      fc.record({ rseq_abi_pointer: u64, rseq_abi_size: u32, signature: u32 }),
      maybe("rseq_cs_pointer", fc.bigInt({ min: 1n, max: 2n ** 64n - 1n })),
    ),
  ),
) as fc.Arbitrary<Partial<typeof THREAD_CORE>>;

const parts: fc.Arbitrary<OneTask> = fc.record({
  registers: fc.record({ clear_tid_addr: u64, gpregs, fpregs, tls }),
  thread,
  task,
});

/** As it is read from an image, where each field stands in its place. */
function stored(core: CoreEntry): CoreEntry {
  return decodeMessage(CORE_ENTRY, encodeMessage(CORE_ENTRY, core));
}

test("the core of a task comes back from a stream as it was", () => {
  holds(
    fc.property(parts, (some) => {
      const all = { ...some, thread: { ...some.thread, comm: some.task?.comm ?? "" } };
      const back = thereAndBack(oneTaskSet(all)).required(IMAGES.CORE, PID);
      assert.equal(stored(back), stored(coreOf(all)));
    }),
    { numRuns: 100 },
  );
});

test.run();
