/** Bits of VMA.vm_flags and the letters of VmFlags in smaps: linux/mm.h, fs/proc/task_mmu.c. */
const VM_FLAGS = {
  rd: 0x1n,
  wr: 0x2n,
  ex: 0x4n,
  sh: 0x8n,
  mr: 0x10n,
  mw: 0x20n,
  me: 0x40n,
  ms: 0x80n,
  gd: 0x100n,
  lo: 0x2000n,
  sr: 0x8000n,
  rr: 0x1_0000n,
  dc: 0x2_0000n,
  de: 0x4_0000n,
  lf: 0x8_0000n,
  ac: 0x10_0000n,
  nr: 0x20_0000n,
  wf: 0x200_0000n,
  dd: 0x400_0000n,
  hg: 0x2000_0000n,
  nh: 0x4000_0000n,
  mg: 0x8000_0000n,
} as const;

export const VM_READ = VM_FLAGS.rd;
export const VM_WRITE = VM_FLAGS.wr;
export const VM_EXEC = VM_FLAGS.ex;
/** Mapped with MAP_SHARED: the kernel takes VM_SHARED away where the file cannot be written to. */
export const VM_MAYSHARE = VM_FLAGS.ms;
export const VM_MAYWRITE = VM_FLAGS.mw;
export const VM_GROWSDOWN = VM_FLAGS.gd;
export const VM_LOCKED = VM_FLAGS.lo;
export const VM_LOCKONFAULT = VM_FLAGS.lf;
export const VM_NORESERVE = VM_FLAGS.nr;

/** Advice of madvise(2) by the letters that show it. */
const ADVICE = { rr: 1n, sr: 2n, dc: 10n, mg: 12n, hg: 14n, nh: 15n, dd: 16n, wf: 18n } as const;

/** Letters of VMAs that hold what no image can: device memory, page faults handled elsewhere, shadow stacks. */
const UNSUPPORTED_FLAGS: Readonly<Record<string, string>> = {
  io: "memory of a device",
  pf: "memory without pages of its own",
  ht: "huge pages of hugetlbfs",
  ss: "a shadow stack",
  um: "userfaultfd",
  uw: "userfaultfd",
};

/** The vm_flags that letters stand for. */
export function vmFlags(letters: ReadonlySet<string>): bigint {
  let flags = 0n;
  for (const [letter, bit] of Object.entries(VM_FLAGS)) if (letters.has(letter)) flags |= bit;
  return flags;
}

/** VMA_EXTRA.madv: bit n for advice n. */
export function adviceOf(letters: ReadonlySet<string>): bigint {
  let mask = 0n;
  for (const [letter, advice] of Object.entries(ADVICE)) if (letters.has(letter)) mask |= 1n << advice;
  return mask;
}

/** The advices of a mask, ascending. */
export function advices(mask: bigint): number[] {
  return Object.values(ADVICE)
    .filter((advice) => (mask & (1n << advice)) !== 0n)
    .map(Number);
}

/** What is in a VMA that cannot be saved; undefined when it can. */
export function unsupportedMapping(letters: ReadonlySet<string>): string | undefined {
  for (const [letter, what] of Object.entries(UNSUPPORTED_FLAGS)) if (letters.has(letter)) return what;
  return undefined;
}
