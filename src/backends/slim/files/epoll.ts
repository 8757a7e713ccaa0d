import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EPOLL_ITEM } from "../../../formats/linux-cr/tables/files.js";
import { EPOLL_CTL_ADD, F_DUPFD_CLOEXEC } from "../../../linux/files.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { FdTransfer } from "../restore/fd-transfer.js";
import { SYS } from "../sys/abi-x64.js";
import type { OpenFileState, OpenFileStates } from "./open-files.js";
import type { OpenFiles } from "./restored.js";

const ITEM_BYTES = 24;

/** Writes the records of an open file whose number was just given. */
type WriteFile = (context: CheckpointContext, file: OpenFileState, objref: number) => void;

/** EPOLL_ITEMS by the `tfd` lines of fdinfo: which open files are watched, and for what. */
export function writeEpollItems(
  context: CheckpointContext,
  epoll: OpenFileState,
  objref: number,
  writeFile: WriteFile,
): void {
  const { writer } = context;
  const items: Buffer[] = [];
  for (const { fd, events, data, file } of watchesOf(context.files, epoll)) {
    if (file === undefined) continue;
    const item = Buffer.alloc(ITEM_BYTES);
    item.writeBigUInt64LE(data, 0);
    item.writeUInt32LE(fd, 8);
    item.writeInt32LE(
      context.ref("FILE", file.id, (ref) => writeFile(context, file, ref)),
      12,
    );
    item.writeUInt32LE(events, 16);
    items.push(item);
  }
  writer.record(RECORDS.EPOLL_ITEMS, { epfile_objref: objref, num_items: items.length });
  if (items.length > 0) writer.buffer(Buffer.concat(items));
}

/** One line of an interest list. */
interface EpollWatch {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
  /** What is watched; undefined when no task of the tree has it. */
  readonly file: OpenFileState | undefined;
}

/**
 * The interest list of an epoll instance. An item stands for the open file that had the number when it was added: the
 * number may have another one by now, and two items may have the same.
 */
export function watchesOf(files: OpenFileStates, epoll: OpenFileState): readonly EpollWatch[] {
  const known = lists.get(epoll) ?? readWatches(files, epoll);
  lists.set(epoll, known);
  return known;
}

const lists = new WeakMap<OpenFileState, readonly EpollWatch[]>();

function readWatches(files: OpenFileStates, epoll: OpenFileState): EpollWatch[] {
  const met = new Map<number, number>();
  return (epoll.info.lines.get("tfd") ?? []).map((line) => {
    const [, number, events = "0", data = "0"] =
      /^(\d+) events: +([0-9a-f]+) data: +([0-9a-f]+)/.exec(line) ?? [];
    const fd = Number(number);
    const nth = met.get(fd) ?? 0;
    met.set(fd, nth + 1);
    return {
      fd,
      events: Number.parseInt(events, 16),
      data: BigInt(`0x${data}`),
      file: files.watched(epoll, fd, nth),
    };
  });
}

/** struct epoll_event is packed on x86-64: u32 and u64. */
const EVENT_BYTES = 12;

/**
 * Lets an epoll instance, the descriptor `epoll` of a task, watch what it watched. An item belongs to an open file and to
 * the number that it had when it was added; `table` gives the FILE of each descriptor that the task has by now.
 */
export function watchAgain(
  transfer: FdTransfer,
  reader: StreamReader,
  files: OpenFiles,
  epoll: { readonly fd: number; readonly objref: number },
  table: ReadonlyMap<number, number>,
): void {
  const { remote } = transfer;
  const { part } = files.file(epoll.objref);
  const items = part.deferred && reader.find(part.deferred, RECORDS.EPOLL_ITEMS);
  if (items === undefined || items.value.num_items === 0) return;
  for (const { fd, file_objref, events, data } of reader.image.structs(items.index + 1, EPOLL_ITEM)) {
    const event = Buffer.alloc(EVENT_BYTES);
    event.writeUInt32LE(events, 0);
    event.writeBigUInt64LE(data, 4);
    const add = (): void => {
      remote.call(`watch descriptor ${fd}`, SYS.epoll_ctl, epoll.fd, EPOLL_CTL_ADD, fd, remote.put(event));
    };
    if (table.get(fd) === file_objref) add();
    else atNumber(transfer, fd, files.get(file_objref), table.has(fd), add);
  }
}

/** Runs `use` while another open file has the number `fd`; what has it now is put back. */
function atNumber(transfer: FdTransfer, fd: number, own: number, isTaken: boolean, use: () => void): void {
  const { remote } = transfer;
  const before = isTaken
    ? remote.call("move a descriptor", SYS.fcntl, fd, F_DUPFD_CLOEXEC, fd + 1)
    : undefined;
  const flags = isTaken ? remote.call("read the flags of a descriptor", SYS.fcntl, fd, 1) : 0;
  transfer.lend(own, (taken) => {
    if (taken !== fd) remote.call("move a descriptor to its number", SYS.dup3, taken, fd, O_CLOEXEC);
    use();
    if (taken !== fd) remote.call("close a descriptor", SYS.close, fd);
  });
  if (before === undefined) return;
  remote.call("restore a descriptor", SYS.dup3, before, fd, flags === 0 ? 0 : O_CLOEXEC);
  remote.call("close a descriptor", SYS.close, before);
}
