import { IMAGES } from "../../formats/criu/images.js";
import { LSMTYPE } from "../../formats/criu/tables/inventory.js";
import { enumName } from "../../io/enums.js";
import type { CriuDocument } from "../../model/document.js";
import type { OpenFile } from "../../model/open-file.js";
import { nsView } from "./ns.js";
import { treeView } from "./tree.js";

/** An unusual property of a checkpoint that matters for a restore or a reader. */
export interface Peculiarity {
  readonly id: string;
  readonly text: string;
}

type Look = (document: CriuDocument) => string | readonly string[] | undefined;

/** Checks, in the order shown. */
const LOOKS: readonly (readonly [id: string, look: Look])[] = [
  [
    "NO_TASKS",
    ({ checkpoint }) => (checkpoint.tasks.length === 0 ? "only memory (a pre-dump), no tasks" : undefined),
  ],
  ["TREE", (document) => (document.checkpoint.tasks.length === 0 ? undefined : treeView(document).notes)],
  ["SHELL_JOB", shellJob],
  [
    "STOPPED",
    ({ checkpoint }) => countOf(checkpoint.tasks, ({ state }) => state === "stopped", "stopped task"),
  ],
  ["DELETED_FILES", deletedFiles],
  ["TCP_CONNECTIONS", tcpConnections],
  ["EXTERNAL_UNIX_PEERS", externalUnixPeers],
  [
    "FILE_LOCKS",
    ({ checkpoint }) => (checkpoint.locks.length > 0 ? "file locks: restore with --file-locks" : undefined),
  ],
  [
    "BREAKING_LEASES",
    ({ checkpoint }) => countOf(checkpoint.locks, ({ breaking }) => breaking, "lease", "being broken"),
  ],
  [
    "TERMINALS",
    ({ checkpoint }) => countOf(checkpoint.files.all, ({ type }) => type === "TTY", "open terminal"),
  ],
  ["EXTERNAL_FILES", externalFiles],
  [
    "EXTERNAL_MOUNTS",
    ({ checkpoint }) =>
      countOf(checkpoint.mounts, (mount) => mount.externalKey !== undefined, "external mount"),
  ],
  ["NAMESPACES", namespaces],
  [
    "SECCOMP",
    ({ checkpoint }) =>
      countOf(
        checkpoint.tasks,
        ({ threads }) => /strict|filter/.test(threads[0]?.seccomp ?? ""),
        "task",
        "under seccomp",
      ),
  ],
  ["LSM", lsm],
  ["PLUGINS", plugins],
  [
    "SYSV_MEMORY",
    ({ checkpoint }) =>
      countOf(
        checkpoint.tasks,
        ({ mappings }) => mappings.some(({ kind }) => kind === "SysV"),
        "task",
        "with SysV shared memory",
      ),
  ],
  [
    "INCREMENTAL",
    ({ set }) =>
      set.parent() === undefined ? undefined : "incremental: also needs the pages of the parent set",
  ],
  ["COMPRESSED", ({ set }) => (set.first(IMAGES.INVENTORY)?.compress ? "compressed pages" : undefined)],
];

/** Unusual properties of a checkpoint, most with what the restore needs. */
export function peculiarities(document: CriuDocument): Peculiarity[] {
  return LOOKS.flatMap(([id, look]) => {
    const found = look(document);
    const texts = typeof found === "string" ? [found] : (found ?? []);
    return texts.map((text) => ({ id, text }));
  });
}

function shellJob({ checkpoint }: CriuDocument): string | undefined {
  const [root] = checkpoint.tasks;
  if (root === undefined || root.sid === root.pid || checkpoint.task(root.sid) !== undefined)
    return undefined;
  return "session leader not in the set: restore with --shell-job";
}

function deletedFiles({ checkpoint }: CriuDocument): string | undefined {
  const { deletedFiles: files } = checkpoint;
  if (files.length === 0) return undefined;
  const kinds = (
    [
      ["ghost", "stored in the image"],
      ["link remap", "kept by a hard link on disk"],
      ["process", "in /proc of a dead process"],
    ] as const
  ).map(([method, where]) => [files.filter((file) => file.method === method).length, where] as const);
  const told = kinds.filter(([count]) => count > 0).map(([count, where]) => `${count} ${where}`);
  return `${plural(files.length, "deleted file")}: ${told.join(", ")}`;
}

function tcpConnections({ checkpoint, set }: CriuDocument): string | undefined {
  const count = countOf(checkpoint.files.all, ({ socket }) => socket?.connected === true, "TCP connection");
  if (count === undefined) return undefined;
  return set.first(IMAGES.INVENTORY)?.tcp_close === true
    ? `${count}, closed at the restore`
    : `${count}: restore with --tcp-established`;
}

function externalUnixPeers({ checkpoint }: CriuDocument): string | undefined {
  const isLonely = ({ socket }: OpenFile): boolean =>
    Boolean(socket?.peerInode) && socket?.peer === undefined;
  const count = countOf(checkpoint.files.all, isLonely, "unix socket", "with an external peer");
  return count === undefined ? undefined : `${count}: restore with --ext-unix-sk`;
}

function externalFiles({ checkpoint }: CriuDocument): string | undefined {
  const isExternal = ({ type, path }: OpenFile): boolean =>
    (type === "REG" && path === undefined) || type === "EXT";
  const count = countOf(checkpoint.files.all, isExternal, "external file");
  return count === undefined ? undefined : `${count}: restore with --inherit-fd or --external`;
}

function namespaces(document: CriuDocument): string | undefined {
  const kinds = new Set(nsView(document).namespaces.flatMap(({ kind, dumped }) => (dumped ? [kind] : [])));
  return kinds.size === 0 ? undefined : `own namespaces: ${[...kinds].join(", ")}`;
}

function lsm({ checkpoint, set }: CriuDocument): string | undefined {
  const type = set.first(IMAGES.INVENTORY)?.lsmtype;
  const profile = checkpoint.tasks
    .map(({ threads }) => threads[0]?.credentials?.lsmProfile)
    .find((found) => found !== undefined);
  if (!type || profile === undefined) return undefined;
  return `confined by ${enumName(LSMTYPE, type)}: ${profile}`;
}

function plugins({ set }: CriuDocument): string | undefined {
  const names = set.first(IMAGES.INVENTORY)?.plugins_entry?.plugins ?? [];
  return names.length === 0 ? undefined : `criu plugins: ${names.join(", ")}`;
}

function countOf<T>(
  all: readonly T[],
  holds: (each: T) => boolean,
  what: string,
  more = "",
): string | undefined {
  const count = all.filter(holds).length;
  return count === 0 ? undefined : `${plural(count, what)} ${more}`.trimEnd();
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
