import { MAX_SET_FILES, MAX_TASKS } from "../../../io/limits.js";
import { kind, many, one } from "../image-kind.js";
import { APPARMOR_ENTRY } from "../tables/apparmor.js";
import { BINFMT_MISC_ENTRY } from "../tables/binfmt-misc.js";
import { BPFMAP_DATA_ENTRY } from "../tables/bpfmap.js";
import { CGROUP_ENTRY } from "../tables/cgroup.js";
import { CPUINFO_ENTRY } from "../tables/cpuinfo.js";
import { FILE_ENTRY } from "../tables/fdinfo.js";
import { FILE_LOCK_ENTRY } from "../tables/file-lock.js";
import { IRMAP_CACHE_ENTRY } from "../tables/fsnotify.js";
import { INVENTORY_ENTRY } from "../tables/inventory.js";
import { MEMFD_INODE_ENTRY } from "../tables/memfd.js";
import { PIPE_DATA_ENTRY } from "../tables/pipe.js";
import { PSTREE_ENTRY } from "../tables/pstree.js";
import { REMAP_FILE_PATH_ENTRY } from "../tables/remap-file-path.js";
import { SECCOMP_ENTRY } from "../tables/seccomp.js";
import { SK_PACKET_ENTRY } from "../tables/sk-queue.js";
import { STATS_ENTRY } from "../tables/stats.js";
import { TTY_DATA_ENTRY, TTY_INFO_ENTRY } from "../tables/tty.js";

/** Images that a set has once. */
export const SET_IMAGES = {
  INVENTORY: kind(
    "INVENTORY",
    "inventory.img",
    0x58313116,
    "set",
    "facts about the set: version, namespace ids of criu, LSM",
    [one(INVENTORY_ENTRY)],
    { head: "none", since: "0.1" },
  ),
  PSTREE: kind("PSTREE", "pstree.img", 0x50273030, "set", "the process tree", [many(PSTREE_ENTRY)], {
    since: "0.1",
    most: MAX_TASKS,
  }),
  FILES: kind("FILES", "files.img", 0x56303138, "set", "open files of all tasks", [many(FILE_ENTRY)], {
    since: "3.4",
    most: MAX_SET_FILES,
  }),
  REMAP_FPATH: kind(
    "REMAP_FPATH",
    "remap-fpath.img",
    0x59133954,
    "set",
    "how deleted paths are restored",
    [many(REMAP_FILE_PATH_ENTRY)],
    // Each is of one open file.
    { since: "0.1", most: MAX_SET_FILES },
  ),
  FILE_LOCKS: kind(
    "FILE_LOCKS",
    "filelocks.img",
    0x54323616,
    "set",
    "file locks and leases",
    [many(FILE_LOCK_ENTRY)],
    { since: "0.4" },
  ),
  PIPES_DATA: kind(
    "PIPES_DATA",
    "pipes-data.img",
    0x56453709,
    "set",
    "bytes in pipes",
    [many(PIPE_DATA_ENTRY)],
    {
      payload: [{ after: PIPE_DATA_ENTRY, parts: [{ name: "data", length: { field: "bytes" } }] }],
      since: "0.1",
    },
  ),
  FIFO_DATA: kind(
    "FIFO_DATA",
    "fifo-data.img",
    0x59333054,
    "set",
    "bytes in fifos",
    [many(PIPE_DATA_ENTRY)],
    {
      payload: [{ after: PIPE_DATA_ENTRY, parts: [{ name: "data", length: { field: "bytes" } }] }],
      since: "0.1",
    },
  ),
  SK_QUEUES: kind(
    "SK_QUEUES",
    "sk-queues.img",
    0x56264026,
    "set",
    "packets in unix socket queues",
    [many(SK_PACKET_ENTRY)],
    {
      payload: [{ after: SK_PACKET_ENTRY, parts: [{ name: "data", length: { field: "length" } }] }],
      since: "0.1",
    },
  ),
  TTY_INFO: kind("TTY_INFO", "tty-info.img", 0x59453036, "set", "terminals", [many(TTY_INFO_ENTRY)], {
    since: "0.2",
  }),
  TTY_DATA: kind(
    "TTY_DATA",
    "tty-data.img",
    0x59413026,
    "set",
    "unread bytes of terminals",
    [many(TTY_DATA_ENTRY)],
    { since: "2.3" },
  ),
  MEMFD_INODE: kind(
    "MEMFD_INODE",
    "memfd.img",
    0x48453499,
    "set",
    "memory files and shared anonymous memory",
    [many(MEMFD_INODE_ENTRY)],
    { since: "3.14" },
  ),
  BPFMAP_DATA: kind(
    "BPFMAP_DATA",
    "bpfmap-data.img",
    0x64324033,
    "set",
    "contents of bpf maps",
    [many(BPFMAP_DATA_ENTRY)],
    {
      payload: [
        {
          after: BPFMAP_DATA_ENTRY,
          parts: [
            { name: "keys", length: { field: "keys_bytes" } },
            { name: "values", length: { field: "values_bytes" } },
          ],
          json: "joined",
        },
      ],
      since: "3.15",
    },
  ),
  CGROUP: kind(
    "CGROUP",
    "cgroup.img",
    0x59383330,
    "set",
    "control groups of the tasks",
    [one(CGROUP_ENTRY)],
    { since: "1.3-rc2" },
  ),
  SECCOMP: kind("SECCOMP", "seccomp.img", 0x64413049, "set", "seccomp filters", [one(SECCOMP_ENTRY)], {
    since: "1.8",
  }),
  APPARMOR: kind("APPARMOR", "apparmor.img", 0x59423047, "set", "AppArmor policies", [one(APPARMOR_ENTRY)], {
    since: "3.16",
  }),
  CPUINFO: kind(
    "CPUINFO",
    "cpuinfo.img",
    0x61404013,
    "set",
    "features of the CPU at the dump",
    [one(CPUINFO_ENTRY)],
    { since: "1.4" },
  ),
  BINFMT_MISC: kind(
    "BINFMT_MISC",
    "binfmt-misc.img",
    0x67343323,
    "set",
    "binary format handlers",
    [many(BINFMT_MISC_ENTRY)],
    { since: "2.0" },
  ),
  STATS: kind(
    "STATS",
    "stats-%s",
    0x57093306,
    "service",
    "statistics of a dump or restore",
    [one(STATS_ENTRY)],
    { head: "service", since: "0.6" },
  ),
  IRMAP_CACHE: kind(
    "IRMAP_CACHE",
    "irmap-cache",
    0x57004059,
    "service",
    "inode to path cache",
    [many(IRMAP_CACHE_ENTRY)],
    { head: "service", since: "1.2" },
  ),
} as const;
