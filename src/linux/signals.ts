import { range } from "../io/domains.js";
import { enumTable, flagTable } from "../io/enums.js";
import { numbered, numberOf } from "./tables.js";

/** Signals 1 to 31 by number, signal(7); the numbers of x86, ARM and most others. */
export const SIGNALS = enumTable(
  "signal",
  numbered("SIG", 1, [
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU",
    "URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS",
  ]),
);

export const SIGTRAP = numberOf(SIGNALS, "SIGTRAP");
export const SIGKILL = numberOf(SIGNALS, "SIGKILL");
export const SIGCHLD = numberOf(SIGNALS, "SIGCHLD");
export const SIGSTOP = numberOf(SIGNALS, "SIGSTOP");
export const SIGTTOU = numberOf(SIGNALS, "SIGTTOU");
export const SIGIO = numberOf(SIGNALS, "SIGIO");
export const SIGSYS = numberOf(SIGNALS, "SIGSYS");

/** The highest number of a signal, include/uapi/asm-generic/signal.h. */
export const NSIG = 64;
const SIGRTMIN = 32;

/** Valid signal numbers, without and with 0 for none. */
export const SIGNAL = range(1, NSIG);
export const SIGNAL_OR_NONE = range(0, NSIG);

/** `SIGTERM`, `SIGRTMIN+3` (the kernel's SIGRTMIN is 32), or the number if invalid. */
export function signalName(signal: number): string {
  if (signal < SIGRTMIN || signal > NSIG) return SIGNALS.names.get(signal) ?? String(signal);
  return signal === SIGRTMIN ? "SIGRTMIN" : `SIGRTMIN+${signal - SIGRTMIN}`;
}

/** Names of the signals in a mask; bit n-1 is signal n, as in sigset_t. */
export function signalsIn(mask: bigint): string[] {
  const names: string[] = [];
  for (let signal = 1; signal <= NSIG; signal++)
    if ((mask >> BigInt(signal - 1)) & 1n) names.push(signalName(signal));
  return names;
}

/** Handlers and commands of sigprocmask(2), include/uapi/asm-generic/signal-defs.h. */
export const SIG_IGN = 1n;
export const SIG_BLOCK = 0;
export const SIG_SETMASK = 2;

/** Flags of sigaction(2), include/uapi/asm-generic/signal-defs.h. */
export const SIGACTION_FLAGS = flagTable("sa_flags", {
  SA_NOCLDSTOP: 1,
  SA_NOCLDWAIT: 2,
  SA_SIGINFO: 4,
  SA_UNSUPPORTED: 0x400,
  SA_EXPOSE_TAGBITS: 0x800,
  SA_RESTORER: 0x4000000,
  SA_ONSTACK: 0x8000000,
  SA_RESTART: 0x10000000,
  SA_NODEFER: 0x40000000,
  SA_RESETHAND: 0x80000000,
});

/** Flags of an alternate signal stack, sigaltstack(2), include/uapi/linux/signal.h. */
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 1 << 31;
/** Minimum size of such a stack, larger on some architectures: MINSIGSTKSZ, include/uapi/asm-generic/signal.h. */
export const SIGNAL_STACK_BYTES = range(2048, (1n << 64n) - 1n);

/** Origin of a pending signal, `si_code` of sigaction(2), include/uapi/asm-generic/siginfo.h. */
export const SI_KERNEL = 0x80;
export const SI_TIMER = -2;
export const SI_SIGIO = -5;
export const SIGNAL_CODES = enumTable("si_code", {
  SI_USER: 0,
  SI_QUEUE: -1,
  SI_TIMER,
  SI_MESGQ: -3,
  SI_ASYNCIO: -4,
  SI_SIGIO,
  SI_TKILL: -6,
  SI_KERNEL,
});

/** struct siginfo of x86-64, in bytes. */
export const SIGINFO_BYTES = 128;
