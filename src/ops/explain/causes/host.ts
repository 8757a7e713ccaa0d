import type { Cause } from "../cause.js";

/** Hosts that are not like the one of the dump, and a criu that does not fit the kernel. */
export const HOST_CAUSES: readonly Cause[] = [
  {
    id: "CRIU_TOO_OLD",
    match: /Unexpected rt vDSO area bounds/,
    what: "this criu does not understand the vDSO of this kernel",
    why: "current kernels lay it out in another way; criu 4.1 and later know it, 3.17 (Debian 12) does not",
    mends: [{ effect: "use criu 4.1 or later, and name it with --criu PATH or CRIMG_CRIU" }],
  },
  {
    id: "CPU_FEATURES",
    match:
      /(?:CPU (?:instruction )?capabilities do not match run time|FPU feature required by image|CPU xfeatures has unsupported bits|CPU xsave (?:max )?size mismatch|FPU xsave area present, but host cpu doesn't support it|\w+ reported \d+ bytes \(expecting \d+\))/,
    during: "restore",
    what: "this CPU lacks features that the CPU of the checkpoint had",
    why: "libraries choose code by the CPU they start on, so the program would meet an illegal instruction",
    mends: [
      { command: "criu cpuinfo check -D {image}", effect: "see how they differ" },
      { effect: "restore on a CPU with the same features; --cpu-cap=none only silences the check" },
    ],
  },
  {
    id: "CPU_IMAGE",
    match:
      /(?:Image carries (?:unknown vendor|\d+ words while|unknown capability version)|No cpuinfo image|No x86 related cpuinfo in image)/,
    what: "cpuinfo.img is not there or not one that this criu can compare",
    why: "it was asked to compare the CPUs",
    mends: [{ effect: "leave --cpu-cap away, or use the criu that made the set" }],
  },
  {
    id: "LSM_TYPE",
    match:
      /(?:mismatched lsm types and lsm profile specified|(?:apparmor|selinux) LSM specified but .* not supported)/,
    during: "restore",
    what: "the tasks ran under a security module (AppArmor or SELinux) that is not active here",
    why: "they would lose their confinement without notice",
    mends: [
      { effect: "restore on a host with the same security module" },
      { command: "crimg show {image} creds", effect: "see the profiles" },
    ],
  },
  {
    id: "LSM_PROFILE",
    match:
      /(?:can't write lsm profile|Can't write apparmor|restoring lsm|can't set up LSM|failed to write.*apparmor)/i,
    during: "restore",
    what: "the security profile of task {pid} cannot be set",
    why: "the profile must be loaded here",
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
    why: "what the plugin saved, such as the state of a GPU, only it can bring back",
    mends: [
      {
        command: "{restore} -- --libdir DIR",
        effect: "name the directory of the plugin, once it is installed",
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
    what: "the control groups of the set cannot be made here",
    why: "other controllers are mounted here, or the path may not be written",
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
    what: "a mount of the tree's namespace cannot be had",
    why: "mounts from outside must be named at the dump and at the restore",
    mends: [
      { command: "crimg show {image} mounts", effect: "see the mounts; external ones have a key" },
      {
        command: "{restore} -- --external mnt[KEY]:PATH",
        effect: "say where the mount of that key is",
      },
    ],
  },
  {
    id: "TIME_NAMESPACE",
    match: /Unable to (?:create a new time namespace|set a (?:monotonic|boottime) clock offset)/,
    during: "restore",
    what: "the clocks of the tasks cannot be set on from where they stood",
    why: "that needs a kernel with time namespaces (5.11 and later)",
    mends: [{ effect: "use a kernel with CONFIG_TIME_NS" }],
  },
  {
    id: "DIRTY_TRACKING",
    match: /Pid-reuse detection failed|dirty memory tracker|Dirty tracking support is not available/,
    during: "dump",
    what: "the memory that changed since the last checkpoint cannot be told",
    why: "this kernel does not track written pages, or the parent set does not fit",
    mends: [{ effect: "make a full dump: without --prev-images-dir and --track-mem" }],
  },
];
