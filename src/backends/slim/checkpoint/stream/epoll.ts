import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { KCMP_EPOLL_TFD } from "../../../../linux/files.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt } from "../../sys/syscall.js";
import type { OpenFileState } from "../descriptions.js";
import type { CheckpointContext } from "./context.js";

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
  for (const line of epoll.info.lines.get("tfd") ?? []) {
    const [, fd, events, data] = /^(\d+) events: +([0-9a-f]+) data: +([0-9a-f]+)/.exec(line) ?? [];
    const watched = watchedBy(context, epoll, Number(fd));
    if (watched === undefined) continue;
    const item = Buffer.alloc(ITEM_BYTES);
    item.writeBigUInt64LE(BigInt(`0x${data}`), 0);
    item.writeUInt32LE(Number(fd), 8);
    item.writeInt32LE(
      context.ref("FILE", watched.id, (ref) => writeFile(context, watched, ref)),
      12,
    );
    item.writeUInt32LE(Number.parseInt(events ?? "0", 16), 16);
    items.push(item);
  }
  writer.record(RECORDS.EPOLL_ITEMS, { epfile_objref: objref, num_items: items.length });
  if (items.length > 0) writer.buffer(Buffer.concat(items));
}

/** What an epoll instance watches: open files, some of which only other processes may have. */
export function watchedFiles(context: CheckpointContext, epoll: OpenFileState): OpenFileState[] {
  return (epoll.info.lines.get("tfd") ?? [])
    .map((line) => watchedBy(context, epoll, Number.parseInt(line, 10)))
    .filter((watched) => watched !== undefined);
}

/** An item stands for the open file that had the number when it was added; the number may have another one by now. */
function watchedBy(
  { files }: CheckpointContext,
  epoll: OpenFileState,
  fd: number,
): OpenFileState | undefined {
  const slot = Buffer.alloc(12);
  slot.writeUInt32LE(epoll.fd, 0);
  slot.writeUInt32LE(fd, 4);
  return files.all.find(
    (each) => attempt(SYS.kcmp, each.pid, epoll.pid, KCMP_EPOLL_TFD, each.fd, slot) === 0,
  );
}
