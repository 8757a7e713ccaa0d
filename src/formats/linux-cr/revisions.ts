import type { ByteOrder } from "../../io/byte-order.js";

/** The header sets of user-cr, oldest first: each is the format of a kernel tree of about that date. */
export const REVISIONS = [
  { commit: "0abe2fe", date: "2009-10-03", label: "after v18", version: 3 },
  { commit: "a53775e", date: "2009-11-04", label: "after v18, with epoll and eventfd", version: 3 },
  { commit: "d55d4c8", date: "2009-11-11", label: "v19-rc1", version: 4 },
  { commit: "db94f5e", date: "2009-12-01", label: "v19-rc2", version: 4 },
  { commit: "76fcfe5", date: "2009-12-06", label: "v19-rc2, with x86-64", version: 4 },
  { commit: "c97c03d", date: "2010-02-05", label: "v19-rc3", version: 5 },
  { commit: "67cfee9", date: "2010-02-22", label: "v19 to v20", version: 5 },
  { commit: "c83f38b", date: "2010-03-23", label: "v20 to v21, nested pid namespaces", version: 6 },
  { commit: "78d18cf", date: "2010-03-30", label: "v20 to v21, network namespaces", version: 6 },
  { commit: "b0d8304", date: "2010-03-30", label: "v20 to v21, without VPIDS", version: 6 },
  { commit: "82822cf", date: "2010-04-25", label: "v21", version: 6 },
  { commit: "f678773", date: "2010-06-17", label: "v22-dev", version: 6 },
  { commit: "f0fdd38", date: "2011-01-05", label: "v23-rc1", version: 6 },
  { commit: "a272e68", date: "2011-01-10", label: "v23-rc1, new terminals", version: 6 },
  { commit: "b6cdf01", date: "2011-01-25", label: "v23-rc1, with PIDS", version: 6 },
  { commit: "1fd8e6e", date: "2011-04-16", label: "v23-rc2", version: 6 },
  { commit: "5c3471a", date: "2012-03-17", label: "v23-rc2, with ARM", version: 6 },
] as const;

/** A header set, by the commit of user-cr that introduced it. */
export type Commit = (typeof REVISIONS)[number]["commit"];

export const COMMITS: readonly Commit[] = REVISIONS.map(({ commit }) => commit);

const ORDER: ReadonlyMap<Commit, number> = new Map(COMMITS.map((commit, i) => [commit, i]));

/** Whether header set `commit` is `since` or a later one. */
export function isSince(commit: Commit, since: Commit): boolean {
  return (ORDER.get(commit) as number) >= (ORDER.get(since) as number);
}

export type ArchFamily = "x86" | "s390" | "powerpc" | "arm";

/** Architecture-specific properties of an image. */
export interface Architecture {
  /** As printed by `uname -m`. */
  readonly name: string;
  readonly family: ArchFamily;
  /** Bytes of an address before a saved page, `sizeof(unsigned long)` of the kernel. */
  readonly wordBytes: 4 | 8;
  readonly byteOrder: ByteOrder;
}

export const ARCHITECTURES = {
  X86_32: { name: "i686", family: "x86", wordBytes: 4, byteOrder: "little-endian" },
  X86_64: { name: "x86_64", family: "x86", wordBytes: 8, byteOrder: "little-endian" },
  S390X: { name: "s390x", family: "s390", wordBytes: 8, byteOrder: "big-endian" },
  PPC32: { name: "ppc", family: "powerpc", wordBytes: 4, byteOrder: "big-endian" },
  PPC64: { name: "ppc64", family: "powerpc", wordBytes: 8, byteOrder: "big-endian" },
  ARM: { name: "armv7l", family: "arm", wordBytes: 4, byteOrder: "little-endian" },
} as const satisfies Readonly<Record<string, Architecture>>;

export type ArchId = keyof typeof ARCHITECTURES;

/** Numbers of HEADER.arch_id, from 1 on, with the header set that introduced each numbering. */
const ARCH_NUMBERINGS: readonly (readonly [since: Commit, ids: readonly ArchId[]])[] = [
  ["0abe2fe", ["X86_32", "S390X", "PPC32", "PPC64"]],
  ["76fcfe5", ["X86_32", "S390X", "PPC32", "PPC64", "X86_64"]],
  ["c97c03d", ["X86_32", "X86_64", "S390X", "PPC32", "PPC64"]],
  ["f678773", ["X86_32", "X86_64", "S390X", "PPC32", "PPC64", "ARM"]],
  ["f0fdd38", ["X86_32", "X86_64", "S390X", "PPC32", "PPC64"]],
  ["a272e68", ["X86_32", "X86_64", "S390X"]],
  ["5c3471a", ["X86_32", "X86_64", "S390X", "ARM"]],
];

/** The architectures of a header set, indexed by `arch_id - 1`. */
export function archNumbering(commit: Commit): readonly ArchId[] {
  let ids: readonly ArchId[] = [];
  for (const [since, numbering] of ARCH_NUMBERINGS) if (isSince(commit, since)) ids = numbering;
  return ids;
}

/** Types of shared objects in numerical order, each with the header set that inserted it. */
const OBJECT_TYPES = [
  ["IGNORE", "0abe2fe"],
  ["PID", "b6cdf01"],
  ["INODE", "0abe2fe"],
  ["FILE_TABLE", "0abe2fe"],
  ["FILE", "0abe2fe"],
  ["MM", "0abe2fe"],
  ["FS", "c97c03d"],
  ["SIGHAND", "0abe2fe"],
  ["SIGNAL", "0abe2fe"],
  ["NS", "0abe2fe"],
  ["UTS_NS", "0abe2fe"],
  ["IPC_NS", "0abe2fe"],
  ["MNT_NS", "c97c03d"],
  ["USER_NS", "0abe2fe"],
  ["CRED", "0abe2fe"],
  ["USER", "0abe2fe"],
  ["GROUPINFO", "0abe2fe"],
  ["SOCK", "0abe2fe"],
  ["TTY", "0abe2fe"],
  ["SECURITY_PTR", "d55d4c8"],
  ["SECURITY", "d55d4c8"],
  ["NET_NS", "78d18cf"],
  ["NETDEV", "78d18cf"],
  ["SEM_UNDO", "f0fdd38"],
] as const satisfies readonly (readonly [string, Commit])[];

export type ObjectType = (typeof OBJECT_TYPES)[number][0];

/** The types of objects of a header set, indexed by OBJREF.objtype. */
export function objectTypes(commit: Commit): readonly ObjectType[] {
  return OBJECT_TYPES.filter(([, since]) => isSince(commit, since)).map(([type]) => type);
}
