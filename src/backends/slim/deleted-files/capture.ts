/** Files whose names were gone: how a checkpoint keeps them, and how a restore makes them again without leaving a name. */

import { bytesToText } from "../../../io/text.js";
import { PATH_MAX } from "../../../linux/files.js";
import type { SavedFile } from "../../../model/linux-cr/deleted-files.js";
import type { FileNumbers } from "../../../model/linux-cr/files.js";
import type { FilePiece } from "../../../model/stored-bytes.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { DescriptorSource } from "../files/file-data.js";
import { borrow, type OpenFileState } from "../files/open-files.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import type { DeletedInode } from "./substitutes.js";

/** What the model calls the ways to save a file. */
const METHODS = { relink: "link remap", contents: "ghost", copy: "copy" } as const;

/** Where the contents of a deleted file come from; `open` is called for regular files alone. */
interface Contents {
  readonly open?: (() => DescriptorSource) | undefined;
  /** Where a symbolic link leads. */
  readonly target?: Buffer | undefined;
}

/**
 * What is saved of a file without a name: the name that keeps it, or its contents, which are read when no FILE of this
 * inode has brought them yet.
 */
export function savedFile(
  context: CheckpointContext,
  inode: DeletedInode,
  { open, target }: Contents = {},
): Pick<FileNumbers, "inode"> & { readonly saved: SavedFile } {
  const { stat } = inode;
  const { method, substitute } = context.substitutes.save(inode);
  return {
    inode: context.hidden("INODE", `deleted ${stat.dev}:${stat.ino}`),
    saved: {
      method: METHODS[method],
      keptIn: substitute ?? "",
      isInMount: false,
      isRemoved: true,
      inode: {
        ...{ mode: Number(stat.mode), uid: Number(stat.uid), gid: Number(stat.gid), size: stat.size },
        ...{ dev: stat.dev, ino: stat.ino, rdev: Number(stat.rdev) },
        ...{ atime: stat.atimeNs, mtime: stat.mtimeNs },
      },
      ghost:
        method === "contents"
          ? { symlinkTarget: target && bytesToText(target), pieces: () => piecesOf(open?.()) }
          : undefined,
    },
  };
}

function piecesOf(source: DescriptorSource | undefined): FilePiece[] {
  if (source === undefined) return [];
  return source.dataRanges().map(({ offset, size }) => ({ at: offset, source, offset, size }));
}

/** Where the symbolic link leads that a descriptor with O_PATH stands for. */
export function targetOf(file: OpenFileState): Buffer {
  const bytes = Buffer.alloc(PATH_MAX);
  const size = borrow(file, (fd) =>
    call("read a symbolic link", SYS.readlinkat, fd, Buffer.alloc(1), bytes, bytes.length),
  );
  return bytes.subarray(0, size);
}
