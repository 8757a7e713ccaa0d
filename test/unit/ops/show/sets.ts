import type { CoreEntry } from "../../../../src/formats/criu/tables/core.js";
import type { FownEntry } from "../../../../src/formats/criu/tables/fown.js";
import type { RegFileEntry } from "../../../../src/formats/criu/tables/regfile.js";

/** A core entry of x86-64 with as little as criu stores of every task. */
export function core(options: {
  readonly comm?: string;
  readonly state?: number;
  readonly exit?: number;
  /** Id of the descriptor table. */
  readonly files?: number;
  readonly leader?: boolean;
}): CoreEntry {
  const { comm = "", state = 1, exit = 0, files, leader = true } = options;
  const thread = { futex_rla: 0n, futex_rla_len: 0, comm };
  const task = { task_state: state, exit_code: exit, personality: 0, flags: 0, blk_sigset: 0n, comm };
  return {
    mtype: 1,
    thread_core: thread,
    ...(leader ? { tc: { ...task, sigactions: [] } } : {}),
    ...(files === undefined ? {} : { ids: { vm_id: 1, files_id: files, fs_id: 1, sighand_id: 1 } }),
  };
}

export const NO_OWNER: FownEntry = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

/** A regular file entry. */
export function regular(id: number, name: string, more: Partial<RegFileEntry> = {}): RegFileEntry {
  return { id, name, flags: 0, pos: 0n, fown: NO_OWNER, build_id: [], ...more };
}
