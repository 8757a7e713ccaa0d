import type { RecordKind } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import {
  IPPROTO_TCP,
  SHUTDOWN_MASK,
  SOCK_DEAD,
  SOCK_DGRAM,
  TCP_ESTABLISHED,
} from "../../../linux/sockets.js";
import type { Edit } from "../plan.js";
import { descriptorText, type StreamDescriptor, streamFiles } from "./descriptors.js";
import type { StreamDraft } from "./draft.js";
import { dropObject, dropPart, recordsOf } from "./objects.js";

/** Lets go of a socket that no file has any more. Gives the numbers of FILEs that were on their way in its messages. */
export function releaseSocket(
  draft: StreamDraft,
  edit: Edit,
  objref: number,
  gone: readonly StreamDescriptor[],
): number[] {
  const part = draft.reader.object(objref, "SOCK");
  const found = part && draft.reader.find(part, RECORDS.SOCKET);
  if (part === undefined || found === undefined || draft.isDropped(found.index)) return [];
  const { index } = found;
  if (streamFiles(draft).some((file) => draft.value(file.index, RECORDS.FILE).sock_objref === objref))
    return [];
  const { sock } = draft.value(index, RECORDS.SOCKET);
  if (sock.protocol === IPPROTO_TCP && sock.state === TCP_ESTABLISHED)
    draft.warnings.add(
      `the connection behind descriptor ${gone.map(descriptorText).join(", ")} is not restored; its peer will meet a reset`,
    );
  const queued = part.deferred === undefined ? [] : recordsOf(part.deferred);
  const ofKind = (kind: RecordKind): number[] => queued.filter((record) => draft.image.kind(record) === kind);
  const senders = ofKind(RECORDS.SOCKET_BUFFER).map(
    (record) => draft.value(record, RECORDS.SOCKET_BUFFER).sk_objref,
  );
  if (part.deferred !== undefined) dropPart(draft, edit, part.deferred);
  releasePeers(draft, edit, objref);
  // What it sent is still queued elsewhere: a dead socket stays for it, which has no queues.
  if (isSender(draft, objref)) draft.change(edit, index, "sock.flags", sock.flags | SOCK_DEAD);
  else dropObject(draft, edit, part);
  for (const sender of new Set(senders)) if (sender !== objref) releaseDead(draft, edit, sender);
  return ofKind(RECORDS.PACKET_RIGHTS).flatMap((record) => draft.image.numbers(record));
}

function isSender(draft: StreamDraft, objref: number): boolean {
  for (const index of draft.records(RECORDS.SOCKET_BUFFER))
    if (draft.value(index, RECORDS.SOCKET_BUFFER).sk_objref === objref) return true;
  return false;
}

/** A dead sender goes with the last packet that it sent. */
function releaseDead(draft: StreamDraft, edit: Edit, objref: number): void {
  const part = draft.reader.object(objref, "SOCK");
  const index = part && draft.reader.index(part, RECORDS.SOCKET);
  if (part === undefined || index === undefined || draft.isDropped(index)) return;
  if ((draft.value(index, RECORDS.SOCKET).sock.flags & SOCK_DEAD) === 0n || isSender(draft, objref)) return;
  dropObject(draft, edit, part);
}

/** The kernel has shut down both directions of a stream whose other end was closed. */
function releasePeers(draft: StreamDraft, edit: Edit, objref: number): void {
  for (const part of draft.reader.objects("SOCK")) {
    const unix = draft.reader.index(part, RECORDS.SOCKET_UNIX);
    const index = draft.reader.index(part, RECORDS.SOCKET);
    if (unix === undefined || index === undefined || draft.isDropped(unix)) continue;
    if (draft.value(unix, RECORDS.SOCKET_UNIX).peer !== objref) continue;
    draft.change(edit, unix, "peer", 0);
    if (draft.value(index, RECORDS.SOCKET).sock.type === SOCK_DGRAM) continue;
    draft.change(edit, index, "sock.shutdown", SHUTDOWN_MASK);
    draft.warnings.add(`the other end of unix socket ${part.objref} is gone: it will read end of file`);
  }
}
