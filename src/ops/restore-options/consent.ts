import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { PE, readPagemap } from "../../formats/criu/pagemap.js";
import { isCrimgError } from "../../io/errors.js";
import type { Document } from "../../model/document.js";
import { count, describeFile, few } from "./describe.js";
import type { RestoreOption } from "./option.js";

/** unix_sk_entry.uflags: the other end is outside of the set. */
const EXTERNAL_PEER = 1;
/** tty_info_entry.type */
const PTY = 1;
/** vma_entry.status: uprobes were set. */
const AREA_UPROBES = 0x2_0000;

/** Options by which the user allows what criu does not do unasked. */
export function consentOptions(document: Document): RestoreOption[] {
  return [
    ...shellJob(document),
    ...tcp(document),
    ...fileLocks(document),
    ...unixPeers(document),
    ...linkRemap(document),
    ...uprobes(document),
    ...plugins(document),
    ...lazyPages(document),
  ];
}

function* shellJob({ checkpoint, set }: Document): Generator<RestoreOption> {
  const root = checkpoint.tasks[0];
  const outside =
    root !== undefined && root.sid !== root.pid ? [`session ${root.sid} of task ${root.pid}`] : [];
  const terminals = set.records(IMAGES.TTY_INFO).map(({ value }) => value);
  const ids = new Set(terminals.map(({ id }) => id));
  const orphans = terminals.filter(({ type, id }) => type === PTY && id % 2 === 0 && !ids.has(id + 1));
  if (outside.length === 0 && orphans.length === 0) return;
  yield {
    option: "--shell-job",
    reason:
      outside.length > 0
        ? "the session leader is outside of the set"
        : "the other end of a terminal is outside of the set",
    objects: [...outside, ...few(orphans, ({ pty }) => `terminal /dev/pts/${pty?.index ?? "?"}`)],
    from: outside.length > 0 ? IMAGES.PSTREE.file : IMAGES.TTY_INFO.file,
  };
}

function* tcp({ checkpoint, set }: Document): Generator<RestoreOption> {
  const connected = checkpoint.files.all.filter(({ socket }) => socket?.connected === true);
  if (set.first(IMAGES.INVENTORY)?.tcp_close === true) {
    yield {
      option: "--tcp-close",
      reason: "the dump closed its TCP connections",
      objects: few(connected, (file) => describeFile(checkpoint, file)),
      from: IMAGES.INVENTORY.file,
    };
  } else if (connected.length > 0)
    yield {
      option: "--tcp-established",
      reason: `${count(connected, "TCP connection")} to go on`,
      objects: few(connected, (file) => describeFile(checkpoint, file)),
      from: connected[0]?.origin.image ?? IMAGES.FILES.file,
    };
}

function* fileLocks({ checkpoint }: Document): Generator<RestoreOption> {
  const { locks } = checkpoint;
  if (locks.length > 0)
    yield {
      option: "--file-locks",
      reason: `${count(locks, "file lock")}; without this option criu drops them and does not say so`,
      objects: few(
        locks,
        ({ kind, pid, fd, file }) => `${kind} of ${pid} on fd ${fd}: ${file?.label ?? "?"}`,
      ),
      from: IMAGES.FILE_LOCKS.file,
    };
}

function* unixPeers({ checkpoint }: Document): Generator<RestoreOption> {
  const outside = checkpoint.files.all.filter(
    ({ type, record }) => type === "UNIXSK" && ((record.uflags as number) & EXTERNAL_PEER) !== 0,
  );
  if (outside.length > 0)
    yield {
      option: "--ext-unix-sk",
      reason: `${count(outside, "unix socket")} connected to a service outside of the set`,
      objects: few(outside, (file) => describeFile(checkpoint, file)),
      from: outside[0]?.origin.image ?? IMAGES.FILES.file,
    };
}

function* linkRemap({ checkpoint }: Document): Generator<RestoreOption> {
  const links = checkpoint.deletedFiles.filter(({ method }) => method === "link remap");
  if (links.length > 0)
    yield {
      option: "--link-remap",
      reason: `${count(links, "deleted file")} kept by a hard link`,
      objects: few(links, ({ path, keptIn }) => `${path ?? "?"}, kept as ${keptIn}`),
      from: IMAGES.REMAP_FPATH.file,
    };
}

function* uprobes({ checkpoint, set }: Document): Generator<RestoreOption> {
  const tasks = checkpoint.tasks.filter(({ pid }) =>
    set.first(IMAGES.MM, pid)?.vmas.some(({ status }) => (status & AREA_UPROBES) !== 0),
  );
  if (tasks.length > 0 || set.first(IMAGES.INVENTORY)?.allow_uprobes === true)
    yield {
      option: "--allow-uprobes",
      reason: "the dump ran under uprobes",
      objects: few(tasks, ({ pid, comm }) => `task ${pid} (${comm})`),
      from: IMAGES.INVENTORY.file,
    };
}

function* plugins({ set }: Document): Generator<RestoreOption> {
  const names = set.first(IMAGES.INVENTORY)?.plugins_entry?.plugins ?? [];
  if (names.length > 0)
    yield {
      option: "--libdir",
      value: "DIR",
      open: true,
      reason: `${count(names, "plugin")} of criu took part in the dump; where they are if not in criu's own directory`,
      objects: few(names, (name) => name),
      from: IMAGES.INVENTORY.file,
    };
}

function* lazyPages({ checkpoint, set }: Document): Generator<RestoreOption> {
  const task = checkpoint.tasks.find(({ pid }) => hasLazyPages(set, pid));
  if (task !== undefined)
    yield {
      option: "--lazy-pages",
      reason: "pages are still with the program's old host, and a running criu lazy-pages must fetch them",
      objects: [`task ${task.pid} (${task.comm})`],
      from: `pagemap-${task.pid}.img`,
    };
}

/** Whether some page of a task is nowhere in the set; a damaged pagemap says nothing. */
function hasLazyPages(set: CriuImageSet, pid: number): boolean {
  const image = set.image(IMAGES.PAGEMAP, pid);
  if (image === undefined) return false;
  try {
    return readPagemap(image).flags.some((flags) => (flags & (PE.LAZY | PE.PRESENT)) === PE.LAZY);
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return false;
  }
}
