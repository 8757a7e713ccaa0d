import { IMAGES } from "../../src/formats/criu/images.js";
import type { CoreEntry, TaskCoreEntry, ThreadCoreEntry } from "../../src/formats/criu/tables/core.js";
import type {
  ThreadInfoX86,
  UserX86FpregsEntry,
  UserX86RegsEntry,
} from "../../src/formats/criu/tables/core-x86.js";
import type { CredsEntry } from "../../src/formats/criu/tables/creds.js";
import type { MmEntry, VmaEntry } from "../../src/formats/criu/tables/mm.js";
import { SetBuilder } from "./build-set.js";

export const PID = 4711;
const X86_64 = 1;
const REG = 1;

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
const ITIMER = { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n };
const FOWN = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const NAMESPACES = {
  ...{ pid_ns_id: 1, net_ns_id: 2, ipc_ns_id: 3, uts_ns_id: 4 },
  ...{ time_ns_id: 5, mnt_ns_id: 6, user_ns_id: 7, cgroup_ns_id: 8 },
};
const IDS = { vm_id: 2, files_id: 2, fs_id: 2, sighand_id: 2, ...NAMESPACES };

export const GPREGS: UserX86RegsEntry = {
  ...{ r15: 1n, r14: 2n, r13: 3n, r12: 4n, bp: 5n, bx: 6n, r11: 7n, r10: 8n, r9: 9n, r8: 10n },
  ...{ ax: 11n, cx: 12n, dx: 13n, si: 14n, di: 15n, orig_ax: 2n ** 64n - 1n, ip: 0x401000n, flags: 0x202n },
  ...{ cs: 0x33n, ss: 0x2bn, ds: 0n, es: 0n, fs: 0n, gs: 0n, sp: 0x7ffe_0000_0000n },
  ...{ fs_base: 0x7f00_0000_0000n, gs_base: 0n, mode: 1 },
};

export const FPREGS: UserX86FpregsEntry = {
  ...{ cwd: 0x37f, swd: 0, twd: 0, fop: 0, rip: 0n, rdp: 0n, mxcsr: 0x1f80, mxcsr_mask: 0xffff },
  ...{ st_space: zeros(32), xmm_space: zeros(64), padding: [] },
};

/** The three empty segments that criu stores of a 64-bit program. */
export const TLS: ThreadInfoX86["tls"] = [12, 13, 14].map((entry_number) => ({
  ...{ entry_number, base_addr: 0, limit: 0, seg_32bit: false, contents_h: false, contents_l: false },
  ...{ read_exec_only: true, limit_in_pages: false, seg_not_present: true, usable: false },
}));

export const CREDS: CredsEntry = {
  ...{ uid: 0, gid: 0, euid: 0, egid: 0, suid: 0, sgid: 0, fsuid: 0, fsgid: 0, secbits: 0, groups: [] },
  ...{ cap_inh: [0, 0], cap_prm: [0, 0], cap_eff: [0, 0], cap_bnd: [0, 0], cap_amb: [0, 0] },
};

export const THREAD_CORE: ThreadCoreEntry = {
  ...{ futex_rla: 0n, futex_rla_len: 0, sched_nice: 0, sched_policy: 0 },
  sas: { ss_sp: 0n, ss_size: 0n, ss_flags: 2 },
  signals_p: { signals: [] },
  creds: CREDS,
  ...{ comm: "one", cg_set: 1 },
};

export const TASK_CORE: TaskCoreEntry = {
  ...{ task_state: 1, exit_code: 0, personality: 0, flags: 0, blk_sigset: 0n, comm: "one" },
  timers: { real: ITIMER, virt: ITIMER, prof: ITIMER, posix: [] },
  rlimits: { rlimits: zeros(16).map(() => ({ cur: 2n ** 64n - 1n, max: 2n ** 64n - 1n })) },
  signals_s: { signals: [] },
  sigactions: zeros(62).map(() => ({
    ...{ sigaction: 0n, flags: 0n, restorer: 0n, mask: 0n, compat_sigaction: false },
  })),
};

/** Private anonymous memory. */
export const VMA: VmaEntry = {
  ...{ start: 0x10000000n, end: 0x10040000n, pgoff: 0n, shmid: 0n, prot: 3, flags: 0x22 },
  ...{ status: 0x201, fd: -1n },
};

const MM: MmEntry = {
  ...{ mm_start_code: 0x400000n, mm_end_code: 0x401000n, mm_start_data: 0x402000n, mm_end_data: 0x403000n },
  ...{ mm_start_stack: 0x7ffe_0000_0000n, mm_start_brk: 0x500000n, mm_brk: 0x500000n },
  ...{ mm_arg_start: 0n, mm_arg_end: 0n, mm_env_start: 0n, mm_env_end: 0n },
  ...{ exe_file_id: 1, mm_saved_auxv: [6n, 4096n, 0n, 0n], vmas: [VMA], dumpable: 1, aios: [] },
};

export interface OneTask {
  readonly registers?: Partial<ThreadInfoX86>;
  readonly thread?: Partial<ThreadCoreEntry>;
  readonly task?: Partial<TaskCoreEntry>;
  readonly mm?: Partial<MmEntry>;
}

/** core-PID.img of the one task. */
export function coreOf({ registers, thread, task }: OneTask): CoreEntry {
  return {
    mtype: X86_64,
    thread_info: { clear_tid_addr: 0n, gpregs: GPREGS, fpregs: FPREGS, tls: TLS, ...registers },
    tc: { ...TASK_CORE, ...task },
    thread_core: { ...THREAD_CORE, ...thread },
  };
}

/** A whole set of one task without descriptors, for states that a criu of today does not meet. */
export function oneTaskSet(parts: OneTask = {}): SetBuilder {
  const file = (id: number, name: string) => ({
    ...{ type: REG, id },
    reg: { ...{ id, flags: 0, pos: 0n, fown: FOWN, name, build_id: [] } },
  });
  return new SetBuilder()
    .image(IMAGES.INVENTORY, undefined, [
      {
        ...{ img_version: 2, fdinfo_per_id: true, ns_per_id: true, root_cg_set: 1 },
        root_ids: { ...NAMESPACES, vm_id: 1, files_id: 1, fs_id: 1, sighand_id: 1 },
      },
    ])
    .image(IMAGES.PSTREE, undefined, [{ pid: PID, ppid: 0, pgid: PID, sid: PID, threads: [PID] }])
    .image(IMAGES.CORE, PID, [coreOf(parts)])
    .image(IMAGES.IDS, PID, [IDS])
    .image(IMAGES.MM, PID, [{ ...MM, ...parts.mm }])
    .image(IMAGES.PAGEMAP, PID, [{ pages_id: 1 }])
    .image(IMAGES.FS, PID, [{ cwd_id: 2, root_id: 3, umask: 0o22 }])
    .image(IMAGES.FDINFO, 2, [])
    .image(IMAGES.FILES, undefined, [file(1, "/bin/one"), file(2, "/tmp"), file(3, "/")]);
}
