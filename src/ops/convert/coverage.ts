import type { CriuImage } from "../../formats/criu/image.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { Losses } from "../../model/loss.js";
import { type AnyValue, UNKNOWN } from "../../schema/message.js";

/**
 * What becomes of an image kind in a linux-cr stream. `expressed`: its objects are written, and what no record is for is
 * told object by object. `told`: nothing of it is written, which is told for what it belongs to. `not needed`: it says
 * nothing of the tasks. Else the reason why it is lost.
 */
export type Coverage = "expressed" | "told" | "not needed" | { readonly lost: string };

const NO_RECORDS: Coverage = { lost: "a stream has no records for them" };
const TOO_OLD: Coverage = { lost: "crimg does not read this image of old versions of criu" };

/** One line for every image kind, so that nothing of a set is dropped without a word. */
export const COVERAGE: Readonly<Record<keyof typeof IMAGES, Coverage>> = {
  INVENTORY: "expressed",
  PSTREE: "expressed",
  FILES: "expressed",
  REMAP_FPATH: "expressed",
  FILE_LOCKS: "expressed",
  PIPES_DATA: "expressed",
  FIFO_DATA: "expressed",
  SK_QUEUES: "expressed",
  TTY_INFO: "expressed",
  TTY_DATA: "expressed",
  MEMFD_INODE: "expressed",
  BPFMAP_DATA: "told",
  CGROUP: "expressed",
  SECCOMP: "expressed",
  APPARMOR: NO_RECORDS,
  CPUINFO: "not needed",
  BINFMT_MISC: NO_RECORDS,
  STATS: "not needed",
  IRMAP_CACHE: "not needed",

  CORE: "expressed",
  IDS: "expressed",
  MM: "expressed",
  FS: "expressed",
  CREDS: "expressed",
  FDINFO: "expressed",
  PAGEMAP: "expressed",
  VMAS: "expressed",
  SIGACT: "expressed",
  RLIMIT: "expressed",
  ITIMERS: "expressed",
  POSIX_TIMERS: "expressed",
  SIGNAL: "expressed",
  PSIGNAL: "expressed",

  SHMEM_PAGEMAP: "expressed",
  PAGES: "expressed",
  GHOST_FILE: "expressed",
  TCP_STREAM: "expressed",

  UTSNS: "expressed",
  TIMENS: "expressed",
  PIDNS: "told",
  USERNS: "told",
  MNTS: "told",
  IPC_VAR: "expressed",
  IPCNS_SHM: "expressed",
  IPCNS_MSG: "expressed",
  IPCNS_SEM: "expressed",
  NETDEV: "told",
  NETNS: "told",
  IFADDR: "told",
  ROUTE: "told",
  ROUTE6: "told",
  RULE: "told",
  IPTABLES: "told",
  IP6TABLES: "told",
  NFTABLES: "told",
  NETNF_CT: "told",
  NETNF_EXP: "told",
  AUTOFS: NO_RECORDS,
  TMPFS_DEV: "told",
  TMPFS_IMG: "told",
  BINFMT_MISC_OLD: NO_RECORDS,

  REG_FILES: "expressed",
  EXT_FILES: "expressed",
  NS_FILES: "expressed",
  EVENTFD_FILE: "expressed",
  EVENTPOLL_FILE: "expressed",
  SIGNALFD: "expressed",
  INOTIFY_FILE: "expressed",
  FANOTIFY_FILE: "expressed",
  PIPES: "expressed",
  FIFO: "expressed",
  UNIXSK: "expressed",
  INETSK: "expressed",
  PACKETSK: "expressed",
  NETLINK_SK: "expressed",
  TTY_FILES: "expressed",
  TUNFILE: "expressed",
  TIMERFD: "expressed",
  EVENTPOLL_TFD: TOO_OLD,
  INOTIFY_WD: TOO_OLD,
  FANOTIFY_MARK: TOO_OLD,
  BPFMAP_FILE: "told",
  PIDFD: "told",
};

const KEYS = new Map(
  Object.entries(IMAGES).map(([key, kind]) => [kind as object, key as keyof typeof IMAGES]),
);

/** Kinds whose many records are read by a reader of their own, which keeps no fields that it does not know. */
const PAGEMAPS: ReadonlySet<object> = new Set([IMAGES.PAGEMAP, IMAGES.SHMEM_PAGEMAP]);

/** Tells the images of a set that a stream cannot hold, and the fields in the others that crimg does not know. */
export function tellLostImages(set: CriuImageSet, losses: Losses): void {
  for (const { name, kind } of set.files) {
    const key = kind && KEYS.get(kind);
    if (kind === undefined || key === undefined) continue;
    const coverage = COVERAGE[key];
    if (typeof coverage === "object") losses.add(name, kind.doc, coverage.lost);
    if (coverage !== "expressed" || PAGEMAPS.has(kind)) continue;
    const image = set.imageNamed(name);
    if (image !== undefined) tellUnknownFields(image, name, losses);
  }
}

function tellUnknownFields(image: CriuImage, name: string, losses: Losses): void {
  const fields = new Map<string, number>();
  for (const { index, table, value } of image.heldRecords()) {
    if (!hasUnknownFields(value)) continue;
    for (const field of unknownFields(value, table.name)) if (!fields.has(field)) fields.set(field, index);
  }
  for (const [field, index] of fields)
    losses.add(`${name}[${index}]`, field, "crimg does not know this field, which a newer criu wrote");
}

/** Nearly no message has any, and a set has a million messages. */
function hasUnknownFields(value: AnyValue): boolean {
  if (value[UNKNOWN] !== undefined && value[UNKNOWN].length > 0) return true;
  return Object.values(value).some((member) =>
    Array.isArray(member) ? member.some(isMessageWithUnknown) : isMessageWithUnknown(member),
  );
}

function isMessageWithUnknown(member: unknown): boolean {
  return isMessage(member) && hasUnknownFields(member);
}

function isMessage(member: unknown): member is AnyValue {
  return typeof member === "object" && member !== null && !Buffer.isBuffer(member);
}

function* unknownFields(value: AnyValue, path: string): Generator<string> {
  for (const { number } of value[UNKNOWN] ?? []) yield `field ${number} of ${path}`;
  for (const [name, member] of Object.entries(value)) {
    if (name === UNKNOWN) continue;
    for (const one of Array.isArray(member) ? member : [member])
      if (isMessage(one)) yield* unknownFields(one, `${path}.${name}`);
  }
}
