import fs from "node:fs";
import { isCrimgError } from "../../../io/errors.js";
import { bytesToText } from "../../../io/text.js";
import { procNumbers, readProc } from "../proc/read.js";

/** A task outside the tree that has something open which a task of the tree has open as well. */
interface Holder {
  readonly pid: number;
  readonly comm: string;
  readonly fd: number;
}

/** Who outside the tree has pipes, fifos and sockets open: one look at the descriptors of all tasks. */
export class ExternalHolders {
  readonly #holders = new Map<string, Holder>();

  /** `links`: what /proc says of the descriptors in question. `inside`: the tasks of the tree. */
  constructor(of: Iterable<string>, inside: ReadonlySet<number>) {
    const links = new Set(of);
    if (links.size === 0) return;
    for (const name of fs.readdirSync("/proc")) {
      const pid = Number(name);
      if (Number.isInteger(pid) && pid !== process.pid && !inside.has(pid)) this.#look(pid, links);
    }
  }

  /** By the link of a descriptor, `pipe:[4711]`. */
  holder(link: string): Holder | undefined {
    return this.#holders.get(link);
  }

  #look(pid: number, links: ReadonlySet<string>): void {
    for (const fd of descriptorsOf(pid)) {
      const link = linkOf(pid, fd);
      if (link !== undefined && links.has(link) && !this.#holders.has(link))
        this.#holders.set(link, { pid, comm: commOf(pid), fd });
    }
  }
}

/** A task may end at any time, and not every task may be looked at. */
function descriptorsOf(pid: number): number[] {
  try {
    return procNumbers(pid, "fd");
  } catch (error) {
    if (isCrimgError(error)) return [];
    throw error;
  }
}

function linkOf(pid: number, fd: number): string | undefined {
  try {
    return bytesToText(fs.readlinkSync(`/proc/${pid}/fd/${fd}`, "buffer"));
  } catch {
    return undefined;
  }
}

function commOf(pid: number): string {
  try {
    return readProc(pid, "comm").trimEnd();
  } catch (error) {
    if (isCrimgError(error)) return "?";
    throw error;
  }
}

/** " (task 4711, bash, has it as descriptor 3)", or nothing when no holder is known. */
export function holderWords(holder: Holder | undefined): string {
  return holder === undefined
    ? ""
    : ` (task ${holder.pid}, ${holder.comm}, has it as descriptor ${holder.fd})`;
}
