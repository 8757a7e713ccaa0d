import { MAX_IPC_OBJECTS, MAX_MOUNTS } from "../../../io/limits.js";
import { kind, many, one, raw } from "../image-kind.js";
import { AUTOFS_ENTRY } from "../tables/autofs.js";
import { BINFMT_MISC_ENTRY } from "../tables/binfmt-misc.js";
import { IPC_MSG, IPC_MSG_ENTRY, IPC_SEM_ENTRY, IPC_SHM_ENTRY, IPC_VAR_ENTRY } from "../tables/ipc.js";
import { MNT_ENTRY } from "../tables/mnt.js";
import { NET_DEVICE_ENTRY, NETNS_ENTRY } from "../tables/netns.js";
import { PIDNS_ENTRY, TIMENS_ENTRY, USERNS_ENTRY, UTSNS_ENTRY } from "../tables/ns.js";

/** Images of one namespace or mount. */
export const NAMESPACE_IMAGES = {
  UTSNS: kind("UTSNS", "utsns-%u.img", 0x54473203, "namespace", "host and domain name", [one(UTSNS_ENTRY)], {
    since: "0.1",
  }),
  TIMENS: kind(
    "TIMENS",
    "timens-%u.img",
    0x43114433,
    "namespace",
    "clocks at the dump",
    [one(TIMENS_ENTRY)],
    { since: "3.14" },
  ),
  PIDNS: kind(
    "PIDNS",
    "pidns-%u.img",
    0x61157326,
    "namespace",
    "an external pid namespace",
    [one(PIDNS_ENTRY)],
    { since: "3.15" },
  ),
  USERNS: kind("USERNS", "userns-%u.img", 0x55474906, "namespace", "uid and gid maps", [one(USERNS_ENTRY)], {
    since: "1.4",
  }),
  MNTS: kind(
    "MNTS",
    "mountpoints-%u.img",
    0x55563928,
    "namespace",
    "mounts of a mount namespace",
    [many(MNT_ENTRY)],
    { since: "0.7", most: MAX_MOUNTS },
  ),
  IPC_VAR: kind(
    "IPC_VAR",
    "ipcns-var-%u.img",
    0x53115007,
    "namespace",
    "limits of an IPC namespace",
    [one(IPC_VAR_ENTRY)],
    { since: "0.7" },
  ),
  IPCNS_SHM: kind(
    "IPCNS_SHM",
    "ipcns-shm-%u.img",
    0x46283044,
    "namespace",
    "SysV shared memory segments",
    [many(IPC_SHM_ENTRY)],
    {
      payload: [
        {
          after: IPC_SHM_ENTRY,
          parts: [{ name: "data", length: { field: "size" }, padTo: 4 }],
          when: (entry) => entry.in_pagemaps !== true,
        },
      ],
      since: "0.1",
      most: MAX_IPC_OBJECTS,
    },
  ),
  IPCNS_MSG: kind(
    "IPCNS_MSG",
    "ipcns-msg-%u.img",
    0x55453737,
    "namespace",
    "SysV message queues",
    [many(IPC_MSG_ENTRY)],
    {
      payload: [
        {
          after: IPC_MSG_ENTRY,
          messages: { table: IPC_MSG, count: "qnum", length: { field: "msize" }, padTo: 8 },
        },
      ],
      since: "0.1",
      most: MAX_IPC_OBJECTS,
    },
  ),
  IPCNS_SEM: kind(
    "IPCNS_SEM",
    "ipcns-sem-%u.img",
    0x59573019,
    "namespace",
    "SysV semaphore sets",
    [many(IPC_SEM_ENTRY)],
    {
      payload: [
        {
          after: IPC_SEM_ENTRY,
          parts: [{ name: "values", length: { field: "nsems", unit: 2 }, padTo: 8 }],
          json: "u16",
        },
      ],
      since: "0.1",
      most: MAX_IPC_OBJECTS,
    },
  ),
  NETDEV: kind(
    "NETDEV",
    "netdev-%u.img",
    0x57373951,
    "namespace",
    "network devices",
    [many(NET_DEVICE_ENTRY)],
    { since: "0.2" },
  ),
  NETNS: kind(
    "NETNS",
    "netns-%u.img",
    0x55933752,
    "namespace",
    "settings of a network namespace",
    [one(NETNS_ENTRY)],
    { since: "1.6" },
  ),
  IFADDR: raw("IFADDR", "ifaddr-%u.img", "namespace", "addresses as `ip addr save` writes them", {
    since: "0.2",
  }),
  ROUTE: raw("ROUTE", "route-%u.img", "namespace", "IPv4 routes as `ip route save` writes them", {
    since: "0.2",
  }),
  ROUTE6: raw("ROUTE6", "route6-%u.img", "namespace", "IPv6 routes as `ip -6 route save` writes them", {
    since: "1.8",
  }),
  RULE: raw("RULE", "rule-%u.img", "namespace", "routing rules as `ip rule save` writes them", {
    since: "1.8",
  }),
  IPTABLES: raw("IPTABLES", "iptables-%u.img", "namespace", "text of iptables-save", { since: "0.8" }),
  IP6TABLES: raw("IP6TABLES", "ip6tables-%u.img", "namespace", "text of ip6tables-save", { since: "1.8" }),
  NFTABLES: raw("NFTABLES", "nftables-%u.img", "namespace", "text of `nft list ruleset`", { since: "3.14" }),
  NETNF_CT: raw("NETNF_CT", "netns-ct-%u.img", "namespace", "netlink messages of connection tracking", {
    since: "2.0",
  }),
  NETNF_EXP: raw("NETNF_EXP", "netns-exp-%u.img", "namespace", "netlink messages of expected connections", {
    since: "2.0",
  }),
  AUTOFS: kind("AUTOFS", "autofs-%u.img", 0x49353943, "mount", "an autofs mount", [one(AUTOFS_ENTRY)], {
    since: "2.4",
  }),
  TMPFS_DEV: raw("TMPFS_DEV", "tmpfs-dev-%u.tar.gz.img", "mount", "gzip-compressed tar of a tmpfs", {
    since: "1.3-rc2",
  }),
  TMPFS_IMG: raw("TMPFS_IMG", "tmpfs-%u.tar.gz.img", "mount", "gzip-compressed tar of a tmpfs", {
    status: "old",
    since: "1.3-rc1",
  }),
  BINFMT_MISC_OLD: kind(
    "BINFMT_MISC_OLD",
    "binfmt-misc-%u.img",
    0x67343323,
    "mount",
    "binary format handlers",
    [many(BINFMT_MISC_ENTRY)],
    { status: "old", since: "2.7" },
  ),
} as const;
