/** How much a right gives: `grave` ones lead to all others. */
export type Weight = "grave" | "light";

export interface RightKind {
  /** Id of the rule of `validate`. */
  readonly id: `RIGHTS_${string}`;
  readonly weight: Weight;
  /** What the owner of an image may ask for, one sentence. */
  readonly about: string;
}

const kind = (id: RightKind["id"], weight: Weight, about: string): RightKind => ({ id, weight, about });

/** Kinds of rights by the word that `restore --allow-rights` takes. */
export const RIGHT_KINDS = {
  uid: kind(
    "RIGHTS_UID",
    "grave",
    "The user ids of tasks, and those that a user namespace maps to, are of the owner of the image.",
  ),
  gid: kind("RIGHTS_GID", "grave", "The group ids of tasks are of groups of the owner of the image."),
  caps: kind(
    "RIGHTS_CAPS",
    "grave",
    "Tasks have no capabilities, as those of any user: permitted, effective, inheritable or ambient.",
  ),
  securebits: kind(
    "RIGHTS_SECUREBITS",
    "grave",
    "Tasks have no securebits but those that any user may set: setting others takes CAP_SETPCAP.",
  ),
  "no-new-privs": kind(
    "RIGHTS_NO_NEW_PRIVS",
    "grave",
    "A thread under a seccomp filter has no_new_privs: a filter without it takes CAP_SYS_ADMIN.",
  ),
  lsm: kind(
    "RIGHTS_LSM",
    "grave",
    "Tasks have no label of a security module but the unconfined one, and no policy is loaded.",
  ),
  chroot: kind("RIGHTS_CHROOT", "grave", "The root directory of tasks is /: another takes CAP_SYS_CHROOT."),
  device: kind(
    "RIGHTS_DEVICE",
    "grave",
    "Open devices are such as the owner of the image may open, and none is made: that takes CAP_MKNOD.",
  ),
  setuid: kind(
    "RIGHTS_SETUID_PROGRAM",
    "grave",
    "No program runs or is made that gives the rights of another user or group (set-user-ID, set-group-ID).",
  ),
  file: kind(
    "RIGHTS_FILE",
    "grave",
    "Files that are opened, made or held by a lease are such as the owner of the image may open, make and hold.",
  ),
  namespace: kind(
    "RIGHTS_NAMESPACE",
    "grave",
    "Namespaces are made together with a user namespace: without one that takes CAP_SYS_ADMIN.",
  ),
  cgroup: kind(
    "RIGHTS_CGROUP",
    "light",
    "Tasks are in no control group that the restore moves them into: that takes rights to the group.",
  ),
  socket: kind(
    "RIGHTS_SOCKET",
    "grave",
    "Sockets are such as any user may have: no raw or packet ones, ports below 1024, marks, or connections to forge.",
  ),
  object: kind(
    "RIGHTS_OBJECT",
    "grave",
    "No object is made that takes a capability: fanotify groups, BPF maps, network tunnels, alarm timers.",
  ),
  signal: kind(
    "RIGHTS_SIGNAL",
    "light",
    "Signals about open files are sent with the user id of the owner of the image (F_SETOWN).",
  ),
  ipc: kind("RIGHTS_IPC", "light", "System V objects belong to the owner of the image."),
  oom: kind(
    "RIGHTS_OOM",
    "light",
    "The score adjustment of the OOM killer is 0 or above: less takes CAP_SYS_RESOURCE.",
  ),
  sched: kind(
    "RIGHTS_SCHED",
    "light",
    "No thread has a real-time or deadline policy, or a nice value below 0: that takes CAP_SYS_NICE.",
  ),
  rlimit: kind(
    "RIGHTS_RLIMIT",
    "light",
    "Hard limits are not above the kernel's own (RLIMIT_MEMLOCK, MSGQUEUE, NICE, RTPRIO) or those of crimg (the others).",
  ),
  loginuid: kind(
    "RIGHTS_LOGINUID",
    "light",
    "The audit user id is that of the owner of the image, or not set: another takes CAP_AUDIT_CONTROL.",
  ),
} as const satisfies Readonly<Record<string, RightKind>>;

/** The word for a kind of right. */
export type RightName = keyof typeof RIGHT_KINDS;

export const RIGHT_NAMES = Object.keys(RIGHT_KINDS) as readonly RightName[];
