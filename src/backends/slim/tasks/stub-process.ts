import { spawn } from "node:child_process";
import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { EEXIST, EINVAL, EPERM } from "../../../linux/errno.js";
import { SIGKILL } from "../../../linux/signals.js";
import { OPTION } from "../ptrace/ptrace.js";
import { Tracee } from "../ptrace/tracee.js";
import { poll, waitFor } from "../ptrace/wait.js";
import { SYS } from "../sys/abi-x64.js";
import { errnoName } from "../sys/kernel-error.js";
import { attempt, call } from "../sys/syscall.js";

/** Where the program of the stub process stands until it is unmapped. */
const STUB_BASE = 0x400000n;
/** What the stub process does until it is stopped: it waits for ever, but not longer than crimg lives. */
const CODE = Buffer.from(
  [
    "b89d000000bf01000000be090000000f05", // prctl(PR_SET_PDEATHSIG, SIGKILL)
    "b86e0000000f05", // getppid(): crimg may have ended before
    "85c07407", // a parent in another pid namespace is 0
    "3d00000000", // the pid of crimg
    "7509", // another: exit
    "b8220000000f05ebf7", // pause() again and again
    "31ffb8e70000000f05", // exit_group(0)
  ].join(""),
  "hex",
);
const PARENT_IN_CODE = 29;
const SYSCALL_IN_CODE = 40;
const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const CODE_OFFSET = EHDR_BYTES + PHDR_BYTES;
const END_SECONDS = 10;

/** All that is made from it is traced from its first instruction, and killed by the kernel should crimg end. */
export const STUB_OPTIONS =
  OPTION.sysGood | OPTION.exitKill | OPTION.traceFork | OPTION.traceVFork | OPTION.traceClone;

/** A process with next to nothing in it, stopped: the stuff that restored tasks are made of. */
export interface StubProcess {
  readonly tracee: Tracee;
  /** Address of a `syscall` instruction in it. */
  readonly site: number;
}

/** Starts a stub process. Errors: BackendError when no program can be started. */
export function startStub(): StubProcess {
  const program = call("make a file in memory", SYS.memfd_create, Buffer.from("crimg-stub\0"), 0);
  fs.writeSync(program, tinyElf());
  const child = spawn(`/proc/self/fd/${program}`, [], { stdio: "ignore", env: {} });
  attempt(SYS.close, program);
  child.unref();
  child.on("error", () => {});
  const { pid } = child;
  if (pid === undefined) throw new BackendError("cannot start a process to restore into");
  const tracee = Tracee.seize(pid, pid, STUB_OPTIONS);
  tracee.stop();
  return { tracee, site: Number(STUB_BASE) + CODE_OFFSET + SYSCALL_IN_CODE };
}

/** Ends a stopped task that has served its purpose, and waits until its id is free. */
export function endTask({ tid, pid }: Tracee): void {
  attempt(SYS.kill, pid, SIGKILL);
  waitFor(`task ${tid} does not end`, END_SECONDS, () => {
    const status = poll(tid);
    return status?.kind === "gone" || attempt(SYS.kill, pid, 0) < 0 ? true : undefined;
  });
}

/** The smallest program: one segment, one loop; elf(5). */
function tinyElf(): Buffer {
  const elf = Buffer.alloc(CODE_OFFSET + CODE.length);
  Buffer.from("7f454c46020101", "hex").copy(elf);
  elf.writeUInt16LE(2, 16); // ET_EXEC
  elf.writeUInt16LE(62, 18); // EM_X86_64
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(STUB_BASE + BigInt(CODE_OFFSET), 24);
  elf.writeBigUInt64LE(BigInt(EHDR_BYTES), 32);
  elf.writeUInt16LE(EHDR_BYTES, 52);
  elf.writeUInt16LE(PHDR_BYTES, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(1, EHDR_BYTES); // PT_LOAD
  elf.writeUInt32LE(5, EHDR_BYTES + 4); // readable, executable
  elf.writeBigUInt64LE(STUB_BASE, EHDR_BYTES + 16);
  elf.writeBigUInt64LE(STUB_BASE, EHDR_BYTES + 24);
  elf.writeBigUInt64LE(BigInt(elf.length), EHDR_BYTES + 32);
  elf.writeBigUInt64LE(BigInt(elf.length), EHDR_BYTES + 40);
  elf.writeBigUInt64LE(4096n, EHDR_BYTES + 48);
  CODE.copy(elf, CODE_OFFSET);
  elf.writeInt32LE(process.pid, CODE_OFFSET + PARENT_IN_CODE);
  return elf;
}

/** struct clone_args, linux/sched.h: eleven u64. */
const CLONE_ARGS_BYTES = 88;
const FLAGS = 0;
const EXIT_SIGNAL = 32;
const SET_TID = 64;
const SET_TID_SIZE = 72;
/** What the threads of a process share: CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM. */
export const CLONE_AS_THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000;

/** Where a task makes calls, and its scratch memory. */
interface Cloner {
  readonly tracee: Tracee;
  readonly scratch: number;
  attempt(number: number, ...args: readonly (number | bigint)[]): number;
  put(bytes: Buffer, at?: number): number;
}

/**
 * A stopped task lets a new one appear, with this very id or one that the kernel chooses; it is stopped as well. `exitSignal` must be 0 with CLONE_PARENT
 * and for threads. Errors: BackendError when the id is in use or may not be chosen.
 */
export function clone(cloner: Cloner, tid: number | "any", flags: number, exitSignal: number): Tracee {
  const args = Buffer.alloc(CLONE_ARGS_BYTES + 8);
  args.writeBigUInt64LE(BigInt(flags), FLAGS);
  args.writeBigUInt64LE(BigInt(exitSignal), EXIT_SIGNAL);
  if (tid !== "any") {
    args.writeBigUInt64LE(BigInt(cloner.scratch + CLONE_ARGS_BYTES), SET_TID);
    args.writeBigUInt64LE(1n, SET_TID_SIZE);
    args.writeUInt32LE(tid, CLONE_ARGS_BYTES);
  }
  const result = cloner.attempt(SYS.clone3, cloner.put(args), CLONE_ARGS_BYTES);
  if (result < 0) throw new BackendError(cloneProblem(tid, -result));
  const isThread = (flags & CLONE_AS_THREAD) === CLONE_AS_THREAD;
  const child = new Tracee(isThread ? cloner.tracee.pid : result, result);
  child.log = cloner.tracee.log;
  child.log?.(`task ${cloner.tracee.tid}: make task ${result}: done`);
  child.awaitStop();
  return child;
}

function cloneProblem(tid: number | "any", errno: number): string {
  switch (errno) {
    case EEXIST:
      return `the id ${tid} is in use on this host: end the task that has it, or wait until its parent has reaped it`;
    case EINVAL:
      return `the id ${tid} exceeds /proc/sys/kernel/pid_max`;
    case EPERM:
      return "choosing the ids of tasks needs the capability CAP_CHECKPOINT_RESTORE";
    default:
      return `cannot make task ${tid}: ${errnoName(errno)}`;
  }
}
