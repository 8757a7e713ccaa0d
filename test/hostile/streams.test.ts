import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../src/formats/linux-cr/image.js";
import { RECORDS } from "../../src/formats/linux-cr/records.js";
import { ARCHITECTURES } from "../../src/formats/linux-cr/revisions.js";
import { MemorySource } from "../../src/io/source.js";
import { decodeStream } from "../../src/ops/recode/decode-stream.js";
import { StreamBuilder } from "../helpers/build-stream.js";
import { crimg, preloading } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { richStream } from "../helpers/rich-stream.js";
import { suite } from "../helpers/suite.js";

const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;
const RICH = richStream(NEWEST, { dialectRecords: true });
const R = RECORDS;
const MIB = 1024 * 1024;
const MAX_PEAK = 256 * MIB;
const MAX_SECONDS = 10;
const PEAK = fileURLToPath(new URL("../helpers/peak.cjs", import.meta.url));
const test = suite("hostile: linux-cr streams", undefined, 240);
test.after(cleanUp);

const scratch = freshDirectory("streams");
const FILE = join(scratch, "hostile.ckpt");
const CONVERTED = join(scratch, "converted");

/** Every command that reads a stream, and with what arguments. */
const COMMANDS: readonly (readonly string[])[] = [
  ["info"],
  ["show"],
  ["show", "--json"],
  ["dump"],
  ["find", "no such text"],
  ["decode", "--nopl"],
  ["validate"],
  ["edit", "--remap-path", "/var=/moved", "--dry-run"],
  ["convert", CONVERTED, "--lossy"],
];

/** Runs a command over a file: an answer or one sentence, in bounded time and memory, nothing raw on the terminal. */
async function runs(file: string, [command = "", ...args]: readonly string[]): Promise<string> {
  const peak = join(scratch, "peak");
  const isShow = command === "show";
  rmSync(CONVERTED, { recursive: true, force: true });
  const start = performance.now();
  const { code, stdout, stderr } = await crimg([command, file, ...args], {
    env: { NODE_OPTIONS: preloading(PEAK), CRIMG_TEST_PEAK: peak },
    seconds: 120,
  });
  const seconds = (performance.now() - start) / 1000;
  const what = `${command} ${args.join(" ")}: `;
  assert.ok(code === 0 || code === 1 || code === 2, `${what}exit ${code}: ${stderr}`);
  assert.not.match(stderr, /internal error|\n {4}at /);
  assert.not.ok((stdout + stderr).includes("\u001b"), `${what}a terminal escape`);
  assert.ok(/^(((error|warning|note): |nothing matched: )[^\n]{1,2000}\n){0,4}$/.test(stderr), what + stderr);
  assert.ok(seconds < MAX_SECONDS, `${what}${seconds} s`);
  const used = JSON.parse(readFileSync(peak, "utf8")).bytes as number;
  assert.ok(used < MAX_PEAK, `${what}${Math.round(used / MIB)} MiB`);
  if (isShow && code === 0) assert.ok(stdout.length > 0);
  return stdout + stderr;
}

async function survives(bytes: Buffer, commands = COMMANDS): Promise<string> {
  writeFileSync(FILE, bytes);
  let said = "";
  for (const command of commands) said += await runs(FILE, command);
  return said;
}

function image(bytes: Buffer): LinuxCrImage {
  return new LinuxCrImage(new MemorySource(bytes, "test.ckpt"));
}

/** The stream with everything, one u32 or u64 of the first record of a kind set to its largest. */
function forged(kind: keyof typeof RECORDS, field: string, value = 0xff): Buffer {
  const all = image(RICH);
  const index = Array.from({ length: all.length }, (_, i) => i).find(
    (i) => all.kind(i) === R[kind],
  ) as number;
  const place = all.layout(index)?.fields[field];
  if (place === undefined) throw new Error(`${kind} has no ${field}`);
  const bytes = Buffer.from(RICH);
  const { offset } = all.range(index);
  bytes.fill(value, offset + place.offset, offset + place.offset + place.size);
  // Signed numbers stay above 0.
  bytes[offset + place.offset + place.size - 1] = value & 0x7f;
  return bytes;
}

for (const [kind, field] of [
  ["TREE", "nr_tasks"],
  ["PIDS", "nr_pids"],
  ["PIDS", "nr_vpids"],
  ["MM", "map_count"],
  ["FILE_TABLE", "fdt_nfds"],
  ["PGARR", "nr_pages"],
  ["FILE_LOCKS", "nr_locks"],
  ["GROUPINFO", "ngroups"],
  ["SIGPENDING", "nr_pending"],
  ["SOCKET_QUEUE", "skb_count"],
  ["SOCKET_BUFFER", "nr_frags"],
  ["EPOLL_ITEMS", "num_items"],
  ["TTY_LDISC", "datalen"],
  ["IPC", "ipc_count"],
  ["IPC_MSG", "q_qnum"],
  ["IPC_SEM", "sem_nsems"],
  ["VMA", "vm_end"],
  ["IPC_SHM", "shm_segsz"],
] as const)
  test(`${kind}.${field} of 2^31 and more is not believed`, async () => {
    await survives(forged(kind, field), [
      ["info"],
      ["show"],
      ["validate"],
      ["convert", CONVERTED, "--lossy"],
    ]);
    const json = [...decodeStream(image(forged(kind, field)))].join("");
    assert.ok(json.length > 1000);
  });

test("records that say they have 4 GiB", async () => {
  for (const index of [1, 12, 40]) {
    const bytes = Buffer.from(RICH);
    bytes.writeUInt32LE(0xffff_fff0, image(RICH).range(index).offset + 4);
    assert.match(
      await survives(bytes),
      /truncated: found \d+ bytes of a record with id \d+ \(expected 4294967280\)/,
    );
  }
});

test("a BUFFER of 3 GiB that is there, as a hole", async () => {
  const b = new StreamBuilder(NEWEST).head([[7, 0, 7, 7, 7]]);
  const head = Buffer.concat([b.bytes, Buffer.alloc(8)]);
  const size = 3 * 1024 * MIB;
  head.writeUInt32LE(4, head.length - 8);
  head.writeUInt32LE(size, head.length - 4);
  const fd = openSync(FILE, "w");
  writeSync(fd, head);
  ftruncateSync(fd, head.length - 8 + size);
  closeSync(fd);
  for (const command of COMMANDS) await runs(FILE, command);
});

test("texts of 48 MiB in every place of a name", async () => {
  const b = new StreamBuilder(NEWEST).head([[7, 0, 7, 7, 7]]).add(R.TASK, {});
  b.add(R.STRING, {}, Buffer.alloc(48 * MIB, "x"));
  await survives(b.tail().bytes);
});

test("objects that stand inside one another 300,000 deep", async () => {
  const b = new StreamBuilder(NEWEST)
    .head([[7, 0, 7, 7, 7]])
    .add(R.TASK)
    .text(R.STRING, "x");
  for (let i = 0; i < 300_000; i++) b.objref("USER");
  assert.match(await survives(b.tail().bytes), /at most 64 levels/);
});

test("rings: sockets that are their own peers, creators that create each other, threads of no leader", async () => {
  const all = image(RICH);
  const bytes = Buffer.from(RICH);
  for (let i = 0; i < all.length; i++) {
    const { offset } = all.range(i);
    if (all.kind(i) === R.SOCKET_UNIX) bytes.writeInt32LE(all.value(i, R.SOCKET_UNIX).this, offset + 12);
    if (all.kind(i) === R.USER_NS) bytes.writeInt32LE(all.value(i + 1, R.USER).userns_ref - 1, offset + 8);
    if (all.kind(i) === R.TREE)
      for (let task = 0; task < 4; task++) {
        const element = all.range(i + 1).offset + 8 + task * 24;
        bytes.writeInt32LE(
          bytes.readInt32LE(all.range(i + 1).offset + 8 + ((task + 1) % 4) * 24),
          element + 4,
        );
      }
  }
  await survives(bytes);
});

test("a million records of 8 bytes, of an unknown id and of a known one", async () => {
  for (const id of [7777, 3, 4]) {
    const b = new StreamBuilder(NEWEST).head([[7, 0, 7, 7, 7]]);
    const one = Buffer.alloc(8);
    one.writeUInt32LE(id, 0);
    one.writeUInt32LE(8, 4);
    await survives(Buffer.concat([b.bytes, Buffer.alloc(8 * 1_000_000, one)]), [
      ["info"],
      ["show"],
      ["find", "no such text"],
      ["validate"],
    ]);
  }
});

test("100,000 locks that all conflict", async () => {
  const all = image(RICH);
  const index = Array.from({ length: all.length }, (_, i) => i).find(
    (i) => all.kind(i) === R.FILE_LOCKS && all.value(i, R.FILE_LOCKS).nr_locks > 0,
  ) as number;
  const count = 100_000;
  const locks = new StreamBuilder(NEWEST).add(R.FILE_LOCKS, { nr_locks: count });
  for (let i = 0; i < count; i++)
    locks.add(R.FILE_LOCK, { fl_end: 9n, fl_type: 1, fl_type_prev: 1, fl_flags: 1, owner_ref: i });
  const { nr_locks: before } = all.value(index, R.FILE_LOCKS);
  const end = all.range(index + 1 + before).offset;
  await survives(
    Buffer.concat([RICH.subarray(0, all.range(index).offset), locks.bytes, RICH.subarray(end)]),
    [["info"], ["show"], ["show", "locks"], ["validate"], ["convert", CONVERTED, "--lossy"]],
  );
});

test("terminal escapes, line breaks, odd bytes and ../ in names are shown, not sent or followed", async () => {
  const evil = Buffer.from("/../../\u001b[2J\u001b]0;x\u0007\n\u202e\u0085");
  const all = image(RICH);
  const parts: Buffer[] = [];
  for (let i = 0; i < all.length; i++) {
    const { offset, size } = all.range(i);
    const raw = all.rawPage(i)?.size ?? 0;
    const isName = all.kind(i) === R.FILE_NAME || (all.kind(i) === R.STRING && size > 24);
    const name = Buffer.concat([evil, Buffer.from([0xff, 0])]);
    parts.push(
      isName
        ? new StreamBuilder(NEWEST).add(all.kind(i) as never, {}, name).bytes
        : RICH.subarray(offset, offset + size + raw),
    );
  }
  const bytes = Buffer.concat(parts);
  await survives(bytes);
  const said = await survives(bytes, [
    ["show"],
    ["dump"],
    ["show", "fds"],
    ["show", "files"],
    ["show", "sockets"],
    ["find", "2J"],
  ]);
  assert.match(said, "\\x1b[2J");
  assert.not.match(said, "\u202e");
});

test("random bytes behind a good head", async () => {
  const head = new StreamBuilder(NEWEST).head([[7, 0, 7, 7, 7]]).bytes;
  let state = 12345;
  for (let round = 0; round < 5; round++) {
    const noise = Buffer.alloc(64 * 1024);
    for (let i = 0; i < noise.length; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      noise[i] = state >>> 24;
    }
    await survives(Buffer.concat([head, noise]));
  }
});

test.run();
