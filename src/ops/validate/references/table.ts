import { IMAGES } from "../../../formats/criu/images.js";
import type { RuleFacts } from "../finding.js";
import { netNamespacesRestored } from "../namespaces.js";
import { inFile, inImage, type Source } from "./source.js";
import { hasMounts, isConnectedTcp, isMapped, isRemap, peerDevice, pluginImage } from "./special.js";
import {
  anyOwner,
  fileFieldOf,
  fileOf,
  imageOf,
  mount,
  namespaceOf,
  recordOf,
  type Target,
  taskPid,
} from "./target.js";

/** A field whose value must name something that is there. */
export interface ReferenceRow extends RuleFacts {
  readonly from: readonly Source[];
  readonly to: Target;
}

function row(
  id: string,
  level: RuleFacts["level"],
  about: string,
  from: Source | readonly Source[],
  to: Target,
  fix = to.fix ?? SET_FIELD,
): ReferenceRow {
  return { id, level, about, fix, from: typeof from === "function" ? [from] : from, to };
}

const SET_FIELD = "crimg edit --set gives the field the number of one that is there.";

const NET_SOCKETS = ["INETSK", "UNIXSK", "NETLINKSK", "PACKETSK", "TUNF"];

const WITH_OWNER = [
  "REG",
  "INETSK",
  "PACKETSK",
  "NETLINKSK",
  "EVENTFD",
  "EVENTPOLL",
  "SIGNALFD",
  "TIMERFD",
  "INOTIFY",
  "FANOTIFY",
  "EXT",
  "UNIXSK",
  "PIPE",
  "TTY",
  "MEMFD",
  "BPFMAP",
  "PIDFD",
];

/** Every field that names a record, an image or a task of the set. */
export const REFERENCES: readonly ReferenceRow[] = [
  row(
    "FS_CWD",
    "error",
    "The current directory of a task is a REG file of the set.",
    inImage(IMAGES.FS, "cwd_id"),
    fileOf("REG"),
  ),
  row(
    "FS_ROOT",
    "error",
    "The root directory of a task is a REG file of the set.",
    inImage(IMAGES.FS, "root_id"),
    fileOf("REG"),
  ),
  row(
    "MM_EXE",
    "error",
    "The program of a task is a REG or MEMFD file of the set.",
    inImage(IMAGES.MM, "exe_file_id"),
    fileOf("REG", "MEMFD"),
  ),
  row(
    "VMA_FILE",
    "error",
    "A file mapping names a REG file of the set.",
    [
      inImage(IMAGES.MM, "vmas[].shmid", { when: isMapped("file") }),
      inImage(IMAGES.VMAS, "shmid", { when: isMapped("file") }),
    ],
    fileOf("REG"),
  ),
  row(
    "VMA_MEMFD",
    "error",
    "A mapping of a memory file names a MEMFD file of the set.",
    inImage(IMAGES.MM, "vmas[].shmid", { when: isMapped("memfd") }),
    fileOf("MEMFD"),
  ),
  row(
    "VMA_SOCKET",
    "error",
    "A mapping of a packet socket's ring names a PACKETSK file of the set.",
    inImage(IMAGES.MM, "vmas[].shmid", { when: isMapped("socket") }),
    fileOf("PACKETSK"),
  ),
  row(
    "VMA_SYSV",
    "error",
    "A mapping of SysV shared memory names a segment of the IPC namespace.",
    inImage(IMAGES.MM, "vmas[].shmid", { when: isMapped("sysv") }),
    recordOf(IMAGES.IPCNS_SHM, "a segment", ({ desc }) => desc.id),
  ),
  row(
    "VMA_SHMEM",
    "error",
    "A shared anonymous mapping has its pages in a pagemap of its own.",
    inImage(IMAGES.MM, "vmas[].shmid", { when: isMapped("shared") }),
    imageOf(IMAGES.SHMEM_PAGEMAP),
  ),
  row(
    "MEMFD_INODE",
    "error",
    "A memory file names its inode in memfd.img.",
    inFile("MEMFD", "inode_id"),
    recordOf(IMAGES.MEMFD_INODE, "an inode", ({ inode_id }) => inode_id),
  ),
  row(
    "MEMFD_PAGES",
    "error",
    "The inode of a memory file that is not empty has its pages in a pagemap of its own.",
    inImage(IMAGES.MEMFD_INODE, "shmid", { when: ({ size }) => (size as bigint) > 0n }),
    imageOf(IMAGES.SHMEM_PAGEMAP),
  ),
  row(
    "SYSV_PAGES",
    "error",
    "A SysV segment that is marked so has its pages in a pagemap of its own.",
    inImage(IMAGES.IPCNS_SHM, "desc.id", { when: (_desc, _context, record) => record.in_pagemaps === true }),
    imageOf(IMAGES.SHMEM_PAGEMAP),
  ),
  row(
    "REMAP_FILE",
    "error",
    "A deleted file's entry in remap-fpath.img names a REG file of the set.",
    inImage(IMAGES.REMAP_FPATH, "orig_id"),
    fileOf("REG"),
  ),
  row(
    "REMAP_GHOST",
    "error",
    "A deleted file that was copied into the set has its ghost image.",
    inImage(IMAGES.REMAP_FPATH, "remap_id", { when: isRemap("ghost"), key: (id) => id & 0x7fff_ffffn }),
    imageOf(IMAGES.GHOST_FILE),
  ),
  row(
    "REMAP_LINK",
    "error",
    "A deleted file that was kept by a hard link names the link as a REG file of the set.",
    inImage(IMAGES.REMAP_FPATH, "remap_id", { when: isRemap("link") }),
    fileOf("REG"),
  ),
  row("FIFO_NODE", "error", "A fifo has the REG file of its node.", inFile("FIFO", "regf_id"), fileOf("REG")),
  row(
    "TTY_NODE",
    "error",
    "A terminal has the REG file of its device node.",
    inFile("TTY", "regf_id"),
    fileOf("REG"),
  ),
  row(
    "TUN_NODE",
    "error",
    "A tun descriptor has a REG file with its own id.",
    inFile("TUNF", "id"),
    fileOf("REG"),
  ),
  row(
    "TTY_INFO",
    "error",
    "A terminal descriptor names its terminal in tty-info.img.",
    inFile("TTY", "tty_info_id"),
    recordOf(IMAGES.TTY_INFO, "a terminal", ({ id }) => id),
  ),
  row(
    "TTY_DATA",
    "warning",
    "Unread bytes of a terminal belong to one of tty-info.img.",
    inImage(IMAGES.TTY_DATA, "tty_id"),
    recordOf(IMAGES.TTY_INFO, "a terminal", ({ id }) => id),
  ),
  row(
    "PIPE_DATA",
    "warning",
    "Bytes in a pipe belong to a pipe that some file entry is an end of.",
    inImage(IMAGES.PIPES_DATA, "pipe_id"),
    fileFieldOf("PIPE", "a pipe", "pipe_id"),
  ),
  row(
    "FIFO_DATA",
    "warning",
    "Bytes in a fifo belong to a fifo that some file entry is an end of.",
    inImage(IMAGES.FIFO_DATA, "pipe_id"),
    fileFieldOf("FIFO", "a fifo", "pipe_id"),
  ),
  row(
    "UNIX_PEER",
    "error",
    "The other end of a unix socket is in the set, unless it is marked as external.",
    inFile("UNIXSK", "peer", { none: 0n, when: ({ uflags }) => ((uflags as number) & 1) === 0 }),
    fileFieldOf("UNIXSK", "a unix socket with inode", "ino"),
  ),
  row(
    "QUEUE_SOCKET",
    "warning",
    "A queued packet belongs to a unix socket of the set.",
    inImage(IMAGES.SK_QUEUES, "id_for"),
    fileOf("UNIXSK"),
  ),
  row(
    "TCP_STREAM",
    "error",
    "A TCP connection has its state and queues in an image of its own, unless connections are to be closed.",
    inFile("INETSK", "ino", { when: isConnectedTcp }),
    imageOf(IMAGES.TCP_STREAM),
  ),
  row(
    "SOCKET_NETNS",
    "error",
    "A socket is in a network namespace of the set.",
    NET_SOCKETS.map((type) =>
      inFile(type, "ns_id", { none: 0n, when: (_socket, context) => context.share(netNamespacesRestored) }),
    ),
    namespaceOf("network", ["net_ns_id"]),
  ),
  row(
    "FOWN_OWNER",
    "warning",
    "Who gets the signals of a file (F_SETOWN) is a task, thread or process group of the set.",
    WITH_OWNER.map((type) => inFile(type, "fown.pid", { none: 0n })),
    anyOwner,
    "Restore fails if nothing has this pid then; crimg edit --set IMAGE[RECORD].FIELD=0 takes the owner away.",
  ),
  row(
    "FILE_MOUNT",
    "error",
    "A file is on a mount of the set.",
    inFile("REG", "mnt_id", { none: -1n, when: hasMounts }),
    mount,
  ),
  row(
    "UNIX_MOUNT",
    "error",
    "A unix socket is on a mount of the set.",
    inFile("UNIXSK", "mnt_id", { none: -1n, when: hasMounts }),
    mount,
  ),
  row(
    "INOTIFY_MOUNT",
    "error",
    "A watched inode is on a mount of the set.",
    inFile("INOTIFY", "wd[].f_handle.mnt_id", { when: hasMounts }),
    mount,
  ),
  row(
    "FANOTIFY_MOUNT",
    "error",
    "What a fanotify mark marks is on a mount of the set.",
    [
      inFile("FANOTIFY", "mark[].me.mnt_id", { when: hasMounts }),
      inFile("FANOTIFY", "mark[].ie.f_handle.mnt_id", { when: hasMounts }),
    ],
    mount,
  ),
  row(
    "NETDEV_MASTER",
    "error",
    "The bridge of a network device is a device of the set.",
    inImage(IMAGES.NETDEV, "master"),
    recordOf(IMAGES.NETDEV, "a device", ({ ifindex }) => ifindex),
  ),
  row(
    "NETDEV_PEER",
    "warning",
    "The other end of a veth pair is a device of its namespace's image.",
    inImage(IMAGES.NETDEV, "peer_ifindex", { when: ({ peer_nsid }) => peer_nsid !== undefined }),
    peerDevice,
  ),
  row(
    "NETNS_ID",
    "warning",
    "A network namespace that another one knows by a number is in the set.",
    inImage(IMAGES.NETNS, "nsids[].target_ns_id"),
    namespaceOf("network", ["net_ns_id"]),
  ),
  row(
    "NS_FILE",
    "error",
    "An open namespace file names a namespace of the set.",
    inFile("NS", "ns_id"),
    namespaceOf("", [
      "pid_ns_id",
      "net_ns_id",
      "ipc_ns_id",
      "uts_ns_id",
      "mnt_ns_id",
      "user_ns_id",
      "cgroup_ns_id",
      "time_ns_id",
    ]),
  ),
  row(
    "PIDFD_TASK",
    "error",
    "A pidfd of a live process names a task of the set.",
    inFile("PIDFD", "nspid", { none: -1n }),
    taskPid,
  ),
  row(
    "BPF_DATA",
    "warning",
    "An open bpf map has its contents in bpfmap-data.img.",
    inFile("BPFMAP", "map_id"),
    recordOf(IMAGES.BPFMAP_DATA, "a map", ({ map_id }) => map_id),
  ),
  row(
    "EXT_IMAGE",
    "warning",
    "A file that a plugin dumped has an image of that plugin.",
    inFile("EXT", "id"),
    pluginImage,
  ),
  row(
    "AUTOFS_GROUP",
    "warning",
    "The process group that serves an autofs mount is in the set.",
    inImage(IMAGES.AUTOFS, "pgrp"),
    anyOwner,
  ),
];
