/** Notes of core files that are the same for all architectures: include/uapi/linux/elf.h, include/linux/elfcore.h, core(5). */

import { struct, text, word } from "../../schema/struct.js";

export const NT_PRSTATUS = 1;
export const NT_FPREGSET = 2;
export const NT_PRPSINFO = 3;
export const NT_AUXV = 6;
export const NT_SIGINFO = 0x5349_4749;
export const NT_FILE = 0x4649_4c45;

export const SIGINFO = struct("siginfo_t", 128, "Why the program stopped, sigaction(2)", {
  si_signo: word("s32", 0),
});
/** Bytes of the arguments in a `prpsinfo`. */
export const PSARGS_BYTES = 80;

/** What stands before the registers of a thread. */
export const ELF_PRSTATUS_64 = struct("elf_prstatus", 112, "State of a thread of a 64-bit program", {
  si_signo: word("s32", 0),
  pr_cursig: word("s16", 12, { doc: "signal that ended it" }),
  pr_sigpend: word("u64", 16, { doc: "pending signals, signal 1 is bit 0" }),
  pr_sighold: word("u64", 24, { doc: "blocked signals" }),
  pr_pid: word("s32", 32),
  pr_ppid: word("s32", 36),
  pr_pgrp: word("s32", 40),
  pr_sid: word("s32", 44),
});

export const ELF_PRSTATUS_32 = struct("elf_prstatus", 72, "State of a thread of a 32-bit program", {
  si_signo: word("s32", 0),
  pr_cursig: word("s16", 12),
  pr_sigpend: word("u32", 16),
  pr_sighold: word("u32", 20),
  pr_pid: word("s32", 24),
  pr_ppid: word("s32", 28),
  pr_pgrp: word("s32", 32),
  pr_sid: word("s32", 36),
});

export const ELF_PRPSINFO_64 = struct("elf_prpsinfo", 136, "A 64-bit process", {
  pr_state: word("u8", 0, { doc: "number of the state in RSDTZW" }),
  pr_sname: word("u8", 1, { doc: "its letter" }),
  pr_zomb: word("u8", 2),
  pr_nice: word("s8", 3),
  pr_uid: word("u32", 16),
  pr_gid: word("u32", 20),
  pr_pid: word("s32", 24),
  pr_ppid: word("s32", 28),
  pr_pgrp: word("s32", 32),
  pr_sid: word("s32", 36),
  pr_fname: text(40, 16),
  pr_psargs: text(56, PSARGS_BYTES),
});

/** On i386 and ARM user ids have 16 bits here. */
export const ELF_PRPSINFO_32 = struct("elf_prpsinfo", 124, "A 32-bit process", {
  pr_state: word("u8", 0),
  pr_sname: word("u8", 1),
  pr_zomb: word("u8", 2),
  pr_nice: word("s8", 3),
  pr_uid: word("u16", 8),
  pr_gid: word("u16", 10),
  pr_pid: word("s32", 12),
  pr_ppid: word("s32", 16),
  pr_pgrp: word("s32", 20),
  pr_sid: word("s32", 24),
  pr_fname: text(28, 16),
  pr_psargs: text(44, PSARGS_BYTES),
});

export const ELF_PRPSINFO_PPC32 = struct("elf_prpsinfo", 128, "A 32-bit process of Power", {
  pr_state: word("u8", 0),
  pr_sname: word("u8", 1),
  pr_zomb: word("u8", 2),
  pr_nice: word("s8", 3),
  pr_uid: word("u32", 8),
  pr_gid: word("u32", 12),
  pr_pid: word("s32", 16),
  pr_ppid: word("s32", 20),
  pr_pgrp: word("s32", 24),
  pr_sid: word("s32", 28),
  pr_fname: text(32, 16),
  pr_psargs: text(48, PSARGS_BYTES),
});
