import { enumTable } from "../io/enums.js";

/** Modes of a task, include/uapi/linux/seccomp.h, proc(5) Seccomp. */
export const SECCOMP_MODE_STRICT = 1;
export const SECCOMP_MODE_FILTER = 2;
export const SECCOMP_MODES = enumTable("seccomp_mode", {
  disabled: 0,
  strict: SECCOMP_MODE_STRICT,
  filter: SECCOMP_MODE_FILTER,
});

/** Operations of seccomp(2). */
export const SECCOMP_SET_MODE_STRICT = 0;
export const SECCOMP_SET_MODE_FILTER = 1;

/** A classic BPF instruction, struct sock_filter of include/uapi/linux/filter.h, in bytes. */
export const SOCK_FILTER_BYTES = 8;
/** Instructions of a program, include/uapi/linux/bpf_common.h. */
export const BPF_MAXINSNS = 4096;
