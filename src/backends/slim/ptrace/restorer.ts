import { BackendError } from "../../../io/errors.js";
import type { Vma } from "../proc/mappings.js";
import { SYSCALL_INSTRUCTION } from "../sys/abi-x64.js";
import type { Tracee } from "./tracee.js";

/** `mov $15, %rax; syscall`: rt_sigreturn(2) as C libraries and Go have it for their signal handlers to return to. */
export const RESTORER = Buffer.from("48c7c00f0000000f05", "hex");
const CHUNK = 1 << 20;
const LIKELY = /\/(libc[.-]|ld-musl)/;

/** Address of code of the process that returns from a signal handler; undefined when its files have none. */
export function findRestorer(tracee: Tracee, vmas: readonly Vma[]): number | undefined {
  const code = vmas.filter(({ permissions, inode }) => permissions[2] === "x" && inode !== 0);
  for (const { start, end } of code.sort((a, b) => Number(LIKELY.test(b.name)) - Number(LIKELY.test(a.name))))
    for (let from = start; from < end; from += CHUNK) {
      const bytes = tracee.read(from, Math.min(CHUNK + RESTORER.length - 1, end - from));
      const at = bytes.indexOf(RESTORER);
      if (at >= 0) return from + at;
    }
  return undefined;
}

/** Address of a `syscall` instruction in the vDSO. Errors: BackendError for a task without one. */
export function syscallSite(tracee: Tracee, vmas: readonly Vma[]): number {
  const vdso = vmas.find(({ name }) => name === "[vdso]");
  const at = vdso && tracee.read(vdso.start, vdso.end - vdso.start).indexOf(SYSCALL_INSTRUCTION);
  if (vdso === undefined || at === undefined || at < 0)
    throw new BackendError(`task ${tracee.pid} has no vDSO with a system call in it`);
  return vdso.start + at;
}
