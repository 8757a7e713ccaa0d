import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EPOLL_ITEM } from "../../../formats/linux-cr/tables/files.js";
import { EPOLL_CTL_ADD, F_DUPFD_CLOEXEC } from "../../../linux/files.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { SYS } from "../sys/abi-x64.js";
import type { OpenFiles } from "./files/open-files.js";
import type { FdTransfer } from "./hand-over.js";

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
  const flags = isTaken ? remote.call("look at a descriptor", SYS.fcntl, fd, 1) : 0;
  transfer.lend(own, (taken) => {
    if (taken !== fd) remote.call("lend a number", SYS.dup3, taken, fd, O_CLOEXEC);
    use();
    if (taken !== fd) remote.call("take a number back", SYS.close, fd);
  });
  if (before === undefined) return;
  remote.call("put a descriptor back", SYS.dup3, before, fd, flags === 0 ? 0 : O_CLOEXEC);
  remote.call("close a descriptor", SYS.close, before);
}
