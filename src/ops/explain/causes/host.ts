import type { Cause } from "../cause.js";

/** Hosts that differ from that of the dump, and a criu that does not support the kernel. */
export const HOST_CAUSES: readonly Cause[] = [
  {
    id: "CRIU_TOO_OLD",
    match: /Unexpected rt vDSO area bounds/,
    what: "this criu does not support the vDSO of this kernel",
    why: "newer kernels have another layout, supported by criu 4.1 and later, but not by 3.17 (Debian 12)",
    mends: [{ effect: "use criu 4.1 or later, and name it with --criu PATH or CRIMG_CRIU" }],
  },
  {
    id: "CPU_FEATURES",
    match:
      /(?:CPU (?:instruction )?capabilities do not match run time|FPU feature required by image|CPU xfeatures has unsupported bits|CPU xsave (?:max )?size mismatch|FPU xsave area present, but host cpu doesn't support it|\w+ reported \d+ bytes \(expecting \d+\))/,
    during: "restore",
    what: "this CPU lacks features that the CPU of the checkpoint had",
    why: "libraries select code for the CPU at startup, so the program would execute illegal instructions",
    mends: [
      { command: "criu cpuinfo check -D {image}", effect: "show the differences" },
      { effect: "restore on a CPU with the same features; --cpu-cap=none only silences the check" },
    ],
  },
  {
    id: "CPU_IMAGE",
    match:
      /(?:Image carries (?:unknown vendor|\d+ words while|unknown capability version)|No cpuinfo image|No x86 related cpuinfo in image)/,
    what: "cpuinfo.img is missing or not supported by this criu",
    why: "a comparison of the CPUs was requested",
    mends: [{ effect: "omit --cpu-cap, or use the criu that made the set" }],
  },
  {
    id: "LSM_TYPE",
    match:
      /(?:mismatched lsm types and lsm profile specified|(?:apparmor|selinux) LSM specified but .* not supported)/,
    during: "restore",
    what: "the tasks ran under a security module (AppArmor or SELinux) that is not active here",
    why: "they would silently lose their confinement",
    mends: [
      { effect: "restore on a host with the same security module" },
      { command: "crimg show {image} creds", effect: "show the profiles" },
    ],
  },
  {
    id: "LSM_PROFILE",
    match:
      /(?:can't write lsm profile|Can't write apparmor|restoring lsm|can't set up LSM|failed to write.*apparmor)/i,
    during: "restore",
    what: "cannot set the security profile of task {pid}",
    why: "the profile must be loaded on this host",
    mends: [
      {
        command: "{restore} -- --lsm-profile TYPE:NAME",
        effect: "restore under another profile",
      },
    ],
  },
  {
    id: "PLUGIN_MISSING",
    match: /Missing required plugin: (?<plugin>.+)/,
    during: "restore",
    what: "the set was dumped with the criu plugin {plugin}, which is not installed",
    why: "only the plugin can restore what it saved, such as the state of a GPU",
    mends: [
      {
        command: "{restore} -- --libdir DIR",
        effect: "set the directory of the installed plugin",
      },
    ],
  },
  {
    id: "UPROBES",
    match: /Dumped with --allow-uprobes/,
    during: "restore",
    what: "the set was dumped with --allow-uprobes",
    why: "the restore needs the same option",
    mends: [{ command: "{restore}", effect: "restore with the options that the images need" }],
  },
  {
    id: "CGROUP",
    match:
      /(?:Can't (?:move|make).*c(?:g|group)|cgroupd: Can't move|Cgroup dir (?<cgroup>.+) doesn't exist|controller (?<controller>\S+) not found|Failed accessing cgroup dir|Failed writing .* to .*cgroup|Abort restore of existing cgroups)/,
    during: "restore",
    what: "cannot create the control groups of the set",
    why: "other controllers are mounted here, or the path is not writable",
    mends: [
      {
        command: "{restore} -- --manage-cgroups=ignore",
        effect: "restore into the control group of criu",
      },
      { edit: "--cgroup OLD=NEW", effect: "use other paths" },
    ],
  },
  {
    id: "MOUNT",
    match: /^mnt: (?:Can't (?:mount|bind-mount)|No mapping for|Unable to find|Mount)/,
    what: "cannot restore a mount of the process tree",
    why: "external mounts must be named at the dump and at the restore",
    mends: [
      { command: "crimg show {image} mounts", effect: "show the mounts; external ones have a key" },
      {
        command: "{restore} -- --external mnt[KEY]:PATH",
        effect: "set the path for that key",
      },
    ],
  },
  {
    id: "TIME_NAMESPACE",
    match: /Unable to (?:create a new time namespace|set a (?:monotonic|boottime) clock offset)/,
    during: "restore",
    what: "cannot restore the clocks of the tasks",
    why: "this needs a kernel with time namespaces (5.11 or later)",
    mends: [{ effect: "use a kernel with CONFIG_TIME_NS" }],
  },
  {
    id: "DIRTY_TRACKING",
    match: /Pid-reuse detection failed|dirty memory tracker|Dirty tracking support is not available/,
    during: "dump",
    what: "cannot determine the memory changed since the last checkpoint",
    why: "this kernel does not track written pages, or the parent set does not match",
    mends: [{ effect: "make a full dump, without --prev-images-dir and --track-mem" }],
  },
];
