import { IMAGES } from "../../../formats/criu/images.js";
import type { FownEntry } from "../../../formats/criu/tables/fown.js";
import type { MemfdFileEntry } from "../../../formats/criu/tables/memfd.js";
import type { FifoEntry } from "../../../formats/criu/tables/pipe.js";
import { isWithin } from "../../../io/domains.js";
import { OFFSET_MAX, SEALS } from "../../../linux/files.js";
import { ONLY_AT_OPEN } from "../../../linux/open-flags.js";
import { SIGNAL_OR_NONE } from "../../../linux/signals.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Context } from "./context.js";
import { isSharedAnonymous } from "./mapped-objects.js";

/** Tells what the set keeps for files and descriptors that no task has: to be called when all tasks are written. */
export function tellLeftovers(context: Context): void {
  tellFiles(context);
  tellLocks(context);
  tellPipes(context);
  tellPackets(context);
  tellTerminals(context);
}

function tellTerminals(context: Context): void {
  const lost = new Set<unknown>();
  for (const { type, record } of context.files.lost) if (type === "TTY") lost.add(record.tty_info_id);
  for (const [id, { index }] of context.files.terminals) {
    const isWritten = ["master", "slave"].some(
      (end) => context.known("TTY", `${end} ${index}`) !== undefined,
    );
    if (!isWritten && !lost.has(id))
      context.losses.add(
        `terminal ${index ?? id}`,
        "the terminal",
        "no task has it open and no session is on it",
      );
  }
}

function tellFiles(context: Context): void {
  const { files, losses } = context;
  const isNode = nodesOf(context);
  for (const file of files.all.all) {
    if (context.known("FILE", `${file.type} ${file.id}`) !== undefined) continue;
    if (files.lost.has(file)) continue;
    if (isNode.has(file.id)) tellBesidesPath(context, file);
    else if (isAnonymousMemory(context, file)) tellAnonymous(context, file);
    else
      losses.add(`open file ${file.id} (${file.label})`, "the open file", "no task of the set has it open");
  }
}

/** Of working directories, and of nodes of fifos and terminals, a stream has the path; what is invalid is told. */
function tellBesidesPath(context: Context, file: OpenFile): void {
  tellInvalid(context, file, invalidParts(file), "a stream holds the path of this file alone");
}

function tellAnonymous(context: Context, file: OpenFile): void {
  const seals = context.files.memory((file.record as MemfdFileEntry).inode_id)?.seals ?? 0;
  const what = invalidParts(file);
  if (!isWithin(SEALS, seals)) what.push(`seals 0x${seals.toString(16)}`);
  tellInvalid(context, file, what, "a stream has none of such memory");
}

function invalidParts({ record, flags = 0, position = 0n }: OpenFile): string[] {
  const parts: string[] = [];
  if (!isWithin(SIGNAL_OR_NONE, (record.fown as FownEntry | undefined)?.signum ?? 0)) parts.push("signal");
  if ((flags & ONLY_AT_OPEN) !== 0) parts.push("flags");
  if (position > OFFSET_MAX) parts.push("offset");
  return parts;
}

function tellInvalid({ losses }: Context, { id, label }: OpenFile, what: string[], why: string): void {
  if (what.length > 0) losses.add(`open file ${id} (${label})`, `its invalid ${what.join(", ")}`, why);
}

/** Ids of files that stand for the paths of others. */
function nodesOf({ files }: Context): ReadonlySet<number> {
  const nodes = new Set(files.used.nodes);
  for (const { id, type, record } of files.lost) {
    if (type === "TUNF") nodes.add(id);
    const { regf_id: node } = record as Partial<FifoEntry>;
    if (node !== undefined) nodes.add(node);
  }
  return nodes;
}

/** Shared memory without a name is stored as a file, but it is written with its mappings. */
function isAnonymousMemory({ files }: Context, { type, record }: OpenFile): boolean {
  const memory = type === "MEMFD" ? files.memory((record as MemfdFileEntry).inode_id) : undefined;
  return memory !== undefined && isSharedAnonymous(memory);
}

function tellLocks({ files, losses }: Context): void {
  for (const lock of files.checkpoint.locks)
    if (!files.used.locks.has(lock))
      losses.add(
        `task ${lock.pid} fd ${lock.fd}`,
        `a lock, ${lock.origin.image}[${lock.origin.record}]`,
        "its descriptor is not in the stream",
      );
}

function tellPipes(context: Context): void {
  for (const { kind, pipeId, bytes } of context.files.checkpoint.pipes)
    if (context.known("INODE", `${kind} ${pipeId}`) === undefined)
      context.losses.add(
        `${kind} ${pipeId}`,
        `the ${bytes} bytes in it`,
        "none of its ends is in the stream",
      );
}

function tellPackets({ set, files, losses }: Context): void {
  const told = new Set([...files.lost].map(({ id }) => id));
  for (const { value } of set.records(IMAGES.SK_QUEUES)) {
    const { id_for: id } = value;
    if (!files.used.queues.has(id) && !told.has(id))
      losses.add(`open file ${id}`, "what waits in its queue", "no socket of this id is in the stream");
  }
}
