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
    id: "VDSO",
    match:
      /(?:vDSO isn't provided by kernel|Task had vdso, restorer doesn't|Failed to (?:map|remap|unmap|proxify).*vd?so|Failed to proxify dumpee|Can't find (?:rt )?vDSO|Can't fixup vdso VMAs|Kdat sizes of vdso|[Cc]ompat(?:ible)? vd?so|(?:filling vdso|parsing maps for child helper)|Compatible mode without vdso)/i,
    what: "the vDSO of this kernel does not fit that of the checkpoint, or criu's record of it",
    why: "the program has addresses in the vDSO, the code that the kernel maps into each process, and criu redirects them to the vDSO here",
    mends: [
      { command: "rm -f /run/criu.kdat", effect: "let criu look at this kernel again, if it was updated" },
      {
        effect:
          "use a newer criu, or restore on a kernel like that of the checkpoint (vdso=1, same architecture)",
      },
    ],
  },
  {
    id: "USERFAULTFD",
    match:
      /(?:userfaultfd|Lazy pages are not available|Incompatible uffd API|Failed to get uffd API|lazy-pages: (?:register|unexpected)|UFFDIO_\w+)/,
    what: "this kernel refuses userfaultfd, which a restore with --lazy-pages needs",
    why: "it needs CONFIG_USERFAULTFD, and CAP_SYS_PTRACE or vm.unprivileged_userfaultfd; container engines often block it",
    mends: [
      {
        command: "sysctl vm.unprivileged_userfaultfd=1",
        effect: "permit it to processes without CAP_SYS_PTRACE",
      },
      { effect: "restore without --lazy-pages, after the lazy-pages daemon or a dump has copied all pages" },
    ],
  },
  {
    id: "LAZY_PAGES",
    match:
      /(?:uffd: (?:.*?: )?(?:PID (?:sending|recv)|send_fd error|recv_fd error|connect to|Unexpected response|Remote side|Error reading)|lazy-pages(?:\.| )socket|Failed (?:sending|getting) restore finished indication|Restorer unexpectedly closed)/,
    what: "the connection with the lazy-pages daemon failed",
    why: "a restore with --lazy-pages gets its memory from that daemon, which must run with the same --work-dir until all pages are copied",
    mends: [
      {
        command: "criu lazy-pages -D {image} -W WORKDIR",
        effect:
          "start the daemon first, with --page-server --address SOURCE --port PORT for pages that are still on another host; its own log shows why it ended",
      },
      {
        command: "crimg restore {image} -- --lazy-pages --work-dir WORKDIR",
        effect: "restore with the same directory",
      },
      { effect: "restore without --lazy-pages, if the set has all pages" },
    ],
  },
  {
    id: "MACHINE",
    match: /Core march mismatch (?<machine>\d+)/,
    during: "restore",
    what: "the set is of another machine type ({machine})",
    why: "criu restores programs only on the architecture that they ran on",
    mends: [{ command: "crimg show {image}", effect: "show the machine" }],
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
      { edit: "{unlabel}", effect: "drop the profiles; the tasks then run unconfined" },
    ],
  },
  {
    id: "LSM_PROFILE",
    match:
      /(?:can't (?:write|render) (?:lsm )?profile|Can't write apparmor|restoring lsm|can't set up LSM|failed to write.*apparmor|Unable to set the .* SELinux context|failed openat -?\d+$)/i,
    during: "restore",
    what: "cannot set the security profile of task {pid}",
    why: "the profile must be loaded on this host, and criu must be permitted to change to it",
    mends: [
      {
        command: "crimg show {image} creds",
        effect: "show the profiles, to load them here (apparmor_parser -r)",
      },
      { edit: "{unlabel}", effect: "drop the profiles; the tasks then run unconfined" },
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
    id: "CPUSET",
    match:
      /^cg: (?:Failed (?:closing|opening|writing .+ to) (?<path>\S*cpuset\.\w+)(?:: (?<error>.+))?|Restoring special cpuset props failed)/,
    during: "restore",
    what: "cannot set the CPUs or memory nodes of a cpuset control group",
    why: "a control group may have only CPUs and memory nodes that exist here and that the group above it has",
    mends: [
      { command: "grep . /sys/fs/cgroup/cpuset*.effective", effect: "show what is there" },
      { command: "{restore} -- --manage-cgroups=ignore", effect: "restore into the control group of criu" },
    ],
  },
  {
    id: "CGROUP",
    match:
      /(?:Can't (?:move|make).*c(?:g|group)|cgroupd: Can't move|Cgroup dir (?<cgroup>.+) doesn't exist|controller (?<controller>\S+) not found|Failed accessing cgroup dir|Failed writing .* to .*cgroup|Abort restore of existing cgroups|^cg: (?:Failed|Can't|\tCan't|Unable|couldn't|bad cgroup|failed|Restoring)|write to cgroup\.subtree_control|Unable to restore freezer state)/,
    during: "restore",
    what: "cannot create the control groups of the set, or put the tasks into them",
    why: "other controllers are mounted here, the path is not writable, or criu lacks the permission",
    mends: [
      {
        command: "{restore} -- --manage-cgroups=ignore",
        effect: "restore into the control group of criu",
      },
      { edit: "--cgroup OLD=NEW", effect: "use other paths" },
    ],
  },
  {
    id: "MOUNT_EXTERNAL",
    match: /^mnt(?:-v2)?: No mapping for (?<mount>\S+) mountpoint/,
    during: "restore",
    what: "the mount {mount} is external, and the restore does not say what to mount there",
    why: "the restore must name the external mounts of the dump; a container runtime names others if it is another one or another version, or if the kernel or the configuration differ",
    mends: [
      { effect: "restore with the runtime, version and configuration that made the checkpoint" },
      { command: "crimg show {image} mounts", effect: "show the mounts; external ones have a key" },
      { command: "{restore} -- --external mnt[KEY]:PATH", effect: "set the path for that key" },
    ],
  },
  {
    id: "MOUNT_REFUSED",
    match:
      /^mnt(?:-v2)?: (?:Can't|Unable to|Failed to|Fail to) (?<step>.+): (?<error>Permission denied|Operation not permitted)/,
    what: "criu may not {step}: {error}",
    why: "a mount needs CAP_SYS_ADMIN in the user namespace that owns it, and no security module (AppArmor, SELinux) that denies it",
    mends: [
      {
        command: "journalctl -k | grep -iE 'apparmor|avc:'",
        effect: "see whether a security module denied it",
      },
      { effect: "run the restore as root, outside of a user namespace" },
      {
        command: "{restore} -- --mntns-compat-mode",
        effect: "mount in the old way, if the message begins with mnt-v2",
      },
    ],
  },
  {
    id: "MOUNT",
    match:
      /^mnt(?:-v2)?: (?:Can't (?:mount|bind-mount|do a bind)|Unable to (?:find|mount|bind-mount|make|open|apply|move|unshare)|Mount \d+|Failed to (?:open_tree|move|cross|copy|set)|The --root option)/,
    what: "cannot dump or restore a mount of the process tree",
    why: "its file system, its directory or its device is not there, or it is external, which the dump and the restore must both say",
    mends: [
      { command: "crimg show {image} mounts", effect: "show the mounts; external ones have a key" },
      {
        command: "{restore} -- --external mnt[KEY]:PATH",
        effect: "set the path for that key",
      },
    ],
  },
  {
    id: "NAMESPACE_EXTERNAL",
    match: /Unable to find an external (?<kind>\w+): (?<key>.+)/,
    during: "restore",
    what: "the restore was not given the {kind} that the set calls {key}",
    why: "a container runtime makes that namespace itself, and hands criu a descriptor of it",
    mends: [
      { effect: "restore with the runtime that made the checkpoint" },
      {
        command: "{restore} -- --inherit-fd fd[3]:{key}",
        effect: "hand over a namespace by hand, opened as descriptor 3",
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
    match:
      /Pid-reuse detection failed|dirty memory tracker|Dirty tracking support is not available|Tracking memory is not available|[Mm]emory tracking (?:is )?not supported|kerndat_get_dirty_track failed|PAGEMAP_SCAN/,
    during: "dump",
    what: "cannot determine the memory changed since the last checkpoint",
    why: "this kernel does not track written pages, or the parent set does not match",
    mends: [{ effect: "make a full dump, without --prev-images-dir and --track-mem" }],
  },
];
