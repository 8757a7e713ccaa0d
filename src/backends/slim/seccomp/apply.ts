import { BackendError, isCrimgError } from "../../../io/errors.js";
import {
  SECCOMP_MODE_STRICT,
  SECCOMP_SET_MODE_FILTER,
  SECCOMP_SET_MODE_STRICT,
  SOCK_FILTER_BYTES,
} from "../../../linux/seccomp.js";
import { OPTION, ptrace } from "../ptrace/ptrace.js";
import type { Appliers } from "../restore/context.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { STUB_OPTIONS } from "../tasks/stub-process.js";
import type { ImageFilter } from "./image.js";
import type { SeccompStep } from "./plan.js";

export const SECCOMP: Appliers<SeccompStep> = {
  "seccomp of all"(context, { task, filters }) {
    const { remote, remotes } = context.task(task);
    for (const each of remotes.values()) suspendFilters(each);
    for (const ref of filters) installFilter(remote, context.image.filter(ref), FOR_ALL_THREADS);
  },
  seccomp(context, { task, thread, filters }) {
    const remote = context.remote(task, thread.tid);
    suspendFilters(remote);
    for (const ref of filters) installFilter(remote, context.image.filter(ref), 0);
    if (thread.extra?.seccomp_mode === SECCOMP_MODE_STRICT) enterStrictMode(remote);
  },
};

const FOR_ALL_THREADS = 1;
/** struct sock_fprog: a count and an address. */
const PROGRAM_BYTES = 16;

/** Lets filters bind a thread only once it is no longer traced, ptrace(2). Errors: BackendError without CAP_SYS_ADMIN. */
function suspendFilters({ tracee: { tid } }: RemoteTask): void {
  try {
    ptrace("setOptions", tid, 0, STUB_OPTIONS | OPTION.suspendSeccomp);
  } catch (cause) {
    if (!isCrimgError(cause)) throw cause;
    throw new BackendError(
      `thread ${tid} has seccomp filters; to install them needs CAP_SYS_ADMIN, and crimg itself must have none`,
      { cause },
    );
  }
}

/** Adds a filter to those of a thread. `flags`: FOR_ALL_THREADS, or 0 for this one alone. */
function installFilter(remote: RemoteTask, filter: ImageFilter, flags: number): void {
  const program = Buffer.alloc(PROGRAM_BYTES);
  program.writeUInt16LE(filter.program.length / SOCK_FILTER_BYTES, 0);
  program.writeBigUInt64LE(BigInt(remote.scratch + PROGRAM_BYTES), 8);
  remote.call(
    "install a seccomp filter",
    SYS.seccomp,
    SECCOMP_SET_MODE_FILTER,
    filter.flags | flags,
    remote.put(Buffer.concat([program, filter.program])),
  );
}

/** Only read, write, exit and sigreturn from when it runs on. */
function enterStrictMode(remote: RemoteTask): void {
  remote.call("enter strict seccomp mode", SYS.seccomp, SECCOMP_SET_MODE_STRICT, 0, 0);
}
