import fc from "fast-check";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../../../src/formats/linux-cr/image.js";
import { ownRecords } from "../../../../src/formats/linux-cr/own-records.js";
import { parseImage, type Tree } from "../../../../src/formats/linux-cr/parse.js";
import { type Dialect, idOf, type RecordKind } from "../../../../src/formats/linux-cr/record-kind.js";
import { EXTENSIONS_RECORDS } from "../../../../src/formats/linux-cr/records/extensions.js";
import { RECORDS } from "../../../../src/formats/linux-cr/records.js";
import {
  ARCHITECTURES,
  archNumbering,
  COMMITS,
  isSince,
} from "../../../../src/formats/linux-cr/revisions.js";
import { editSplices, encodeRecord, textPayload } from "../../../../src/formats/linux-cr/write.js";
import { MemorySource } from "../../../../src/io/source.js";
import { SplicedSource } from "../../../../src/io/splice.js";
import { StreamBuilder } from "../../../helpers/build-stream.js";
import { holds } from "../../../helpers/property.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";
import { walkStream } from "../../../helpers/walk-stream.js";

const R = RECORDS;
const KINDS: readonly RecordKind[] = Object.values(EXTENSIONS_RECORDS);
const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;
const test = suite("linux-cr: extension records");

function open(bytes: Buffer): LinuxCrImage {
  return new LinuxCrImage(new MemorySource(bytes, "test.ckpt"));
}

function parse(bytes: Buffer): Tree & { image: LinuxCrImage } {
  const image = open(bytes);
  return { ...parseImage(image), image };
}

/** Records put into an image before or behind the nth record of a kind. */
type Additions = ReadonlyMap<RecordKind, (nth: number) => Buffer | undefined>;

const NOTHING = Buffer.alloc(0);

function withAdditions(bytes: Buffer, before: Additions, behind: Additions): Buffer {
  const image = open(bytes);
  const seen = new Map<RecordKind, number>();
  const out: Buffer[] = [];
  for (let i = 0; i < image.length; i++) {
    const { offset, size } = image.range(i);
    const kind = image.kind(i) as RecordKind;
    const nth = seen.get(kind) ?? 0;
    seen.set(kind, nth + 1);
    const record = [bytes.subarray(offset, offset + size), pageBehind(image, i, bytes)];
    out.push(before.get(kind)?.(nth) ?? NOTHING, ...record, behind.get(kind)?.(nth) ?? NOTHING);
  }
  return Buffer.concat(out);
}

function pageBehind(image: LinuxCrImage, index: number, bytes: Buffer): Buffer {
  const raw = image.rawPage(index);
  return raw === undefined ? Buffer.alloc(0) : bytes.subarray(raw.offset, raw.offset + raw.size);
}

/** The published layouts: id, size of the fixed part, what stands behind it, and each field. */
const LAYOUTS = `
EXTENSIONS 20000 24 - version:u32@8 oldest_reader:u32@12 writer:u32@16
CLOCKS 20001 40 - realtime_ns:u64@8 monotonic_ns:s64@16 boottime_ns:s64@24 flags:u32@32
CGROUP_SET 20002 16 text set_id:u32@8
SECCOMP_FILTER 20003 24 bytes filter_ref:s32@8 prev_ref:s32@12 flags:u32@16
TASK_EXTRA 20010 88 - oom_score_adj:s32@8 loginuid:u32@12 sched_policy:u32@16 sched_nice:s32@20 sched_priority:u32@24 no_new_privs:u32@28 cap_ambient:u64@32 child_subreaper:u32@40 stop_signo:u32@44 seccomp_mode:u32@48 seccomp_filter:s32@52 personality:u64@56 cgroup_set:u32@64 thp_disabled:u32@68 membarrier_mask:u32@72 flags:u32@76
RSEQ 20011 32 - abi_pointer:u64@8 abi_size:u32@16 signature:u32@20 cs_pointer:u64@24
XSTATE 20012 32 bytes xstate_bv:u64@8 xcomp_bv:u64@16 nr_components:u32@24
POSIX_TIMER 20013 72 - timer_id:u32@8 clock_id:s32@12 sigev_notify:u32@16 signo:u32@20 overrun:u32@24 notify_tid:s32@28 sigval:u64@32 value_ns:u64@40 interval_ns:u64@48 flags:u32@56
IPC_NS_EXTRA 20014 56 - auto_msgmni:u32@8 shm_rmid_forced:u32@12 mq_queues_max:u32@16 mq_msg_max:u32@20 mq_msgsize_max:u32@24 mq_msg_default:u32@28 mq_msgsize_default:u32@32 msg_next_id:s32@36 sem_next_id:s32@40 shm_next_id:s32@44
FILE_IDENTITY 20020 64 bytes file_objref:s32@8 mode:u32@12 dev:u64@16 ino:u64@24 size:u64@32 mtime_sec:s64@40 mtime_nsec:u32@48 flags:u32@52
PIPE_STATE 20021 16 - capacity:u32@8
TIMERFD 20022 48 - clock_id:u32@8 settime_flags:u32@12 ticks:u64@16 value_ns:u64@24 interval_ns:u64@32
SIGNALFD 20023 16 - sigmask:bytes@8
MEMFD 20024 48 text inode_objref:s32@8 seals:u32@12 mode:u32@16 uid:u32@20 gid:u32@24 flags:u32@28 size:u64@32
INOTIFY 20025 16 - nr_watches:u32@8
INOTIFY_WATCH 20026 32 path wd:s32@8 mask:u32@12 ino:u64@16 dev:u32@24
OPENED_NAME 20027 16 path file_objref:s32@8
UNLINKED_EXTRA 20028 40 - file_objref:s32@8 inode_objref:s32@12 atime_sec:s64@16 atime_nsec:u32@24 rdev:u32@28 flags:u32@32
SOCKET_EXTRA 20030 64 - inode:u64@8 mode:u32@16 uid:u32@20 gid:u32@24 flags:u32@28 so_options:u64@32 v6_only:u32@40 ifindex:u32@44 so_mark:u32@48 so_priority:u32@52
TCP_EXTRA 20031 32 - opt_mask:u32@8 snd_wscale:u32@12 rcv_wscale:u32@16 mss_clamp:u32@20 timestamp:u32@24 flags:u32@28
PACKET_RIGHTS 20032 16 u32 nr_files:u32@8
TTY_EXTRA 20033 40 bytes flags:u32@8 uid:u32@12 gid:u32@16 mode:u32@20 sid_ref:s32@24 pgrp_ref:s32@28 rdev:u32@32
FS_EXTRA 20034 24 - cwd_objref:s32@8 root_objref:s32@12 cwd_mode:u32@16 root_mode:u32@20
SOCKET_NETLINK 20035 32 - portid:u32@8 groups:u32@12 dst_portid:u32@16 dst_group:u32@20 flags:u32@24
SOCKET_PACKET 20036 40 - protocol:u32@8 ifindex:u32@12 version:u32@16 reserve:u32@20 timestamp:u32@24 copy_thresh:u32@28 fanout:u32@32 flags:u32@36
VMA_EXTRA 20040 32 text madv:u64@8 kind:u32@16 flags:u32@20
SYSV_SEGMENT 20041 48 - shmid:s32@8 key:u32@12 uid:u32@16 gid:u32@20 cuid:u32@24 cgid:u32@28 mode:u32@32 size:u64@40
GUARD_PAGES 20042 24 - start:u64@8 end:u64@16`;

test("ids, sizes and offsets are those that were published, the same in all header sets", () => {
  const ours = KINDS.map((kind) => {
    const [layout] = kind.layouts;
    const fields = Object.entries(layout?.table.fields ?? {}).map(
      ([name, { type, offset }]) => `${name}:${type}@${offset}`,
    );
    for (const commit of COMMITS) assert.is(idOf(kind, commit), kind.ids[0]?.[0]);
    assert.is((layout?.table.size ?? 0) % 8, 0, kind.name);
    assert.is(kind.certainty, "our extension");
    return [kind.name, kind.ids[0]?.[0], layout?.table.size, kind.payload ?? "-", ...fields].join(" ");
  });
  assert.is(ours.join("\n"), LAYOUTS.trim());
});

const WORDS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  u32: fc.nat({ max: 0xffffffff }),
  s32: fc.integer(),
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  s64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  bytes: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
};

function valuesOf(kind: RecordKind): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(kind.layouts[0]?.table.fields ?? {});
  const arbitraries = fields.map(([name, { type }]) => [name, WORDS[type as string]]);
  return fc.record(Object.fromEntries(arbitraries), { noNullPrototype: true });
}

function payloadOf(kind: RecordKind): fc.Arbitrary<Buffer> {
  if (kind.payload === undefined) return fc.constant(Buffer.alloc(0));
  if (kind.payload === "u32") return fc.nat({ max: 9 }).map((count) => Buffer.alloc(count * 4, count));
  if (kind.payload === "bytes") return fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  return fc.string().map((text) => textPayload(kind, text.replaceAll("\0", "")));
}

for (const kind of KINDS)
  test(`${kind.name} is read back as it was written, in both byte orders`, () => {
    holds(
      fc.property(valuesOf(kind), payloadOf(kind), fc.boolean(), (fields, payload, isLittle) => {
        const dialect = { commit: "b6cdf01", arch: ARCHITECTURES[isLittle ? "X86_64" : "S390X"] } as const;
        const builder = new StreamBuilder(dialect).head([[7, 0, 7, 7, 7]]);
        const image = open(builder.add(kind, fields, payload).tail().bytes);
        const index = image.length - 2;
        assert.is(image.kind(index), kind);
        const counted = kind.count === undefined ? {} : { [kind.count]: payload.length / 4 };
        assert.equal(image.fields(index), { ...fields, ...counted });
        assert.equal(image.bytes(index), payload);
        const { offset, size } = image.range(index);
        const again = encodeRecord(kind, dialect, image.byteOrder, image.fields(index), image.bytes(index));
        assert.equal(again, image.source.read(offset, size));
      }),
      { numRuns: 30 },
    );
  });

const UNKNOWN_ID = 20999;

function unknownRecord(dialect: Dialect): Buffer {
  const out = Buffer.alloc(24, 0xee);
  const isLittle = dialect.arch.byteOrder === "little-endian";
  for (const [at, value] of [UNKNOWN_ID, out.length].entries())
    if (isLittle) out.writeUInt32LE(value, at * 4);
    else out.writeUInt32BE(value, at * 4);
  return out;
}

const MEMFD_INODE = 1000;

/** A rich image with each extension record in its place, and one of a later version here and there. */
function extendedStream(dialect: Dialect): Buffer {
  const make = (build: (builder: StreamBuilder) => StreamBuilder): Buffer =>
    build(new StreamBuilder(dialect)).bytes;
  const text = (kind: RecordKind, value: string): Buffer => textPayload(kind, value);
  const unknown = unknownRecord(dialect);
  const pages = (b: StreamBuilder): StreamBuilder =>
    b
      .add(R.PGARR, { nr_pages: 1n })
      .buffer(dialect.arch.wordBytes + 4096)
      .add(R.PGARR);
  const file = (b: StreamBuilder, objref: number, type: number): StreamBuilder => {
    b.objref("FILE", objref);
    return b.add(R.FILE, { f_type: type });
  };
  const head = make((b) =>
    b
      .add(R.EXTENSIONS, { version: 1, oldest_reader: 1, writer: 1 })
      .raw(unknown)
      .add(R.CLOCKS, { realtime_ns: 5n })
      .add(R.SECCOMP_FILTER, { filter_ref: 1 }, Buffer.alloc(16))
      .add(R.CGROUP_SET, { set_id: 1 }, text(R.CGROUP_SET, "cpu:/a\n")),
  );
  const task = make((b) =>
    b
      .add(R.RSEQ, { signature: 0x53053053 })
      .raw(unknown)
      .add(R.POSIX_TIMER, { timer_id: 1 })
      .add(R.POSIX_TIMER, { timer_id: 2 })
      .add(R.XSTATE, {}, Buffer.alloc(264))
      .add(R.TASK_EXTRA, { oom_score_adj: -17 }),
  );
  const files = make((b) => {
    file(b, 900, 1001).add(R.FILE_OWNER).add(R.TIMERFD, { ticks: 1n });
    file(b, 901, 1002)
      .add(R.SIGNALFD, { sigmask: Buffer.alloc(8, 1) })
      .add(R.UNLINKED_EXTRA);
    b.add(R.OPENED_NAME, {}, text(R.OPENED_NAME, "/dev/pts/0"));
    file(b, 902, 1003).add(R.MEMFD, { inode_objref: MEMFD_INODE }, text(R.MEMFD, "shared"));
    pages(b).add(R.FILE_IDENTITY, { file_objref: 902 });
    file(b, 903, 1003).add(R.MEMFD, { inode_objref: MEMFD_INODE }, text(R.MEMFD, "shared"));
    file(b, 904, 1004).add(R.INOTIFY, { nr_watches: 2 });
    for (const wd of [1, 2]) b.add(R.INOTIFY_WATCH, { wd }, text(R.INOTIFY_WATCH, `/watched/${wd}`));
    for (const [family, own] of [
      [16, R.SOCKET_NETLINK],
      [17, R.SOCKET_PACKET],
    ] as const) {
      b.objref("SOCK", 900 + family);
      // Listening sockets have no queues.
      b.add(R.SOCKET, { sock_common: { family }, sock: { state: 10 } }).add(own);
    }
    return b;
  });
  const guards = make((b) => b.add(R.GUARD_PAGES, { start: 4096n, end: 8192n }).add(R.GUARD_PAGES));
  const { family } = dialect.arch;
  const first = (bytes: Buffer) => (nth: number) => (nth === 0 ? bytes : undefined);
  const hasPages = (type: number): boolean => [2, 3, 4].includes(type);
  const types = [3, 2, 4, 1];
  return withAdditions(
    richStream(dialect, { dialectRecords: true }),
    new Map<RecordKind, (nth: number) => Buffer | undefined>([
      [R.TASK, first(head)],
      [R.NS, first(make((b) => b.add(R.IPC_NS_EXTRA)))],
      // The second queue of the first socket stands behind the packet in its first one.
      [
        R.SOCKET_QUEUE,
        (nth) => (nth === 1 ? make((b) => b.add(R.PACKET_RIGHTS, {}, b.u32s(900, 901))) : undefined),
      ],
    ]),
    new Map<RecordKind, (nth: number) => Buffer | undefined>([
      [R.SIGNAL_TASK, (nth) => (nth < 2 ? task : undefined)],
      [R.TASK_CREDS, first(files)],
      [
        R.FILE_OWNER,
        () =>
          make((b) =>
            b
              .add(R.FILE_IDENTITY, {}, Buffer.alloc(20, 7))
              .add(R.UNLINKED_EXTRA)
              .add(R.OPENED_NAME, {}, text(R.OPENED_NAME, "/dev/tty")),
          ),
      ],
      // The fifth name is that of the root directory, where there is FS.
      [R.FILE_NAME, (nth) => (nth === 4 ? make((b) => b.add(R.FS_EXTRA, { cwd_objref: 900 })) : undefined)],
      [R.PIPE_BUF, () => make((b) => b.add(R.PIPE_STATE, { capacity: 4096 }))],
      [R.SOCKET_UNIX, first(make((b) => b.add(R.TCP_EXTRA).add(R.SOCKET_EXTRA, { inode: 77n })))],
      [
        R.TTY,
        (nth) => (nth === 1 ? make((b) => b.add(R.TTY_EXTRA, { uid: 5 }, Buffer.alloc(48))) : undefined),
      ],
      // The last record of an address space; processors of the family powerpc have none behind the VMAs.
      [family === "x86" ? R.MM_CONTEXT_LDT : R.MM_CONTEXT, first(guards)],
      [
        R.VMA,
        (nth) => {
          const type = types[nth] as number;
          const extra = { madv: 1n << 14n, flags: hasPages(type) ? 0 : 1 };
          return make((b) => {
            b.add(R.VMA_EXTRA, extra, text(R.VMA_EXTRA, "[vdso]"));
            if (nth === 0) b.add(R.SYSV_SEGMENT, { shmid: 7, size: 4096n });
            if (!hasPages(type)) pages(b);
            return nth === types.length - 1 && family === "powerpc" ? b.raw(guards) : b;
          });
        },
      ],
    ]),
  );
}

for (const commit of COMMITS)
  for (const arch of archNumbering(commit))
    test(`an image of ${commit} on ${arch} with all of them is read to its end`, () => {
      const dialect = { commit, arch: ARCHITECTURES[arch] };
      const bytes = extendedStream(dialect);
      const { image, problem, tasks, objects, unknown } = parse(bytes);
      assert.is(problem?.message, undefined);
      assert.is(tasks.length, 4);
      assert.equal(image.revision.doubts, []);
      assert.is(image.dialect.commit, open(richStream(dialect)).dialect.commit);
      const walked = walkStream(bytes);
      assert.is(walked.end, bytes.length);
      assert.is(walked.records.length, image.length);
      assert.equal(
        unknown.map((record) => image.id(record)),
        [UNKNOWN_ID, UNKNOWN_ID, UNKNOWN_ID],
      );
      for (const kind of KINDS)
        assert.ok(
          (kind === R.FS_EXTRA && !isSince(commit, "c97c03d")) ||
            walked.records.some(({ id }) => id === kind.ids[0]?.[0]),
          `${kind.name} is not in the image`,
        );
      const memory = [902, 903].map((objref) => objects.get(objref));
      assert.equal(
        memory.map((part) => part?.pageArrays.length),
        [1, 0],
      );
      assert.is(objects.get(904)?.parts.length, 2);
      const vdso = [...objects.values()].find(({ rule }) => rule === "MM")?.parts.at(-1);
      assert.is(vdso?.pageArrays.length, 1);
      assert.equal(
        tasks.map(({ records }) => records.filter((i) => image.kind(i) === R.POSIX_TIMER).length),
        [2, 2, 0, 0],
      );
    });

test("what is crimg's own is counted by name, with version and writer", () => {
  const { dialect, extensions } = ownRecords(open(extendedStream(NEWEST)));
  assert.equal(dialect, { FILE_LOCKS: 10, FILE_LOCK: 3, FILE_OWNER: 2 });
  assert.is(extensions?.version, 1);
  assert.is(extensions?.writer, "crimg convert");
  assert.is(extensions?.records.POSIX_TIMER, 4);
  assert.equal(extensions?.unknown, { [UNKNOWN_ID]: 3 });
  assert.is(ownRecords(open(richStream(NEWEST))).extensions, undefined);
});

test("a record that a later version made longer is read, and an edit keeps what was added", () => {
  const bytes = extendedStream(NEWEST);
  const image = open(bytes);
  const at = Array.from({ length: image.length }, (_, i) => i).find(
    (i) => image.kind(i) === R.TASK_EXTRA,
  ) as number;
  const { offset, size } = image.range(at);
  const longer = Buffer.concat([bytes.subarray(offset, offset + size), Buffer.from("appended")]);
  longer.writeUInt32LE(longer.length, 4);
  const grown = Buffer.concat([bytes.subarray(0, offset), longer, bytes.subarray(offset + size)]);
  const later = parse(grown);
  assert.is(later.problem, undefined);
  assert.equal(later.image.revision.doubts, []);
  assert.is(later.image.value(at, R.TASK_EXTRA).oom_score_adj, -17);
  const splices = editSplices(later.image, new Map([[at, { fields: { oom_score_adj: 500 } }]]));
  const edited = new SplicedSource(later.image.source, splices);
  const expected = Buffer.from(grown);
  expected.writeInt32LE(500, offset + 8);
  assert.equal(edited.read(0, edited.size), expected);
});

test("a longer name of a memory file mends the length of its record and keeps the fields", () => {
  const image = open(extendedStream(NEWEST));
  const at = Array.from({ length: image.length }, (_, i) => i).find(
    (i) => image.kind(i) === R.MEMFD,
  ) as number;
  const payload = textPayload(R.MEMFD, "a longer name");
  const source = new SplicedSource(image.source, editSplices(image, new Map([[at, { payload }]])));
  const { problem, image: edited } = parse(source.read(0, source.size));
  assert.is(problem, undefined);
  assert.is(edited.text(at), "a longer name");
  assert.is(edited.value(at, R.MEMFD).inode_objref, MEMFD_INODE);
  assert.is(edited.range(at).size, 48 + payload.length);
});

test("an image that only later readers understand is refused with its place", () => {
  const bytes = new StreamBuilder(NEWEST)
    .head([[7, 0, 7, 7, 7]])
    .add(R.EXTENSIONS, { version: 3, oldest_reader: 2 })
    .tail().bytes;
  const { problem } = parse(bytes);
  assert.match(problem?.message ?? "", /need a reader of version 2 .*\(in \[\d+\]/);
});

test.run();
