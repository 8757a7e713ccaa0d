import {
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  MADV_NOHUGEPAGE,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WIPEONFORK,
  VM_ACCOUNT,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_HUGEPAGE,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_MERGEABLE,
  VM_NOHUGEPAGE,
  VM_NORESERVE,
  VM_RAND_READ,
  VM_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_WIPEONFORK,
  VM_WRITE,
} from "../../../linux/mman.js";

/** Letters of VmFlags in smaps and the bits of vm_flags: fs/proc/task_mmu.c. */
const VM_FLAGS: Readonly<Record<string, bigint>> = {
  ...{ rd: VM_READ, wr: VM_WRITE, ex: VM_EXEC, sh: VM_SHARED },
  ...{ mr: VM_MAYREAD, mw: VM_MAYWRITE, me: VM_MAYEXEC, ms: VM_MAYSHARE },
  ...{ gd: VM_GROWSDOWN, lo: VM_LOCKED, lf: VM_LOCKONFAULT, ac: VM_ACCOUNT, nr: VM_NORESERVE },
  ...{ sr: VM_SEQ_READ, rr: VM_RAND_READ, dc: VM_DONTCOPY, de: VM_DONTEXPAND, dd: VM_DONTDUMP },
  ...{ wf: VM_WIPEONFORK, hg: VM_HUGEPAGE, nh: VM_NOHUGEPAGE, mg: VM_MERGEABLE },
};

/** Advice of madvise(2) by the letters that show it. */
const ADVICE: Readonly<Record<string, number>> = {
  ...{ rr: MADV_RANDOM, sr: MADV_SEQUENTIAL, dc: MADV_DONTFORK, mg: MADV_MERGEABLE },
  ...{ hg: MADV_HUGEPAGE, nh: MADV_NOHUGEPAGE, dd: MADV_DONTDUMP, wf: MADV_WIPEONFORK },
};

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
  for (const [letter, advice] of Object.entries(ADVICE))
    if (letters.has(letter)) mask |= 1n << BigInt(advice);
  return mask;
}

/** The advices of a mask, ascending. */
export function advices(mask: bigint): number[] {
  return Object.values(ADVICE).filter((advice) => (mask & (1n << BigInt(advice))) !== 0n);
}

/** What is in a VMA that cannot be saved; undefined when it can. */
export function unsupportedMapping(letters: ReadonlySet<string>): string | undefined {
  for (const [letter, what] of Object.entries(UNSUPPORTED_FLAGS)) if (letters.has(letter)) return what;
  return undefined;
}
