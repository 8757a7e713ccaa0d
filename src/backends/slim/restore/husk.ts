import { spawn } from "node:child_process";
import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { SIGKILL } from "../../../linux/signals.js";
import { OPTION } from "../ptrace/ptrace.js";
import { Tracee } from "../ptrace/tracee.js";
import { poll, waitFor } from "../ptrace/wait.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";

/** Where the program of the husk stands until it is unmapped. */
const STUB_BASE = 0x400000n;
/** What the husk does until it is stopped: it waits for ever, but not longer than crimg lives. */
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

/** Starts a husk. Errors: BackendError when no program can be started. */
export function startStub(): StubProcess {
  const program = call("make a file in memory", SYS.memfd_create, Buffer.from("crimg-husk\0"), 0);
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
