import { SYS } from "../sys/abi-x64.js";
import { KernelError } from "../sys/kernel-error.js";
import { attempt } from "../sys/syscall.js";

/**
 * Requests of ptrace(2), linux/ptrace.h. PTRACE_TRACEME, which is 0 and would stop this process itself, is left out.
 */
const REQUEST = {
  cont: 7,
  getRegs: 12,
  setRegs: 13,
  detach: 17,
  syscall: 24,
  setOptions: 0x4200,
  getEventMessage: 0x4201,
  getRegSet: 0x4204,
  setRegSet: 0x4205,
  seize: 0x4206,
  interrupt: 0x4207,
  listen: 0x4208,
  peekSigInfo: 0x4209,
  getSigMask: 0x420a,
  setSigMask: 0x420b,
  seccompGetFilter: 0x420c,
  seccompGetMetadata: 0x420d,
  getRseqConfiguration: 0x420f,
  getSyscallUserDispatch: 0x4211,
} as const;

export type Request = keyof typeof REQUEST;

/** Options of PTRACE_SEIZE, linux/ptrace.h. */
export const OPTION = {
  sysGood: 1,
  traceFork: 2,
  traceVFork: 4,
  traceClone: 8,
  suspendSeccomp: 1 << 21,
  exitKill: 1 << 20,
} as const;

/** A request to a traced thread; what it gives back. Errors: KernelError, ESRCH when the thread is not stopped or gone. */
export function ptrace(
  request: Request,
  tid: number,
  address: number | bigint | Buffer = 0,
  data: number | bigint | Buffer = 0,
): number {
  const result = attempt(SYS.ptrace, REQUEST[request], tid, address, data);
  if (result < 0) throw new KernelError(`${request} thread ${tid}`, -result);
  return result;
}
