import type { Task } from "../../model/checkpoint.js";
import type { OpenFile } from "../../model/open-file.js";

/** Who holds each open file: in columns, since a text for each of 131,072 descriptors would take 100 bytes more. */
export class Holders {
  readonly #taskKey: (pid: number) => string;
  /** The last descriptor of a file by its number below; files in the order of their first. */
  readonly #last = new Map<OpenFile, number>();
  readonly #pids: number[] = [];
  readonly #fds: number[] = [];
  /** The next descriptor of the same file; of the last one the first. */
  readonly #next: number[] = [];
  /** Of files without a descriptor. */
  readonly #roles = new Map<OpenFile, string>();

  constructor(tasks: readonly Task[], taskKey: (pid: number) => string) {
    this.#taskKey = taskKey;
    const seen = new Set<unknown>();
    for (const { pid, descriptors: table } of tasks) {
      if (table === undefined || seen.has(table)) continue;
      seen.add(table);
      for (const { fd, file } of table.descriptors) if (file !== undefined) this.#add(file, pid, fd);
    }
    for (const task of tasks)
      for (const role of ["exe", "cwd", "root"] as const) {
        const file = task[role];
        if (file !== undefined && !this.#last.has(file) && !this.#roles.has(file))
          this.#roles.set(file, `${taskKey(task.pid)}:${role}`);
      }
  }

  /** The open files that have a holder, in the order of descriptors. */
  *files(): Generator<OpenFile> {
    yield* this.#last.keys();
    yield* this.#roles.keys();
  }

  /** The first that `all` gives. */
  first(file: OpenFile): string | undefined {
    const last = this.#last.get(file);
    return last === undefined ? this.#roles.get(file) : this.#name(this.#next[last] as number);
  }

  /** `pid:fd` of all descriptors of the file, in the order of the tree; else `pid:exe`, `pid:cwd` or `pid:root`. */
  all(file: OpenFile): string[] {
    const last = this.#last.get(file);
    if (last === undefined) {
      const role = this.#roles.get(file);
      return role === undefined ? [] : [role];
    }
    const names: string[] = [];
    let at = last;
    do {
      at = this.#next[at] as number;
      names.push(this.#name(at));
    } while (at !== last);
    return names;
  }

  #add(file: OpenFile, pid: number, fd: number): void {
    const last = this.#last.get(file);
    const at = this.#fds.length;
    this.#pids.push(pid);
    this.#fds.push(fd);
    this.#next.push(last === undefined ? at : (this.#next[last] as number));
    if (last !== undefined) this.#next[last] = at;
    this.#last.set(file, at);
  }

  #name(at: number): string {
    return `${this.#taskKey(this.#pids[at] as number)}:${this.#fds[at]}`;
  }
}
