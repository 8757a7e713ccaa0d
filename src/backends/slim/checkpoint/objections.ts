import type { Objection } from "../../backend.js";
import { isVvar } from "../proc/mappings.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import { strangeness } from "../vma-flags.js";
import type { Descriptions } from "./descriptions.js";
import { isSaved } from "./file-kind.js";
import type { ProcessState } from "./process.js";

const KCMP_VM = 1;
const USER64_CS = 0x33n;

/** What this engine cannot put into an image, object by object; empty when it can take the whole tree. */
export function objections(processes: readonly ProcessState[], descriptions: Descriptions): Objection[] {
  return [
    ...processes.flatMap(ofProcess),
    ...sharedMemories(processes),
    ...descriptions.all.flatMap((description) =>
      !isSaved(description)
        ? {
            pid: description.pid,
            reason: `descriptor ${description.fd} of task ${description.pid} is ${description.link}, which this engine cannot save`,
          }
        : [],
    ),
  ];
}

function ofProcess({ frozen, areas, threads }: ProcessState): Objection[] {
  const { pid } = frozen.stat;
  const found: Objection[] = [];
  const refuse = (reason: string): void => {
    found.push({ pid, reason: `task ${pid} ${reason}` });
  };
  for (const { tid, registers } of threads)
    if (registers.get("cs") !== USER64_CS) refuse(`runs 32-bit code in thread ${tid}`);
  for (const area of areas) {
    const strange = isVvar(area) ? undefined : strangeness(area.flags);
    if (strange !== undefined)
      refuse(`has ${strange} at 0x${area.start.toString(16)}${area.name && ` (${area.name})`}`);
    if (area.name.startsWith("/SYSV")) refuse(`uses System V shared memory at 0x${area.start.toString(16)}`);
  }
  return found;
}

/** Tasks that share an address space and are no threads: a vfork(2) under way, or clone(2) with CLONE_VM. */
function sharedMemories(processes: readonly ProcessState[]): Objection[] {
  const found: Objection[] = [];
  for (const [i, one] of processes.entries())
    for (const other of processes.slice(i + 1)) {
      const [a, b] = [one.frozen.stat.pid, other.frozen.stat.pid];
      if (attempt(SYS.kcmp, a, b, KCMP_VM, 0, 0) === 0)
        found.push({ pid: b, reason: `tasks ${a} and ${b} share their memory without being threads` });
    }
  return found;
}
