import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Place } from "../finding.js";
import type { StreamContext } from "./context.js";
import { storedTasks } from "./pids.js";

/** A number that is taken without an OBJREF: for what, and where it was met first. */
export interface HiddenNumber {
  readonly number: number;
  readonly role: string;
  readonly at: Place;
  /** The first place where it stands for something else. */
  other?: { readonly role: string; readonly at: Place };
}

/** Every number that objects without records have. */
export function hiddenNumbers(context: StreamContext): ReadonlyMap<number, HiddenNumber> {
  const numbers = new Map<number, HiddenNumber>();
  for (const [number, role, index, field] of uses(context)) {
    if (number <= 0) continue;
    const known = numbers.get(number);
    if (known === undefined) numbers.set(number, { number, role, at: context.at(index, { field }) });
    else if (known.role !== role) known.other ??= { role, at: context.at(index, { field }) };
  }
  return numbers;
}

function* uses(
  context: StreamContext,
): Generator<[number: number, role: string, record: number, field: string]> {
  const pids = context.share(storedTasks)?.pids;
  for (let i = 0; i < (pids?.objects.length ?? 0); i++)
    yield [(pids?.offset ?? 0) + i, "a pid", pids?.record ?? 0, "offset"];
  for (const { index, value } of context.each(RECORDS.TASK_OBJS))
    yield [value.signal_objref, "the signals of a process", index, "signal_objref"];
  for (const { index, value } of context.each(RECORDS.FILE))
    if (value.pipe_objref !== undefined) yield [value.pipe_objref, "a pipe", index, "pipe_objref"];
  for (const { index, value } of context.each(RECORDS.VMA))
    yield [value.ino_objref, "an inode", index, "ino_objref"];
  for (const { index, value } of context.each(RECORDS.IPC_SHM))
    yield [value.objref, "an inode", index, "objref"];
  for (const { index, value } of context.each(RECORDS.MEMFD))
    yield [value.inode_objref, "an inode", index, "inode_objref"];
  for (const { index, value } of context.each(RECORDS.UNLINKED_EXTRA))
    yield [value.inode_objref, "an inode", index, "inode_objref"];
  for (const { index, value } of context.each(RECORDS.TTY))
    yield [value.file_objref, "the master of a terminal", index, "file_objref"];
  for (const { index, value } of context.each(RECORDS.SECURITY))
    yield [value.ptrref, "a label", index, "ptrref"];
}
