/**
 * Checkpoint, restore, checkpoint: the second image of a process in which nothing happens holds what the first one holds,
 * but for what the kernel itself writes. What may differ stands here, field by field.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { RECORDS } from "../../src/formats/linux-cr/records.js";
import { type Document, openDocument } from "../../src/index.js";
import { crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory, startProgram } from "../helpers/live.js";
import { checkpointed, needsSlim, restored } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

type Stream = Extract<Document, { family: "linux-cr" }>["image"];

/** Fields that may differ, with the reason. */
const ALLOWED: Readonly<Record<string, string>> = {
  "HEADER.time": "when the image was made",
  "CLOCKS.realtime_ns": "when the image was made",
  "CLOCKS.monotonic_ns": "when the image was made",
  "FILE_UNLINKED.ino": "a file without a name is made anew",
  "FILE_IDENTITY.ino": "the same",
  "POSIX_TIMER.value_ns": "time that is left",
  "TIMERFD.value_ns": "time that is left",
  "RESTART_BLOCK.arg_4": "time that is left",
  // A call that was re-armed is restart_syscall(2) from then on, which has the arguments of the call itself.
  "CPU.orig_ax": "the kernel goes on with an interrupted call by restart_syscall",
  "RESTART_BLOCK.function_type": "of a call made by syscall(3), which hides its number from restart_syscall",
  "RESTART_BLOCK.arg_0": "the same",
  "RESTART_BLOCK.arg_2": "the same",
};
const RSEQ_BYTES = 32;
const TIMESPEC_BYTES = 16;
const RESTART_BLOCK_RAX = -516n;
const SLEEP = 2n;
const PAGE = 4096;

const fixpoint = suite("fixpoint of the slim engine", {}, 120);
const dir = freshDirectory("fixpoint");

fixpoint.before(needsSlim);
fixpoint.after(cleanUp);

fixpoint("a second checkpoint holds what the first one holds", async () => {
  const work = join(dir, "work");
  mkdirSync(work);
  const live = await startProgram("still", work);
  const [first, second] = [join(dir, "first.ckpt"), join(dir, "second.ckpt")];
  await checkpointed(live, first);
  await restored(first);
  await checkpointed(live, second);
  const diff = await crimg(["diff", first, second, "--json"]);
  assert.equal(strange(JSON.parse(diff.stdout)), []);
  const [a, b] = [openDocument(first), openDocument(second)];
  try {
    const found = differences(imageOf(a), imageOf(b));
    assert.equal(
      found.filter((what) => !(what in ALLOWED)),
      [],
    );
    process.stdout.write(`\n  differs: ${[...new Set(found)].join(", ") || "nothing"}\n`);
  } finally {
    a.close();
    b.close();
  }
});

/** What `crimg diff` tells beside times, restarted calls, and pages, which are compared below. */
function strange({
  differences,
}: {
  differences: { section: string; label: string; status: string; changes?: { field: string }[] }[];
}): string[] {
  return differences
    .filter(({ section, changes = [] }) => {
      const fields = changes.map(({ field }) => field);
      if (section === "timers") return !fields.every((field) => field === "left");
      if (section === "registers") return !fields.every((field) => field === "orig_ax");
      return section !== "memory" || !fields.every((field) => field === "pages");
    })
    .filter(({ label }) => !label.startsWith("futex timer"))
    .map(
      ({ section, status, label, changes = [] }) =>
        `${section}: ${status} ${label} ${JSON.stringify(changes)}`,
    );
}

function imageOf(document: Document): Stream {
  if (document.family !== "linux-cr") throw new Error("no stream");
  return document.image;
}

/** `RECORD.field` for each field that differs; of pages the addresses of words that the kernel does not write. */
function differences(a: Stream, b: Stream): string[] {
  assert.is(b.length, a.length, "records");
  const found: string[] = [];
  const written = [...kernelWrites(a), ...kernelWrites(b)];
  for (let i = 0; i < a.length; i++) {
    assert.is(b.id(i), a.id(i), `record ${i}`);
    const kind = a.kind(i);
    if (i > 0 && a.kind(i - 1) === RECORDS.PGARR && kind === RECORDS.BUFFER) {
      const pages = Number(a.value(i - 1, RECORDS.PGARR).nr_pages);
      found.push(...pageDifferences(a.bytes(i), b.bytes(i), pages, written));
      continue;
    }
    const [left, right] = [a.range(i), b.range(i)];
    if (a.read(left.offset, left.size).equals(b.read(right.offset, right.size))) continue;
    const [one, other] = [a.fields(i), b.fields(i)];
    const names = Object.keys(one).filter((name) => !same(one[name], other[name]));
    found.push(
      ...(names.length > 0 ? names.map((name) => `${kind?.name}.${name}`) : [`${kind?.name} payload`]),
    );
  }
  return found;
}

/** Restartable sequences, where the kernel notes the processor, and where it notes what is left of a sleep: [start, end). */
function* kernelWrites(image: Stream): Generator<readonly [bigint, bigint]> {
  let isSleep = false;
  for (let i = 0; i < image.length; i++) {
    const kind = image.kind(i);
    if (kind === RECORDS.RSEQ) {
      const { abi_pointer: at } = image.value(i, RECORDS.RSEQ);
      yield [at, at + BigInt(RSEQ_BYTES)];
    }
    if (kind === RECORDS.RESTART_BLOCK)
      isSleep = image.value(i, RECORDS.RESTART_BLOCK).function_type === SLEEP;
    if (kind !== RECORDS.CPU || !isSleep) continue;
    const fields = image.fields(i) as Record<string, bigint>;
    assert.is(BigInt.asIntN(64, fields.ax ?? 0n), RESTART_BLOCK_RAX);
    for (const at of [fields.si ?? 0n, fields.r10 ?? 0n]) yield [at, at + BigInt(TIMESPEC_BYTES)];
  }
}

function pageDifferences(
  a: Buffer,
  b: Buffer,
  pages: number,
  written: readonly (readonly [bigint, bigint])[],
): string[] {
  const found: string[] = [];
  assert.is(b.length, a.length);
  assert.ok(a.subarray(0, pages * 8).equals(b.subarray(0, pages * 8)), "the same pages are saved");
  for (let at = pages * 8; at < a.length; at += 8) {
    if (a.readBigUInt64LE(at) === b.readBigUInt64LE(at)) continue;
    const inPages = at - pages * 8;
    const address = a.readBigUInt64LE(Math.floor(inPages / PAGE) * 8) + BigInt(inPages % PAGE);
    if (!written.some(([start, end]) => address >= start && address < end))
      found.push(`memory at 0x${address.toString(16)}`);
  }
  return found;
}

function same(a: unknown, b: unknown): boolean {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}n` : each));
  return text(a) === text(b);
}

fixpoint.run();
