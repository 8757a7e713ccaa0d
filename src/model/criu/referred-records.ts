import type { ImageKind } from "../../formats/criu/image-kind.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { MessageTable, Value } from "../../schema/message.js";

/** The record of a memfd's inode, by the `inode_id` of the open file. Of an id that occurs twice the first. */
export const memfdInode = recordById(IMAGES.MEMFD_INODE, ({ inode_id }) => Number(inode_id));

/** The record of a terminal, by the `tty_info_id` of the open file. Of an id that occurs twice the first. */
export const ttyInfo = recordById(IMAGES.TTY_INFO, ({ id }) => id);

/** What waits to be read at a terminal. */
export const ttyData = recordById(IMAGES.TTY_DATA, ({ tty_id }) => tty_id);

/** Every open file of a type may ask for its record, so the image is indexed once a set. */
function recordById<M extends MessageTable>(kind: ImageKind<M>, idOf: (value: Value<M>) => number) {
  const indexes = new WeakMap<CriuImageSet, ReadonlyMap<number, Value<M>>>();
  return (set: CriuImageSet, id: number): Value<M> | undefined => {
    let index = indexes.get(set);
    if (index === undefined) {
      index = indexOf(set, kind, idOf);
      indexes.set(set, index);
    }
    return index.get(id);
  };
}

function indexOf<M extends MessageTable>(
  set: CriuImageSet,
  kind: ImageKind<M>,
  idOf: (value: Value<M>) => number,
): ReadonlyMap<number, Value<M>> {
  const index = new Map<number, Value<M>>();
  for (const { value } of set.image(kind)?.heldRecords() ?? []) {
    const id = idOf(value);
    if (!index.has(id)) index.set(id, value);
  }
  return index;
}
