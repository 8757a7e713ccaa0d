import { KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_VM } from "../../../linux/files.js";
import type { Unsupported } from "../../backend.js";
import { isSegment, isVvar, type Vma } from "../proc/mappings.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import { unsupportedMapping } from "../vma-flags.js";
import type { ProcessState } from "./process.js";
import { segmentFields } from "./sysv-segment.js";

const PAGE_MASK = 4095n;
/** Areas without a file that anybody could open again. */
const UNSUPPORTED_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^\/\[aio\]/, "a context of io_setup(2)"],
  [/^\/secretmem/, "memory of memfd_secret(2), which nobody else can read,"],
  [/^anon_inode:/, "memory of"],
];

/** What of tasks and their memory cannot be put into an image, one sentence each. */
export function unsupportedState(processes: readonly ProcessState[]): Unsupported[] {
  return [...processes.flatMap(ofProcess), ...shared(processes)];
}

function ofProcess({ frozen, vmas, denied }: ProcessState): Unsupported[] {
  const { pid } = frozen.stat;
  const found: Unsupported[] = [];
  const add = (reason: string): void => {
    found.push({ pid, reason: `task ${pid} ${reason}` });
  };
  for (const vma of vmas) {
    if (isSegment(vma) && !isWhole(vma))
      add(`has a part of a System V segment at 0x${vma.start.toString(16)}`);
    const named = UNSUPPORTED_NAMES.find(([name]) => name.test(vma.name))?.[1];
    const what = isVvar(vma) ? undefined : (named ?? unsupportedMapping(vma.flags));
    if (what !== undefined) add(`has ${what} at 0x${vma.start.toString(16)}${vma.name && ` (${vma.name})`}`);
  }
  if (denied !== 0) add("may make no memory executable that it can write to (PR_SET_MDWE)");
  return found;
}

/**
 * What tasks share without being threads: memory, as in a vfork(2) under way or by clone(2) with CLONE_VM; or a working
 * directory, or descriptors with another than their parent.
 */
function shared(processes: readonly ProcessState[]): Unsupported[] {
  const found: Unsupported[] = [];
  for (const [i, one] of processes.entries()) {
    const a = one.frozen.stat;
    if (i === 0 && isShared(KCMP_VM, a.ppid, a.pid))
      found.push({ pid: a.pid, reason: `task ${a.pid} shares its memory with its parent ${a.ppid}` });
    for (const { frozen } of processes.slice(i + 1)) {
      const b = frozen.stat;
      const add = (what: string): void => {
        found.push({ pid: b.pid, reason: `tasks ${a.pid} and ${b.pid} share ${what}` });
      };
      if (isShared(KCMP_VM, a.pid, b.pid)) add("their memory without being threads");
      else if (isShared(KCMP_SIGHAND, a.pid, b.pid)) add("their signal actions without being threads");
      if (isShared(KCMP_FS, a.pid, b.pid)) add("their working directory");
      if (isShared(KCMP_FILES, a.pid, b.pid) && !isShared(KCMP_FILES, b.ppid, b.pid) && b.pid !== a.ppid)
        add("their descriptors without one being the parent of the other");
    }
  }
  return found;
}

/** Segments can only be attached as wholes, shmat(2). */
function isWhole({ start, end, offset, inode }: Vma): boolean {
  const { size } = segmentFields(inode);
  return offset === 0 && BigInt(end - start) === ((BigInt(size ?? 0) + PAGE_MASK) & ~PAGE_MASK);
}

function isShared(what: number, a: number, b: number): boolean {
  return attempt(SYS.kcmp, a, b, what, 0, 0) === 0;
}
