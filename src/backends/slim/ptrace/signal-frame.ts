import { LEGACY_COMPONENTS, SOFTWARE_BYTES_AT, XSTATE_BV_AT } from "../../../linux/xsave.js";
import type { Register } from "../sys/abi-x64.js";
import type { Registers } from "./registers.js";

/** What a thread is to go on with. */
export interface Continuation {
  readonly registers: Registers;
  /**
   * FP and extended state in the standard format of the processor, as far as it is in use: an area longer than the task has
   * one is taken for the FP state of old, check_xstate_in_sigframe() in kernel/fpu/signal.c.
   */
  readonly xstate: Buffer;
  /** Blocked signals, 8 bytes. */
  readonly mask: Buffer;
}

/** struct rt_sigframe without its siginfo, arch/x86/include/asm/sigframe.h: a return address, then struct ucontext. */
const UCONTEXT = 8;
const UC_FLAGS = UCONTEXT;
const UC_STACK_FLAGS = UCONTEXT + 24;
const UC_REGISTERS = UCONTEXT + 40;
const UC_SELECTORS = UC_REGISTERS + 18 * 8;
const UC_FPSTATE = UC_REGISTERS + 184;
const UC_MASK = UC_REGISTERS + 256;
const FRAME_BYTES = UC_MASK + 8;

/** struct sigcontext_64, asm/sigcontext.h. */
const SIGCONTEXT: readonly Register[] = [
  ...(["r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"] as const),
  ...(["rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip", "eflags"] as const),
];
/** UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS: asm/ucontext.h. */
const UC_FLAGS_ALL = 7;
/** No mode of sigaltstack(2): rt_sigreturn(2) then leaves the alternate stack alone, restore_altstack() in kernel/signal.c. */
const NO_STACK_MODE = 0x7f;

/** What marks struct _fpx_sw_bytes, and what ends the area: asm/sigcontext.h. */
const FP_XSTATE_MAGIC1 = 0x46505853;
const FP_XSTATE_MAGIC2 = 0x46505845;
const MAGIC2_BYTES = 4;
const XSTATE_ALIGNMENT = 64;

/** A frame begins where its extended state is aligned: one of these. */
export const FRAME_ALIGNMENT = XSTATE_ALIGNMENT;

/** Bytes of a frame for so much extended state. */
export function frameBytes(xstate: Buffer): number {
  return align(FRAME_BYTES) + xstate.length + MAGIC2_BYTES;
}

/**
 * The bytes that, at the address `at`, make rt_sigreturn(2) go on as told: it takes the stack pointer to be `at` + 8.
 * Bases of segments are not part of it, and the alternate stack stays as it is.
 */
export function signalFrame({ registers, xstate, mask }: Continuation, at: number): Buffer {
  const bytes = Buffer.alloc(frameBytes(xstate));
  const fpstate = align(FRAME_BYTES);
  bytes.writeBigUInt64LE(BigInt(UC_FLAGS_ALL), UC_FLAGS);
  bytes.writeInt32LE(NO_STACK_MODE, UC_STACK_FLAGS);
  for (const [i, name] of SIGCONTEXT.entries())
    bytes.writeBigUInt64LE(registers.get(name), UC_REGISTERS + i * 8);
  for (const [i, name] of (["cs", "gs", "fs", "ss"] as const).entries())
    bytes.writeUInt16LE(Number(registers.get(name) & 0xffffn), UC_SELECTORS + i * 2);
  bytes.writeBigUInt64LE(BigInt(at + fpstate), UC_FPSTATE);
  mask.copy(bytes, UC_MASK);
  xstate.copy(bytes, fpstate);
  const components = xstate.readBigUInt64LE(XSTATE_BV_AT) | LEGACY_COMPONENTS;
  const software = bytes.subarray(fpstate + SOFTWARE_BYTES_AT);
  software.writeUInt32LE(FP_XSTATE_MAGIC1, 0);
  software.writeUInt32LE(xstate.length + MAGIC2_BYTES, 4);
  software.writeBigUInt64LE(components, 8);
  software.writeUInt32LE(xstate.length, 16);
  bytes.writeUInt32LE(FP_XSTATE_MAGIC2, fpstate + xstate.length);
  return bytes;
}

function align(offset: number): number {
  return Math.ceil(offset / XSTATE_ALIGNMENT) * XSTATE_ALIGNMENT;
}
