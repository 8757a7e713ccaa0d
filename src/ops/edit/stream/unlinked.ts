import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EditError } from "../../../io/errors.js";
import type { Edit } from "../plan.js";
import { type StreamFile, streamFiles } from "./descriptors.js";
import type { StreamDraft } from "./draft.js";

/** UNLINKED_EXTRA.flags: the contents stand with an earlier FILE of the same inode. */
const ELSEWHERE = 2;
const CONTENTS = 2;

/** One FILE of a deleted file; several may have been opened under several names. */
export interface UnlinkedFile {
  readonly file: StreamFile;
  /** The FILE_UNLINKED. */
  readonly index: number;
  /** The UNLINKED_EXTRA, where there is one. */
  readonly extra: number | undefined;
}

export function unlinkedOf(draft: StreamDraft, file: StreamFile): UnlinkedFile | undefined {
  const index = draft.reader.index(file.part, RECORDS.FILE_UNLINKED);
  if (index === undefined) return undefined;
  return { file, index, extra: draft.reader.index(file.part, RECORDS.UNLINKED_EXTRA) };
}

export function unlinkedValue(
  draft: StreamDraft,
  { index }: UnlinkedFile,
): RecordValue<typeof RECORDS.FILE_UNLINKED> {
  return draft.value(index, RECORDS.FILE_UNLINKED);
}

/** All FILEs of the deleted file in the order of the stream, the given one among them. */
export function siblingsOf(draft: StreamDraft, own: UnlinkedFile): UnlinkedFile[] {
  const inode = inodeOf(draft, own);
  if (inode === undefined) return [own];
  return streamFiles(draft)
    .flatMap((file) => unlinkedOf(draft, file) ?? [])
    .filter((each) => inodeOf(draft, each) === inode);
}

function inodeOf(draft: StreamDraft, { extra }: UnlinkedFile): number | undefined {
  const inode = extra === undefined ? 0 : draft.value(extra, RECORDS.UNLINKED_EXTRA).inode_objref;
  return inode > 0 ? inode : undefined;
}

/** The BUFFERs with contents behind this FILE_UNLINKED. */
export function chunksOf({ file }: UnlinkedFile): number[] {
  return file.part.parts.filter(({ rule }) => rule === "chunk").flatMap(({ records }) => [...records]);
}

/** Says whether the contents stand here or with an earlier FILE. */
export function setElsewhere(
  draft: StreamDraft,
  edit: Edit,
  { extra }: UnlinkedFile,
  elsewhere: boolean,
): void {
  if (extra === undefined) return;
  const { flags } = draft.value(extra, RECORDS.UNLINKED_EXTRA);
  draft.change(edit, extra, "flags", (elsewhere ? flags | ELSEWHERE : flags & ~ELSEWHERE) >>> 0);
}

export function isElsewhere(draft: StreamDraft, { extra }: UnlinkedFile): boolean {
  return extra !== undefined && (draft.value(extra, RECORDS.UNLINKED_EXTRA).flags & ELSEWHERE) !== 0;
}

/**
 * Contents stand with the first FILE of a deleted file; when that is gone, the next one takes them over.
 * Errors: EDIT when they have just been taken into the stream.
 */
export function passContentsOn(draft: StreamDraft, edit: Edit, gone: StreamFile): void {
  const own = unlinkedOf(draft, gone);
  if (own === undefined || unlinkedValue(draft, own).method !== CONTENTS || isElsewhere(draft, own)) return;
  const [heir] = siblingsOf(draft, own).filter(({ index }) => index !== own.index);
  if (heir === undefined) return;
  if (draft.isChanged(own.index))
    throw new EditError(
      "the contents of a deleted file were taken in for a descriptor that another edit drops; make that edit first, in a run of its own",
      draft.image.place(own.index),
    );
  for (const chunk of chunksOf(own)) draft.handOver(chunk, heir.index);
  draft.change(edit, heir.index, "nr_chunks", unlinkedValue(draft, own).nr_chunks);
  setElsewhere(draft, edit, heir, false);
}
