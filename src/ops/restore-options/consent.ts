import { IMAGES } from "../../formats/criu/images.js";
import type { TtyInfoEntry } from "../../formats/criu/tables/tty.js";
import type { CriuDocument, Document } from "../../model/document.js";
import { count, describeFile, few } from "./describe.js";
import { lazyPages } from "./lazy-pages.js";
import type { RestoreOption } from "./option.js";

/** unix_sk_entry.uflags: the other end is external. */
const EXTERNAL_PEER = 1;
/** tty_info_entry.type */
const PTY = 1;
/** vma_entry.status: uprobes were set. */
const AREA_UPROBES = 0x2_0000;

/** Options for what criu does only on request. A stream is converted to a set for the restore. */
export function consentOptions(document: Document): RestoreOption[] {
  const isSet = document.family === "criu";
  return [
    ...shellJob(document),
    ...tcp(document),
    ...fileLocks(document),
    ...(isSet ? unixPeers(document) : []),
    ...linkRemap(document),
    ...(isSet ? [...uprobes(document), ...plugins(document), ...lazyPages(document)] : []),
  ];
}

function* shellJob(document: Document): Generator<RestoreOption> {
  const root = document.checkpoint.tasks[0];
  const outside =
    root !== undefined && root.sid !== root.pid ? [`session ${root.sid} of task ${root.pid}`] : [];
  // A stream has both ends of each terminal.
  const orphans = document.family === "criu" ? orphanTerminals(document) : [];
  if (outside.length === 0 && orphans.length === 0) return;
  yield {
    option: "--shell-job",
    reason:
      outside.length > 0
        ? "the session leader is not in the set"
        : "the other end of a terminal is not in the set",
    objects: [...outside, ...few(orphans, ({ pty }) => `terminal /dev/pts/${pty?.index ?? "?"}`)],
    from: outside.length > 0 ? imageOf(document, IMAGES.PSTREE.file) : IMAGES.TTY_INFO.file,
  };
}

/** Slaves without a master in the set. */
function orphanTerminals({ set }: CriuDocument): TtyInfoEntry[] {
  const terminals = set.records(IMAGES.TTY_INFO).map(({ value }) => value);
  const ids = new Set(terminals.map(({ id }) => id));
  return terminals.filter(({ type, id }) => type === PTY && id % 2 === 0 && !ids.has(id + 1));
}

/** Name of the image file; for a stream that of the stream. */
function imageOf({ family, checkpoint }: Document, image: string): string {
  return family === "criu" ? image : (checkpoint.tasks[0]?.origin.image ?? image);
}

function* tcp(document: Document): Generator<RestoreOption> {
  const { checkpoint } = document;
  const connected = checkpoint.files.all.filter(({ socket }) => socket?.connected === true);
  if (document.family === "criu" && document.set.first(IMAGES.INVENTORY)?.tcp_close === true) {
    yield {
      option: "--tcp-close",
      reason: "TCP connections were closed at the dump",
      objects: few(connected, (file) => describeFile(checkpoint, file)),
      from: IMAGES.INVENTORY.file,
    };
  } else if (connected.length > 0)
    yield {
      option: "--tcp-established",
      reason: count(connected, "TCP connection"),
      objects: few(connected, (file) => describeFile(checkpoint, file)),
      from: connected[0]?.origin.image ?? IMAGES.FILES.file,
    };
}

function* fileLocks(document: Document): Generator<RestoreOption> {
  const { locks } = document.checkpoint;
  if (locks.length > 0)
    yield {
      option: "--file-locks",
      reason: `${count(locks, "file lock")}; without this option criu silently drops them`,
      objects: few(
        locks,
        ({ kind, pid, fd, file }) => `${kind} of ${pid} on fd ${fd}: ${file?.label ?? "?"}`,
      ),
      from: imageOf(document, IMAGES.FILE_LOCKS.file),
    };
}

function* unixPeers({ checkpoint }: CriuDocument): Generator<RestoreOption> {
  const outside = checkpoint.files.all.filter(
    ({ type, record }) => type === "UNIXSK" && ((record.uflags as number) & EXTERNAL_PEER) !== 0,
  );
  if (outside.length > 0)
    yield {
      option: "--ext-unix-sk",
      reason: `${count(outside, "unix socket")} with an external peer`,
      objects: few(outside, (file) => describeFile(checkpoint, file)),
      from: outside[0]?.origin.image ?? IMAGES.FILES.file,
    };
}

function* linkRemap(document: Document): Generator<RestoreOption> {
  const links = document.checkpoint.deletedFiles.filter(({ method }) => method === "link remap");
  if (links.length > 0)
    yield {
      option: "--link-remap",
      reason: `${count(links, "deleted file")} kept by a hard link`,
      objects: few(links, ({ path, keptIn }) => `${path ?? "?"}, kept as ${keptIn}`),
      from: imageOf(document, IMAGES.REMAP_FPATH.file),
    };
}

function* uprobes({ checkpoint, set }: CriuDocument): Generator<RestoreOption> {
  const tasks = checkpoint.tasks.filter(({ pid }) =>
    set.first(IMAGES.MM, pid)?.vmas.some(({ status }) => (status & AREA_UPROBES) !== 0),
  );
  if (tasks.length > 0 || set.first(IMAGES.INVENTORY)?.allow_uprobes === true)
    yield {
      option: "--allow-uprobes",
      reason: "uprobes were active at the dump",
      objects: few(tasks, ({ pid, comm }) => `task ${pid} (${comm})`),
      from: IMAGES.INVENTORY.file,
    };
}

function* plugins({ set }: CriuDocument): Generator<RestoreOption> {
  const names = set.first(IMAGES.INVENTORY)?.plugins_entry?.plugins ?? [];
  if (names.length > 0)
    yield {
      option: "--libdir",
      value: "DIR",
      open: true,
      reason: `${count(names, "criu plugin")} used at the dump; directory, if not the default of criu`,
      objects: few(names, (name) => name),
      from: IMAGES.INVENTORY.file,
    };
}
