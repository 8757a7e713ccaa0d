/** Address spaces: VMAs, their pages, shared memory, the vDSO. Files that are mapped are objects of files/. */

import fs from "node:fs";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { PageRun } from "../../../formats/linux-cr/stream-writer.js";
import { VMA_TYPE } from "../../../formats/linux-cr/tables/memory.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { BackendError } from "../../../io/errors.js";
import type { ByteSource } from "../../../io/source.js";
import { textToBytes } from "../../../io/text.js";
import { IPC_STAT, PAGE_SIZE, SHMID_DS_BYTES, TASK_SIZE, VM_MAYWRITE } from "../../../linux/mman.js";
import { O_RDWR } from "../../../linux/open-flags.js";
import {
  encodeGuardArea,
  encodeMapping,
  encodeMm,
  type MappedObject,
} from "../../../model/linux-cr/mappings.js";
import { isShared, type MappingKind, type StoredMapping } from "../../../model/mapping.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import { writeMappedFile } from "../files/capture.js";
import { DescriptorSource } from "../files/file-data.js";
import { writeMemfd } from "../files/memfd.js";
import { isSegment, isVvar, type Vma } from "../proc/mappings.js";
import { Pagemap } from "../proc/pagemap.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import type { ProcessState } from "../tasks/capture.js";
import { TaskMemory, UnsharedMemory } from "./task-memory.js";
import { adviceOf, vmFlags } from "./vma-flags.js";

const LDT_ENTRY_BYTES = 8;

/** The records of an MM object: the program, the VMAs with the pages that are not as in their files, the vDSO. */
export function writeMemory(context: CheckpointContext, process: ProcessState): void {
  const { writer } = context;
  const { stat } = process.frozen;
  const vmas = process.vmas.filter(({ end }) => end <= TASK_SIZE);
  const range = (start: number, end: number) => ({ start: BigInt(start), end: BigInt(end) });
  writer.record(RECORDS.MM, {
    map_count: vmas.length,
    exe_objref: writeMappedFile(context, `/proc/${stat.pid}/exe`, process.exe, 0),
    ...encodeMm({
      code: range(stat.startCode, stat.endCode),
      data: range(stat.startData, stat.endData),
      heap: range(stat.startBrk, process.brk),
      argv: range(stat.argStart, stat.argEnd),
      environ: range(stat.envStart, stat.envEnd),
      startStack: BigInt(stat.startStack),
      dumpable: process.dumpable,
    }),
  });
  writer.buffer(process.auxv);
  const memory = context.use(new TaskMemory(stat.pid));
  const unshared = new UnsharedMemory(memory);
  const pagemap = new Pagemap(stat.pid);
  try {
    for (const vma of vmas) writeVma(context, stat.pid, vma, { memory, unshared, pagemap });
  } finally {
    pagemap.close();
  }
  const vdso = vmas.find(({ name }) => name === "[vdso]");
  writer.record(RECORDS.MM_CONTEXT, { vdso: BigInt(vdso?.start ?? 0), ldt_entry_size: LDT_ENTRY_BYTES });
  writer.record(RECORDS.MM_CONTEXT_LDT);
  writer.records(pagemap.guards.map(({ start, end }) => encodeGuardArea(range(start, end))));
}

/** The pages of a process: by either way to read them, and which of them there are. */
interface PageSources {
  readonly memory: ByteSource;
  readonly unshared: ByteSource;
  readonly pagemap: Pagemap;
}

function writeVma(
  context: CheckpointContext,
  pid: number,
  vma: Vma,
  { memory, unshared, pagemap }: PageSources,
): void {
  const { writer } = context;
  const mapping = mappingOf(vma);
  const { path, ...object } = objectOf(context, pid, vma, mapping);
  const { vma: fields, extra, text } = encodeMapping(mapping, object);
  writer.record(RECORDS.VMA, fields);
  writer.record(RECORDS.VMA_EXTRA, extra, textPayload(RECORDS.VMA_EXTRA, text));
  if (isSegment(vma)) writer.record(RECORDS.SYSV_SEGMENT, segmentFields(vma.inode));
  const pages = (ranges: readonly { readonly start: number; readonly end: number }[]): void =>
    writer.pages(
      ranges.map(
        ({ start, end }): PageRun => ({
          key: BigInt(start),
          pages: (end - start) / PAGE_SIZE,
          from: { source: pagemap.isUnshared(start, end) ? unshared : memory, offset: start },
        }),
      ),
      BigInt(PAGE_SIZE),
    );
  const type = fields.vma_type;
  if (type === VMA_TYPE.vdso) pages([vma]);
  // What may be gone at any moment is gone after a restart.
  else if (type === VMA_TYPE.anonymous || type === VMA_TYPE.privateFile)
    pages(mapping.isDroppable ? [] : pagemap.ranges(vma.start, vma.end));
  else if (type === VMA_TYPE.sharedAnonymous) writeWholeFile(context, path as string);
}

/** A VMA of /proc/PID/smaps as the model has it. */
function mappingOf(vma: Vma): StoredMapping {
  const { start, end, offset, name, flags } = vma;
  return {
    ...{ start: BigInt(start), end: BigInt(end), offset: BigInt(offset), hugeShift: 0 },
    kind: kindOf(vma),
    flags: vmFlags(flags),
    advice: adviceOf(flags),
    isDroppable: flags.has("dp"),
    special: name.startsWith("[") ? name : "",
  };
}

function kindOf(vma: Vma): MappingKind {
  const { name, inode, permissions } = vma;
  if (name === "[vdso]") return "vdso";
  if (isVvar(vma)) return "vvar";
  if (isSegment(vma)) return "shared anonymous";
  if (inode === 0) return "anonymous";
  if (permissions[3] === "s" && name.startsWith("/dev/zero")) return "shared anonymous";
  return name.startsWith("/memfd:") ? "memfd" : "file";
}

/** What a VMA shows; `path` leads to it. */
function objectOf(
  context: CheckpointContext,
  pid: number,
  vma: Vma,
  { kind, flags }: StoredMapping,
): MappedObject & { readonly path?: string } {
  if (kind !== "shared anonymous" && kind !== "memfd" && kind !== "file") return {};
  const path = mapLink(pid, vma);
  const { size } = fs.statSync(path, { bigint: true });
  // Segments have their own numbers in the place of those of inodes.
  const key = `${isSegment(vma) ? "sysv" : vma.device}:${vma.inode}`;
  if (kind === "shared anonymous") {
    const { objref, isNew } = context.hidden("INODE", key);
    return { path, inode: objref, size, isAgain: !isNew };
  }
  const isWritable = isShared(flags) && (flags & VM_MAYWRITE) !== 0n;
  const file =
    kind === "memfd"
      ? writeMemfd(context, path, vma.name, isWritable)
      : writeMappedFile(context, path, vma.name, isWritable ? O_RDWR : 0);
  return { path, file, size, inode: isShared(flags) ? context.hidden("INODE", key).objref : 0 };
}

/** The pages of a file that has no name, holes left out, by their index in it. */
function writeWholeFile(context: CheckpointContext, path: string): void {
  const source = context.use(DescriptorSource.open(path, path));
  context.writer.pages(
    source.dataRanges().map(
      ({ offset, size }): PageRun => ({
        key: BigInt(offset / PAGE_SIZE),
        pages: Math.ceil(size / PAGE_SIZE),
        from: { source, offset },
      }),
    ),
    1n,
  );
}

/**
 * A path to what a VMA maps: the link in /proc/PID/map_files, which leads there whatever became of its name; for those
 * without CAP_CHECKPOINT_RESTORE its name, if that still leads to the same inode, proc_pid_map_files(5).
 * Errors: BackendError naming the task and the VMA.
 */
function mapLink(pid: number, { start, end, inode, name }: Vma): string {
  const link = `/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`;
  try {
    fs.statSync(link);
    return link;
  } catch (error) {
    const named = fs.statSync(textToBytes(name), { throwIfNoEntry: false });
    if (named !== undefined && named.ino === inode) return name;
    throw new BackendError(
      `task ${pid} maps ${name} at 0x${start.toString(16)}, and opening a mapped file without a name needs CAP_CHECKPOINT_RESTORE`,
      { cause: error },
    );
  }
}

/** SYSV_SEGMENT of a segment by its number, which is the inode number of its mappings: shm_mmap() in ipc/shm.c. */
export function segmentFields(shmid: number): Readonly<Record<string, number | bigint>> {
  const bytes = Buffer.alloc(SHMID_DS_BYTES);
  call(`read the System V segment ${shmid}`, SYS.shmctl, shmid, IPC_STAT, bytes);
  const word = (at: number): number => bytes.readUInt32LE(at);
  return {
    shmid,
    key: word(0),
    uid: word(4),
    gid: word(8),
    cuid: word(12),
    cgid: word(16),
    mode: word(20),
    size: bytes.readBigUInt64LE(48),
  };
}
