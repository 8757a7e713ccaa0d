import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { objectTypes } from "../../../../formats/linux-cr/revisions.js";
import { textPayload } from "../../../../formats/linux-cr/write.js";
import { O_ACCMODE, O_APPEND } from "../../../../linux/open-flags.js";
import type { Parsed } from "../../kind.js";
import type { FdEdit, Redirection } from "../../kinds/fd.js";
import type { Edit } from "../../plan.js";
import {
  descriptorText,
  fileRefOf,
  requiredFile,
  type StreamDescriptor,
  streamDescriptor,
  streamHolders,
} from "../descriptors.js";
import type { StreamDraft } from "../draft.js";
import { newNumber } from "../objects.js";
import { releaseFromStream } from "../release.js";

const GENERIC = 1;
/** FMODE bits of the kernel: read 1 and write 2 are the access mode plus one; a regular file can seek, pread and pwrite. */
const SEEKABLE = 0x1c;

/** A descriptor and the edit that sends it elsewhere. */
export interface RedirectedInStream {
  readonly edit: Edit;
  readonly descriptor: StreamDescriptor;
}

/** A descriptor gets a FILE of its own; those that shared one and are sent to the same path share the new one. */
export function planFd(edits: readonly Parsed<FdEdit>[], draft: StreamDraft): void {
  const groups = new Map<string, { to: Redirection; members: RedirectedInStream[] }>();
  for (const { edit, args } of edits) {
    const descriptor = streamDescriptor(draft, args.name);
    if (descriptor === undefined) continue;
    const key = `${fileRefOf(draft, descriptor)} ${args.append} ${args.path}`;
    const group = groups.get(key) ?? { to: args, members: [] };
    groups.set(key, group);
    group.members.push({ edit, descriptor });
  }
  for (const { to, members } of groups.values()) redirectInStream(draft, members, to);
}

/** Sends descriptors that name one FILE to one new file. */
export function redirectInStream(
  draft: StreamDraft,
  given: readonly RedirectedInStream[],
  { path, append }: Redirection,
): void {
  // The first in the stream brings the definition.
  const members = given.toSorted((a, b) => a.descriptor.index - b.descriptor.index);
  const [first] = members;
  if (first === undefined) return;
  const old = fileRefOf(draft, first.descriptor);
  const file = requiredFile(
    draft,
    members.map(({ descriptor }) => descriptor),
    old,
  );
  const meant = new Set(members.map(({ descriptor }) => descriptor));
  const others = streamHolders(draft, old).filter((each) => !meant.has(each));
  const objref = insertFile(draft, first, draft.value(file.index, RECORDS.FILE), path, append);
  for (const { edit, descriptor } of members) {
    draft.change(edit, descriptor.index, "fd_objref", objref);
    noteSharing(draft, descriptor, others);
  }
  releaseFromStream(draft, first.edit, [...meant], old);
  draft.notes.add(
    `${members.map(({ descriptor }) => descriptorText(descriptor)).join(", ")} will be ${path}: the file must exist at the restart`,
  );
}

/** Opened as the old description was, from the start. Gives the number of the new FILE. */
function insertFile(
  draft: StreamDraft,
  { edit, descriptor }: RedirectedInStream,
  old: { readonly f_flags: number; readonly f_credref: number },
  path: string,
  append: boolean,
): number {
  const objref = newNumber(draft);
  const at = descriptor.index;
  const access = old.f_flags & O_ACCMODE;
  const objtype = objectTypes(draft.image.dialect.commit).indexOf("FILE");
  draft.insert(edit, at, RECORDS.OBJREF, { objtype, objref });
  draft.insert(edit, at, RECORDS.FILE, {
    f_type: GENERIC,
    f_mode: (access + 1) | SEEKABLE,
    f_flags: access | (append ? O_APPEND : 0),
    f_credref: old.f_credref,
  });
  draft.insert(edit, at, RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, path), { FILE_NAME: path });
  return objref;
}

function noteSharing(
  draft: StreamDraft,
  descriptor: StreamDescriptor,
  others: readonly StreamDescriptor[],
): void {
  if (others.length > 0)
    draft.notes.add(
      `${descriptorText(descriptor)} shared its description with ${others.map(descriptorText).join(", ")}; those keep it`,
    );
  if (descriptor.pids.length > 1)
    draft.notes.add(
      `tasks ${descriptor.pids.join(", ")} have one table of descriptors, so descriptor ${descriptor.fd} changes for all of them`,
    );
}
