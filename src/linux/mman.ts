/** Bytes of a page on x86-64. */
export const PAGE_SIZE = 4096;
/** End of the user address space on x86-64: TASK_SIZE_MAX with four levels of page tables. */
export const TASK_SIZE = 0x7fff_ffff_f000;

/** Protection of a mapping, include/uapi/asm-generic/mman-common.h, mmap(2). */
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
export const PROT_GROWSDOWN = 0x1000000;
export const PROT_GROWSUP = 0x2000000;

/** Flags of mmap(2), numbers of x86, include/uapi/linux/mman.h and include/uapi/asm-generic/mman.h. */
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_DROPPABLE = 8;
/** The bits of these three. */
export const MAP_TYPE = 15;
export const MAP_ANONYMOUS = 0x20;
export const MAP_PRIVATE_ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS;
export const MAP_GROWSDOWN = 0x100;
export const MAP_LOCKED = 0x2000;
export const MAP_NORESERVE = 0x4000;
export const MAP_HUGETLB = 0x40000;
export const MAP_FIXED_NOREPLACE = 0x10_0000;
export const MAP_HUGE_SHIFT = 26;

/** Advice of madvise(2), include/uapi/asm-generic/mman-common.h. */
export const MADV_RANDOM = 1;
export const MADV_SEQUENTIAL = 2;
export const MADV_DONTFORK = 10;
export const MADV_MERGEABLE = 12;
export const MADV_HUGEPAGE = 14;
export const MADV_NOHUGEPAGE = 15;
export const MADV_DONTDUMP = 16;
export const MADV_WIPEONFORK = 18;
export const MADV_GUARD_INSTALL = 102;

/** Flags of mlock2(2). */
export const MLOCK_ONFAULT = 1;

/** Bits of vm_flags, the same in all kernels since 2.6, include/linux/mm.h. */
export const VM_READ = 1n;
export const VM_WRITE = 2n;
export const VM_EXEC = 4n;
export const VM_ACCESS_FLAGS = 7n;
export const VM_SHARED = 8n;
export const VM_MAYREAD = 0x10n;
export const VM_MAYWRITE = 0x20n;
export const VM_MAYEXEC = 0x40n;
/** Mapped with MAP_SHARED: the kernel clears VM_SHARED if the file is not writable. */
export const VM_MAYSHARE = 0x80n;
export const VM_GROWSDOWN = 0x100n;
export const VM_LOCKED = 0x2000n;
export const VM_SEQ_READ = 0x8000n;
export const VM_RAND_READ = 0x1_0000n;
export const VM_DONTCOPY = 0x2_0000n;
export const VM_DONTEXPAND = 0x4_0000n;
export const VM_LOCKONFAULT = 0x8_0000n;
export const VM_ACCOUNT = 0x10_0000n;
export const VM_NORESERVE = 0x20_0000n;
export const VM_HUGETLB = 0x40_0000n;
export const VM_WIPEONFORK = 0x200_0000n;
export const VM_DONTDUMP = 0x400_0000n;
export const VM_HUGEPAGE = 0x2000_0000n;
export const VM_NOHUGEPAGE = 0x4000_0000n;
export const VM_MERGEABLE = 0x8000_0000n;

/** shmat(2) and System V IPC, include/uapi/linux/shm.h, include/uapi/linux/ipc.h. */
export const SHM_RDONLY = 0o10000;
export const SHM_EXEC = 0o100000;
export const SHM_DEST = 0o1000;
export const SHM_HUGETLB = 0o4000;
export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
/** struct shmid_ds of x86-64, in bytes. */
export const SHMID_DS_BYTES = 112;

/** Ends the auxiliary vector, getauxval(3). */
export const AT_NULL = 0n;
