/**
 * Makes the linux-cr streams that the benchmarks read: pages1g.ckpt, whose memory fills 1 GiB, and records2m.ckpt, two
 * million small records: 400 tasks with 1,250 open files each. One that is there is kept.
 *
 *     node --import tsx bench/streams.ts DIRECTORY [SCALE]
 */
import { closeSync, existsSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { RECORDS } from "../src/formats/linux-cr/records.js";
import { ARCHITECTURES } from "../src/formats/linux-cr/revisions.js";
import { StreamBuilder } from "../test/helpers/build-stream.js";

const R = RECORDS;
const PAGE = 4096;
/** The kernel saves so many pages at once. */
const PAGES_OF_ARRAY = 8192;
const TASKS = 400;
const FILES_OF_TASK = 1250;

const [directory = ".", scale = "1"] = process.argv.slice(2);
make("pages1g.ckpt", (write) => pages(write, Math.ceil((1024 * 1024 * 1024) / PAGE / Number(scale))));
make("records2m.ckpt", (write) => records(write, Math.ceil(TASKS / Number(scale))));

type Write = (builder: StreamBuilder) => void;

/** Writes what a builder has collected and empties it, so that a stream of any size needs little memory. */
function make(name: string, fill: (write: Write) => void): void {
  const path = join(directory, name);
  if (existsSync(path)) return;
  const fd = openSync(`${path}.new`, "w");
  fill((builder) => {
    writeSync(fd, builder.bytes);
    builder.parts.length = 0;
  });
  closeSync(fd);
  renameSync(`${path}.new`, path);
}

function begin(tasks: number): StreamBuilder {
  const ids = Array.from({ length: tasks }, (_, i) => [i + 1, i === 0 ? 0 : 1, i + 1, 1, 1]);
  return new StreamBuilder({ commit: "5c3471a", arch: ARCHITECTURES.X86_64 }).head(ids);
}

function pages(write: Write, count: number): void {
  const b = begin(1);
  task(b, write, () => {}, count);
  write(b.tail());
}

function records(write: Write, tasks: number): void {
  const b = begin(tasks);
  for (let i = 0; i < tasks; i++) task(b, write, () => files(b, i), 0);
  write(b.tail());
}

function files(b: StreamBuilder, task: number): void {
  b.add(R.FILE_TABLE, { fdt_nfds: FILES_OF_TASK });
  for (let fd = 0; fd < FILES_OF_TASK; fd++) {
    const file = b.objref("FILE");
    b.add(R.FILE, { f_type: 1, f_mode: 3, f_flags: 0x8002, f_pos: BigInt(fd), f_credref: 0 });
    b.text(R.FILE_NAME, `/srv/data/${task}/${fd}`);
    b.add(R.FILE_DESC, { fd_objref: file, fd_descriptor: fd });
  }
}

/** A task with these files and so many pages of private memory. */
function task(b: StreamBuilder, write: Write, addFiles: () => void, pageCount: number): void {
  b.add(R.TASK, { exit_signal: 17 }).add(R.STRING, {}, Buffer.from("bench\0\0\0\0\0\0\0\0\0\0\0"));
  b.add(R.THREAD, { gdt_entry_tls_entries: 3 }, Buffer.alloc(24));
  b.add(R.RESTART_BLOCK, { function_type: 1n }).add(R.CPU, { ip: 0x401000n });
  b.add(R.TASK_CREDS).add(R.TASK_NS);
  const table = b.objref("FILE_TABLE");
  if (pageCount > 0) b.add(R.FILE_TABLE);
  addFiles();
  write(b);
  const mm = b.objref("MM");
  b.add(R.MM, { map_count: 1 }).buffer(44 * 8);
  const start = 0x10_0000_0000n;
  const end = start + BigInt(Math.max(pageCount, 1) * PAGE);
  b.add(R.VMA, { vma_type: 2, vm_start: start, vm_end: end, vm_flags: 3n });
  for (let done = 0; done < pageCount; done += PAGES_OF_ARRAY) {
    const here = Math.min(PAGES_OF_ARRAY, pageCount - done);
    const content = Buffer.alloc(here * (8 + PAGE), 0xa5);
    for (let i = 0; i < here; i++) content.writeBigUInt64LE(start + BigInt((done + i) * PAGE), i * 8);
    write(b.add(R.PGARR, { nr_pages: BigInt(here) }).buffer(content));
  }
  b.add(R.PGARR).add(R.MM_CONTEXT, { ldt_entry_size: 8 }).add(R.MM_CONTEXT_LDT);
  const fs = b.objref("FS");
  b.add(R.FS).text(R.FILE_NAME, "/").text(R.FILE_NAME, "/");
  const sighand = b.objref("SIGHAND");
  b.add(R.SIGHAND, {}, Buffer.alloc(64 * 32));
  const signal = b.number();
  b.add(R.TASK_OBJS, {
    ...{ files_objref: table, mm_objref: mm, fs_objref: fs, sighand_objref: sighand },
    signal_objref: signal,
  });
  const rlim = Array.from({ length: 16 }, () => ({ rlim_cur: 1n, rlim_max: 2n }));
  b.add(R.SIGNAL, { rlim }).add(R.SIGPENDING).add(R.SIGPENDING).add(R.SIGNAL_TASK);
}
