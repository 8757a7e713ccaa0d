/** Fields of a message by its name; `*` is all of them. */
type Fields = Readonly<Record<string, string>>;

/** Fields of records that other sections compare, as values of the model; tested in test/unit/ops/diff/records.test.ts. */
const COMPARED_BY_OTHERS: Fields = {
  cg_member_entry: "name path",
  creds_entry:
    "cap_amb cap_bnd cap_eff cap_inh cap_prm egid euid fsgid fsuid gid no_new_privs secbits sgid suid uid",
  eventfd_file_entry: "counter flags",
  eventpoll_file_entry: "flags",
  eventpoll_tfd_entry: "data events tfd",
  fdinfo_entry: "fd flags id type",
  fifo_entry: "regf_id",
  file_entry: "type",
  file_lock_entry: "fd len pid start type",
  fs_entry: "cwd_id root_id umask",
  ghost_chunk_entry: "len off",
  ghost_file_entry: "chunks symlnk_target",
  inet_sk_entry: "dst_port family flags proto src_addr src_port state type v6only",
  inotify_file_entry: "flags",
  inotify_wd_entry: "mask wd",
  ipc_desc_entry: "gid id key mode uid",
  ipc_msg_entry: "qbytes qnum",
  ipc_sem_entry: "nsems",
  ipc_shm_entry: "in_pagemaps size",
  ipc_var_entry: "msg_ctlmax msg_ctlmnb msg_ctlmni shm_ctlmni",
  itimer_entry: "isec iusec vsec vusec",
  memfd_inode_entry: "name",
  mm_entry: "exe_file_id",
  mnt_entry: "fstype mountpoint options root source",
  netlink_sk_entry: "flags state",
  packet_sock_entry: "flags ifindex type",
  pipe_data_entry: "bytes pipe_id size",
  pipe_entry: "flags",
  posix_timer_entry: "clock_id insec isec it_id overrun si_signo vnsec vsec",
  pstree_entry: "pgid pid ppid sid threads",
  reg_file_entry: "build_id flags mode name pos",
  remap_file_path_entry: "orig_id remap_id remap_type",
  rlimit_entry: "cur max",
  rseq_entry: "rseq_abi_pointer rseq_abi_size signature",
  sa_entry: "flags sigaction",
  signalfd_entry: "flags sigmask",
  sk_opts_entry:
    "reuseaddr so_broadcast so_dontroute so_keepalive so_oobinline so_passcred so_passsec so_rcvbuf so_reuseport so_sndbuf",
  sk_packet_entry: "id_for length",
  task_core_entry: "blk_sigset child_subreaper comm loginuid oom_score_adj personality stop_signo task_state",
  tcp_stream_entry: "inq_len outq_len",
  thread_core_entry: "blk_sigset futex_rla sched_nice sched_policy seccomp_mode",
  thread_info_x86: "clear_tid_addr",
  timerfd_entry: "clockid flags insec isec ticks vnsec vsec",
  tty_file_entry: "flags regf_id",
  unix_sk_entry: "flags name name_dir shutdown state type",
  user_x86_fpregs_entry: "cwd fop mxcsr rdp rip st_space swd twd xmm_space",
  user_x86_regs_entry:
    "ax bp bx cs cx di ds dx es flags fs fs_base gs gs_base ip orig_ax r10 r11 r12 r13 r14 r15 r8 r9 si sp ss",
  user_x86_xsave_entry: "hi16_zmm opmask_reg ymmh_space zmm_upper",
  utsns_entry: "domainname nodename",
  vma_entry: "end flags pgoff prot start",
  winsize_entry: "ws_col ws_row",
};

/** Fields that are not compared, and why. */
export const LEFT_OUT: readonly { readonly why: string; readonly fields: Fields }[] = [
  {
    why: "ids that every dump assigns anew; their targets are compared by name",
    fields: {
      eventfd_file_entry: "id",
      eventpoll_file_entry: "id",
      eventpoll_tfd_entry: "id",
      fifo_entry: "id pipe_id",
      inet_sk_entry: "id ns_id",
      inotify_file_entry: "id",
      inotify_wd_entry: "id",
      memfd_file_entry: "id inode_id",
      netlink_sk_entry: "id ns_id",
      packet_sock_entry: "id ns_id",
      pipe_entry: "id pipe_id",
      reg_file_entry: "id mnt_id",
      signalfd_entry: "id",
      timerfd_entry: "id",
      tty_file_entry: "id tty_info_id",
      tty_info_entry: "id",
      unix_sk_entry: "id ns_id",
      file_entry: "id",
      memfd_inode_entry: "inode_id shmid",
      vma_entry: "shmid fd",
      task_kobj_ids_entry: "*",
      inventory_entry: "root_cg_set",
      thread_core_entry: "cg_set seccomp_filter",
      cg_set_entry: "id",
      mnt_entry: "mnt_id parent_mnt_id master_id shared_id root_dev",
      tty_data_entry: "tty_id",
      scm_entry: "rights",
      pagemap_head: "pages_id",
      ns_file_entry: "ns_id id",
      fh_entry: "handle bytes type",
    },
  },
  {
    why: "inode and device numbers, which change when files are copied",
    fields: {
      inet_sk_entry: "ino",
      netlink_sk_entry: "ino portid",
      unix_sk_entry: "ino peer",
      eventpoll_tfd_entry: "inode dev",
      inotify_wd_entry: "i_ino s_dev",
      ghost_file_entry: "ino dev",
      tty_info_entry: "dev rdev",
      tty_pty_entry: "index",
    },
  },
  {
    why: "about the dump, not the program",
    fields: {
      inventory_entry: "dump_criu_run_id network_lock_method img_version fdinfo_per_id ns_per_id dump_uptime",
      dump_stats_entry: "*",
      tcp_stream_entry: "timestamp",
    },
  },
  {
    why: "PF_ flags of the task at the dump, which criu stores but never restores",
    fields: { task_core_entry: "flags" },
  },
  {
    why: "unset words after the kernel's 19 control characters; the section files compares the characters of a terminal, not the locked ones",
    fields: { termios_entry: "c_cc" },
  },
  {
    why: "clocks of the host and times of deleted files, which differ between any two dumps",
    fields: { timeval: "*", timespec: "*" },
  },
  {
    why: "locations of pages; the section memory compares their contents",
    fields: {
      pagemap_entry: "*",
      pagemap_head: "*",
    },
  },
];

const skipped = new Map<string, ReadonlySet<string>>();
for (const fields of [COMPARED_BY_OTHERS, ...LEFT_OUT.map((each) => each.fields)])
  for (const [message, names] of Object.entries(fields))
    skipped.set(message, new Set([...(skipped.get(message) ?? []), ...names.split(" ")]));

/** Whether the records of two sets are compared by this field. */
export function isComparedHere(message: string, field: string): boolean {
  const names = skipped.get(message);
  return names === undefined || !(names.has(field) || names.has("*"));
}

/** Whether the field is ignored for a reason. */
export function isLeftOut(message: string, field: string): boolean {
  return LEFT_OUT.some(({ fields }) => {
    const names = fields[message]?.split(" ") ?? [];
    return names.includes(field) || names.includes("*");
  });
}
