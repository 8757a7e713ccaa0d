import { readProc } from "./read.js";

/** One VMA of /proc/PID/smaps, proc_pid_smaps(5). */
export interface Vma {
  readonly start: number;
  readonly end: number;
  /** `rwxp`. */
  readonly permissions: string;
  /** In bytes. */
  readonly offset: number;
  /** `major:minor`, hexadecimal. */
  readonly device: string;
  readonly inode: number;
  /** Path, `[heap]`, or empty; a backslash and newlines are octal escapes. */
  readonly name: string;
  /** Two letters each: `rd wr ex sh gd lo dc` … */
  readonly flags: ReadonlySet<string>;
}

const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) (\S+) (\d+) *(.*)$/;

/** The mappings of a task, ascending. Errors: BackendError when it is gone. */
export function readVmas(pid: number): Vma[] {
  const vmas: Vma[] = [];
  let head: RegExpExecArray | undefined;
  for (const line of readProc(pid, "smaps").split("\n")) {
    const found = HEAD.exec(line);
    if (found) head = found;
    else if (head !== undefined && line.startsWith("VmFlags:"))
      vmas.push(vmaOf(head, line.slice("VmFlags:".length)));
  }
  return vmas;
}

function vmaOf(head: RegExpExecArray, flags: string): Vma {
  const [, start = "", end = "", permissions = "", offset = "", device = "", inode = "", name = ""] = head;
  return {
    start: Number.parseInt(start, 16),
    end: Number.parseInt(end, 16),
    permissions,
    offset: Number.parseInt(offset, 16),
    device,
    inode: Number(inode),
    name: name.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    flags: new Set(flags.split(" ").filter(Boolean)),
  };
}

/** A System V segment, whose number stands in the place of an inode's: the first of an IPC namespace has 0. */
export function isSegment({ name }: Vma): boolean {
  return name.startsWith("/SYSV");
}

/** Special VMAs that the kernel puts into every address space, by their names. */
export function isVvar({ name }: Vma): boolean {
  return name.startsWith("[vvar");
}
