/** Address spaces: VMAs, their pages, shared memory, the vDSO. Files that are mapped are objects of files/. */

import fs from "node:fs";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { PageRun } from "../../../formats/linux-cr/stream-writer.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { BackendError } from "../../../io/errors.js";
import type { ByteSource } from "../../../io/source.js";
import { textToBytes } from "../../../io/text.js";
import { IPC_STAT, PAGE_SIZE, SHMID_DS_BYTES, TASK_SIZE } from "../../../linux/mman.js";
import { O_RDWR } from "../../../linux/open-flags.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import { writeMappedFile } from "../files/capture.js";
import { DescriptorSource } from "../files/file-data.js";
import { writeMemfd } from "../files/memfd.js";
import { isSegment, isVvar, type Vma } from "../proc/mappings.js";
import { Pagemap } from "../proc/pagemap.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import type { ProcessState } from "../tasks/capture.js";
import { DROPPABLE, VMA_KIND, VMA_TYPE } from "./image.js";
import { TaskMemory } from "./task-memory.js";
import { adviceOf, VM_MAYWRITE, vmFlags } from "./vma-flags.js";

/** VMA_EXTRA.flags. */
const PAGES_FOLLOW = 1;
const LDT_ENTRY_BYTES = 8;

/** The records of an MM object: the program, the VMAs with the pages that are not as in their files, the vDSO. */
export function writeMemory(context: CheckpointContext, process: ProcessState): void {
  const { writer } = context;
  const { stat } = process.frozen;
  const vmas = process.vmas.filter(({ end }) => end <= TASK_SIZE);
  const exe = writeMappedFile(context, `/proc/${stat.pid}/exe`, process.exe, 0);
  writer.record(RECORDS.MM, {
    map_count: vmas.length,
    exe_objref: exe,
    flags: BigInt(process.dumpable),
    start_code: BigInt(stat.startCode),
    end_code: BigInt(stat.endCode),
    start_data: BigInt(stat.startData),
    end_data: BigInt(stat.endData),
    start_brk: BigInt(stat.startBrk),
    brk: BigInt(process.brk),
    start_stack: BigInt(stat.startStack),
    arg_start: BigInt(stat.argStart),
    arg_end: BigInt(stat.argEnd),
    env_start: BigInt(stat.envStart),
    env_end: BigInt(stat.envEnd),
  });
  writer.buffer(process.auxv);
  const memory = context.use(new TaskMemory(stat.pid));
  const pagemap = new Pagemap(stat.pid);
  try {
    for (const vma of vmas) writeVma(context, stat.pid, vma, memory, pagemap);
  } finally {
    pagemap.close();
  }
  const vdso = vmas.find(({ name }) => name === "[vdso]");
  writer.record(RECORDS.MM_CONTEXT, { vdso: BigInt(vdso?.start ?? 0), ldt_entry_size: LDT_ENTRY_BYTES });
  writer.record(RECORDS.MM_CONTEXT_LDT);
}

function writeVma(
  context: CheckpointContext,
  pid: number,
  vma: Vma,
  memory: ByteSource,
  pagemap: Pagemap,
): void {
  const { writer } = context;
  const flags = vmFlags(vma.flags);
  const base = {
    vm_start: BigInt(vma.start),
    vm_end: BigInt(vma.end),
    vm_flags: flags,
    vm_pgoff: BigInt(vma.offset / PAGE_SIZE),
  };
  const extra = (kind: number, pagesFollow = 0): void =>
    writer.record(
      RECORDS.VMA_EXTRA,
      { madv: adviceOf(vma.flags), kind, flags: pagesFollow },
      textPayload(RECORDS.VMA_EXTRA, kind === VMA_KIND.ordinary ? "" : vma.name),
    );
  const ownPages = (): void =>
    writer.pages(
      pagemap.ranges(vma.start, vma.end, true).map(
        ({ start, end }): PageRun => ({
          key: BigInt(start),
          pages: (end - start) / PAGE_SIZE,
          from: { source: memory, offset: start },
        }),
      ),
      BigInt(PAGE_SIZE),
    );
  if (vma.name === "[vdso]") {
    writer.record(RECORDS.VMA, { ...base, vma_type: VMA_TYPE.vdso });
    extra(VMA_KIND.vdso, PAGES_FOLLOW);
    const pages = (vma.end - vma.start) / PAGE_SIZE;
    writer.pages(
      [{ key: BigInt(vma.start), pages, from: { source: memory, offset: vma.start } }],
      BigInt(PAGE_SIZE),
    );
    return;
  }
  if (isVvar(vma)) {
    writer.record(RECORDS.VMA, { ...base, vma_type: VMA_TYPE.ignore });
    extra(VMA_KIND.vvar);
    return;
  }
  if (vma.inode === 0 && !isSegment(vma)) {
    writer.record(RECORDS.VMA, { ...base, vma_type: VMA_TYPE.anonymous });
    const isDroppable = vma.flags.has("dp");
    extra(VMA_KIND.ordinary, isDroppable ? DROPPABLE : 0);
    // What may be gone at any moment is gone after a restart.
    if (isDroppable) writer.pages([], BigInt(PAGE_SIZE));
    else ownPages();
    return;
  }
  const mapFile = mapLink(pid, vma);
  const { size } = fs.statSync(mapFile, { bigint: true });
  const isShared = vma.permissions[3] === "s";
  if (isSegment(vma) || (isShared && vma.name.startsWith("/dev/zero"))) {
    // Segments have their own numbers in the place of those of inodes.
    const number = isSegment(vma) ? "sysv" : vma.device;
    const object = context.hidden("INODE", `${number}:${vma.inode}`);
    writer.record(RECORDS.VMA, {
      ...base,
      vma_type: object.isNew ? VMA_TYPE.shared : VMA_TYPE.sharedAgain,
      ino_objref: object.objref,
      ino_size: size,
    });
    extra(VMA_KIND.ordinary);
    if (isSegment(vma)) writer.record(RECORDS.SYSV_SEGMENT, segmentFields(vma.inode));
    if (object.isNew) writeWholeFile(context, mapFile);
    return;
  }
  const isWritable = isShared && (flags & VM_MAYWRITE) !== 0n;
  const file = vma.name.startsWith("/memfd:")
    ? writeMemfd(context, mapFile, vma.name, isWritable)
    : writeMappedFile(context, mapFile, vma.name, isWritable ? O_RDWR : 0);
  writer.record(RECORDS.VMA, {
    ...base,
    vma_type: isShared ? VMA_TYPE.sharedFile : VMA_TYPE.file,
    vma_objref: file,
    ino_objref: isShared ? context.hidden("INODE", `${vma.device}:${vma.inode}`).objref : 0,
    ino_size: size,
  });
  extra(VMA_KIND.ordinary);
  if (!isShared) ownPages();
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
