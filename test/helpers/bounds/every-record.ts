import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RECORDED_OBJECTS, RULES, type RuleName } from "../../../src/formats/linux-cr/grammar.js";
import { LinuxCrImage } from "../../../src/formats/linux-cr/image.js";
import { type Part, parseImage, type Tree } from "../../../src/formats/linux-cr/parse.js";
import { idOf, type RecordKind } from "../../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../src/formats/linux-cr/records.js";
import { WRITTEN_DIALECT } from "../../../src/formats/linux-cr/stream-writer.js";
import { encodeRecord } from "../../../src/formats/linux-cr/write.js";
import { MemorySource } from "../../../src/io/source.js";
import { SOCK_DEAD } from "../../../src/linux/sockets.js";
import { extendedStream } from "../extended-stream.js";
import { STREAM_FIXTURES, streamFixture } from "../images.js";
import { richStream } from "../rich-stream.js";
import type { HostileInput } from "./build.js";
import { FILLED_BYTES } from "./filled.js";

const R = RECORDS;

/** Repeated parts whose number stands in a field of the record before them; the others go on as long as one follows. */
const COUNTED: Readonly<Partial<Record<RuleName, readonly [kind: RecordKind, field: string]>>> = {
  descriptor: [R.FILE_TABLE, "fdt_nfds"],
  lock: [R.FILE_LOCKS, "nr_locks"],
  chunk: [R.FILE_UNLINKED, "nr_chunks"],
  watch: [R.INOTIFY, "nr_watches"],
  vma: [R.MM, "map_count"],
  shm: [R.IPC, "ipc_count"],
  msg: [R.IPC, "ipc_count"],
  sem: [R.IPC, "ipc_count"],
  message: [R.IPC_MSG, "q_qnum"],
  packet: [R.SOCKET_QUEUE, "skb_count"],
  fragment: [R.SOCKET_BUFFER, "nr_frags"],
  semUndo: [R.TASK_SEM_UNDO_LIST, "count"],
};

/** Fields that tell repeated parts apart, and by how much. */
type Steps = readonly (readonly [field: string, step: number])[];
const APART: ReadonlyMap<RecordKind, Steps> = new Map<RecordKind, Steps>([
  [R.FILE_DESC, [["fd_descriptor", 1]]],
  [
    R.VMA,
    [
      ["vm_start", 0x2000],
      ["vm_end", 0x2000],
    ],
  ],
  [R.INOTIFY_WATCH, [["wd", 1]]],
]);

/** A stream that crimg knows, taken apart. */
class Base {
  readonly image: LinuxCrImage;
  readonly tree: Tree;

  constructor(readonly bytes: Buffer) {
    this.image = new LinuxCrImage(new MemorySource(bytes, "base"));
    this.tree = parseImage(this.image);
  }

  raw(index: number): Buffer {
    const { offset, size } = this.image.range(index);
    return this.bytes.subarray(offset, offset + size + (this.image.rawPage(index)?.size ?? 0));
  }

  /** A copy of a record in which a number is another one. */
  with(index: number, changes: readonly (readonly [field: string, value: number])[]): Buffer {
    const copy = Buffer.from(this.raw(index));
    for (const [name, value] of changes) {
      const field = this.image.layout(index)?.fields[name];
      if (field === undefined) throw new Error(`${this.image.label(index)} has no ${name}`);
      if (field.size === 8) copy.writeBigUInt64LE(BigInt(value), field.offset);
      else copy.writeUInt32LE(value, field.offset);
    }
    return copy;
  }

  number(index: number, field: string): number {
    return Number(this.image.fields(index)[field]);
  }

  /** The stream with some records replaced and others put in before. */
  rebuilt(replaced: ReadonlyMap<number, Buffer>, before: ReadonlyMap<number, Buffer>): Buffer {
    const parts: Buffer[] = [];
    for (let i = 0; i < this.image.length; i++)
      parts.push(before.get(i) ?? NOTHING, replaced.get(i) ?? this.raw(i));
    return Buffer.concat(parts);
  }

  *parts(): Generator<Part> {
    for (const part of [...this.tree.tasks, ...this.tree.objects.values()]) yield* withInner(part);
  }
}

const NOTHING = Buffer.alloc(0);

function* withInner(part: Part): Generator<Part> {
  yield part;
  for (const each of part.parts) yield* withInner(each);
  if (part.deferred !== undefined) yield* withInner(part.deferred);
}

/** All records of a part in the order of the stream, without the objects that stand between. */
function recordsOf(part: Part): number[] {
  return [...part.records, ...part.parts.flatMap(recordsOf)].sort((a, b) => a - b);
}

function bases(): Base[] {
  return [
    extendedStream(),
    richStream(WRITTEN_DIALECT, { dialectRecords: true }),
    ...STREAM_FIXTURES.map((name) => readFileSync(streamFixture(name))),
  ].map((bytes) => new Base(bytes));
}

/** A hostile stream of every kind of record, of every part that may be repeated, and of every object. */
export function everyRecord(): readonly HostileInput[] {
  const all = bases();
  const kinds: readonly RecordKind[] = Object.values(RECORDS);
  return [
    ...kinds.flatMap((kind) => repeatedRecord(kind, all)),
    ...(Object.keys(RULES) as RuleName[]).flatMap((rule) => repeatedPart(rule, all)),
    ...RECORDED_OBJECTS.flatMap((rule) => manyObjects(rule, all)),
  ];
}

function input(title: string, make: () => Buffer): HostileInput {
  return {
    name: `a stream of ${title}`,
    worst: [],
    make: (directory) => {
      const path = join(directory, "hostile");
      writeFileSync(path, make());
      return path;
    },
  };
}

/** The same record again and again behind itself; one that no stream has, before the tail. */
function repeatedRecord(kind: RecordKind, all: readonly Base[]): HostileInput[] {
  const title = `the record ${kind.name} again and again`;
  for (const base of all)
    for (let i = 0; i < base.image.length; i++)
      if (base.image.kind(i) === kind)
        return [input(title, () => base.rebuilt(new Map(), new Map([[i, again(base.raw(i))]])))];
  const [first] = all;
  if (first === undefined || idOf(kind, WRITTEN_DIALECT.commit) === undefined) return [];
  const made = encodeRecord(kind, WRITTEN_DIALECT, "little-endian");
  return [input(title, () => first.rebuilt(new Map(), new Map([[first.image.length - 1, again(made)]])))];
}

function again(record: Buffer): Buffer {
  const count = Math.floor(FILLED_BYTES / record.length);
  return Buffer.alloc(count * record.length, record);
}

/** A part many times, counted where it is. */
function repeatedPart(rule: RuleName, all: readonly Base[]): HostileInput[] {
  const counted = COUNTED[rule];
  if (counted === undefined) return [];
  const [kind, field] = counted;
  for (const base of all)
    for (const owner of base.parts()) {
      const part = owner.parts.find((each) => each.rule === rule);
      const first = part?.records[0];
      const head = owner.records.findLast((index) => base.image.kind(index) === kind && index < (first ?? 0));
      if (part === undefined || first === undefined || head === undefined) continue;
      const records = recordsOf(part);
      const size = records.reduce((sum, index) => sum + base.raw(index).length, 0);
      const count = Math.floor(FILLED_BYTES / size);
      return [false, true].map((areApart) =>
        input(`many ${rule}s${areApart ? " of their own" : ""}`, () => {
          const copies = Buffer.concat(
            Array.from({ length: count }, (_, nth) =>
              Buffer.concat(records.map((index) => copyOf(base, index, areApart ? nth + 1 : 0))),
            ),
          );
          const fresh = base.with(head, [[field, base.number(head, field) + count]]);
          return base.rebuilt(new Map([[head, fresh]]), new Map([[first, copies]]));
        }),
      );
    }
  return [];
}

function copyOf(base: Base, index: number, nth: number): Buffer {
  const fields = APART.get(base.image.kind(index) as RecordKind) ?? [];
  if (nth === 0 || fields.length === 0) return base.raw(index);
  return base.with(
    index,
    fields.map(([field, step]) => [
      field,
      base.number(index, field) + 0x1000_0000 * Math.sign(step - 1) + nth * step,
    ]),
  );
}

/** Many objects of a type, each with a number of its own; files with a descriptor each. */
function manyObjects(rule: (typeof RECORDED_OBJECTS)[number], all: readonly Base[]): HostileInput[] {
  const seen = new Set<number>();
  const inputs: HostileInput[] = [];
  for (const base of all)
    for (const part of base.tree.objects.values()) {
      const first = part.records[0];
      if (part.rule !== rule || first === undefined || part.objref === undefined) continue;
      const sort = rule === "FILE" ? base.number(first, "f_type") : 0;
      if (seen.has(sort) || (rule === "FILE" && part.deferred !== undefined)) continue;
      seen.add(sort);
      inputs.push(
        input(`many objects ${rule}${rule === "FILE" ? ` of type ${sort}` : ""}`, () =>
          objectsOf(base, part, first),
        ),
      );
    }
  return inputs;
}

function objectsOf(base: Base, part: Part, first: number): Buffer {
  const head = objectRecord(base, part);
  const records = recordsOf(part);
  const isFile = part.rule === "FILE";
  const size = records.reduce((sum, index) => sum + base.raw(index).length, base.raw(head).length);
  const count = Math.floor(FILLED_BYTES / size);
  const free = Math.max(...base.tree.objects.keys()) + 100;
  const copies = Array.from({ length: count }, (_, nth) => {
    const objref = free + nth;
    const body = records.map((index) => {
      const kind = base.image.kind(index);
      if (kind === R.FILE && base.image.fields(index).pipe_objref !== undefined)
        return base.with(index, [["pipe_objref", free + count + nth]]);
      return kind === R.SOCKET ? dead(base, index) : base.raw(index);
    });
    return Buffer.concat([base.with(head, [["objref", objref]]), ...body]);
  });
  const before = new Map([[first, Buffer.concat(copies)]]);
  const replaced = new Map<number, Buffer>();
  if (isFile) addDescriptors(base, before, replaced, count, free);
  return base.rebuilt(replaced, before);
}

function objectRecord(base: Base, part: Part): number {
  for (let i = 0; i < base.image.length; i++)
    if (base.image.kind(i) === R.OBJREF && base.number(i, "objref") === part.objref) return i;
  throw new Error(`object ${part.objref} has no OBJREF`);
}

/** A socket without queues at the end of the descriptor table. */
function dead(base: Base, index: number): Buffer {
  const copy = Buffer.from(base.raw(index));
  const sock = base.image.layout(index)?.fields.sock;
  const flags = typeof sock?.type === "object" ? sock.type.fields.flags : undefined;
  if (sock === undefined || flags === undefined) throw new Error("SOCKET has no sock.flags");
  const at = sock.offset + flags.offset;
  copy.writeBigUInt64LE(copy.readBigUInt64LE(at) | SOCK_DEAD, at);
  return copy;
}

function addDescriptors(
  base: Base,
  before: Map<number, Buffer>,
  replaced: Map<number, Buffer>,
  count: number,
  free: number,
): void {
  const table = [...base.tree.objects.values()].find(({ rule }) => rule === "FILE_TABLE");
  const head = table?.records[0];
  const first = table?.parts.find(({ rule }) => rule === "descriptor")?.records[0];
  if (head === undefined || first === undefined) return;
  const descriptors = Array.from({ length: count }, (_, nth) =>
    base.with(first, [
      ["fd_objref", free + nth],
      ["fd_descriptor", 1000 + nth],
    ]),
  );
  replaced.set(head, base.with(head, [["fdt_nfds", base.number(head, "fdt_nfds") + count]]));
  // The copies of the objects stand before the first descriptor that may name them, or before this one.
  before.set(first, Buffer.concat([before.get(first) ?? NOTHING, ...descriptors]));
}

/** Kinds of records of the written header set that no input repeats: for the test that none is forgotten. */
export function forgotten(): string[] {
  const all = bases();
  const kinds: readonly RecordKind[] = Object.values(RECORDS);
  return kinds
    .filter(
      (kind) => idOf(kind, WRITTEN_DIALECT.commit) !== undefined && repeatedRecord(kind, all).length === 0,
    )
    .map(({ name }) => name);
}
