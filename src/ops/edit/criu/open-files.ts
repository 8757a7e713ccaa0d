import type { CriuImage } from "../../../formats/criu/image.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { FD_TYPES, FILE_ENTRY } from "../../../formats/criu/tables/fdinfo.js";
import { UnsupportedError } from "../../../io/errors.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { AnyValue } from "../../../schema/message.js";
import type { Redirected } from "../editor.js";
import type { HeldDescriptor } from "../held-files.js";
import type { Edit } from "../plan.js";
import type { FoundRecord, SetRecords } from "./set-records.js";

const REG = FD_TYPES.values.get("REG") as number;

/** Adds a regular file for descriptors. Without size, mode and build id the restore takes any file of that name. */
export function openFor(
  editor: SetRecords,
  members: readonly Redirected[],
  name: string,
  flags: number,
): void {
  const image = editor.set.image(IMAGES.FILES) as CriuImage | undefined;
  const [first] = members;
  if (image === undefined)
    throw new UnsupportedError(
      "descriptors of sets before criu 3.4, one image for each type, cannot be redirected",
      { file: editor.name },
    );
  if (first === undefined) return;
  const id = editor.once("ids of new files", () => ({ next: highestId(editor) + 1 })).next++;
  const mount = mountOf(editor, first.descriptor, name);
  const reg: AnyValue = {
    ...{ id, flags, pos: 0n, name, build_id: [] },
    fown: { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 },
    ...(mount === undefined ? {} : { mnt_id: mount }),
  };
  editor.add(first.edit, image, FILE_ENTRY, { type: REG, id, reg });
  for (const { edit, descriptor } of members) {
    const entry = editor.recordAt(descriptor.origin);
    editor.change(edit, entry, ["id"], id);
    editor.change(edit, entry, ["type"], REG);
    editor.change(edit, entry, ["xattr_security_selinux"], undefined);
  }
}

function highestId(editor: SetRecords): number {
  let highest = 0;
  for (const { value } of editor.set.records(IMAGES.FILES)) highest = Math.max(highest, value.id);
  return highest;
}

/** The mount that a new path lies on, in sets with a mount namespace. */
function mountOf(editor: SetRecords, { pids }: HeldDescriptor, path: string): number | undefined {
  const namespace = editor.set.first(IMAGES.IDS, pids[0])?.mnt_ns_id;
  let [best, length]: [best?: number, length?: number] = [];
  for (const { value } of namespace === undefined ? [] : editor.set.records(IMAGES.MNTS, namespace)) {
    const { mountpoint, mnt_id } = value;
    const isAbove = mountpoint === "/" || path.startsWith(`${mountpoint}/`);
    if (isAbove && mountpoint.length > (length ?? 0)) [best, length] = [mnt_id, mountpoint.length];
  }
  return best;
}

/** Takes the entry of an open file away, and of a unix socket what waits in it. */
export function dropOpenFile(editor: SetRecords, edit: Edit, { type, id, origin }: OpenFile): void {
  editor.drop(edit, editor.recordAt(origin));
  if (type === "UNIXSK") for (const packet of packetsOf(editor).get(id) ?? []) editor.drop(edit, packet);
}

/** Packets by the id of the open file that they wait for. */
function packetsOf(editor: SetRecords): ReadonlyMap<number, readonly FoundRecord[]> {
  return editor.once("packets", () => {
    const image = editor.set.image(IMAGES.SK_QUEUES) as CriuImage | undefined;
    const packets = new Map<number, FoundRecord[]>();
    for (const record of image?.records() ?? []) {
      const id = record.value.id_for as number;
      const found = { image: image as CriuImage, record };
      const list = packets.get(id);
      if (list === undefined) packets.set(id, [found]);
      else list.push(found);
    }
    return packets;
  });
}

/** Whether a file was deleted, or is what a deleted file comes back from. */
export function isRemapped(editor: SetRecords, { type, id }: OpenFile): boolean {
  const ids = editor.once("files of remap-fpath", () => {
    const all = new Set<number>();
    for (const { value } of editor.set.records(IMAGES.REMAP_FPATH))
      all.add(value.orig_id).add(value.remap_id);
    return all;
  });
  return type === "REG" && ids.has(id);
}
