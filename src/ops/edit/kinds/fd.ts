import type { CriuImage } from "../../../formats/criu/image.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { CORE_ENTRY_MARCH } from "../../../formats/criu/tables/core.js";
import { FD_TYPES, FILE_ENTRY } from "../../../formats/criu/tables/fdinfo.js";
import type { MntEntry } from "../../../formats/criu/tables/mnt.js";
import { UnsupportedError, UsageError } from "../../../io/errors.js";
import { O_ACCMODE, O_APPEND, O_RDWR } from "../../../linux/open-flags.js";
import type { AnyValue } from "../../../schema/message.js";
import {
  type DescriptorName,
  descriptionOf,
  descriptorNamed,
  type FoundDescription,
  type FoundDescriptor,
  holdersOf,
  parseDescriptorName,
  typeOf,
} from "../descriptors.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";
import { isNamedElsewhere, nameOf, release } from "./release.js";

const REG = FD_TYPES.values.get("REG") as number;
const MIPS = CORE_ENTRY_MARCH.values.get("MIPS");

/** What a descriptor becomes. */
export interface Redirection {
  readonly path: string;
  readonly append: boolean;
}

export interface FdEdit extends Redirection {
  readonly name: DescriptorName;
}

/** A descriptor and the edit that sends it elsewhere. */
export interface Redirected {
  readonly edit: Edit;
  readonly descriptor: FoundDescriptor;
}

/**
 * `--fd PID:N=PATH[,append]`: the descriptor becomes a regular file. Others that shared its description keep that;
 * descriptors that shared one and are sent to the same file share the new one.
 */
export const fd: EditKind<FdEdit, Draft> = {
  name: "fd",
  syntax: "PID:N=PATH[,append]",
  summary: "make a descriptor a regular file, whatever it was: a pipe, a terminal, a socket",
  parse(text) {
    const at = text.indexOf("=");
    if (at === -1) throw new UsageError(`${JSON.stringify(text)} is not PID:N=PATH`);
    return { name: parseDescriptorName(text.slice(0, at)), ...parseRedirection(text.slice(at + 1)) };
  },
  lookedFor: ({ name }) => `task ${name.pid} has no descriptor ${name.fd}`,
  plan(edits, draft) {
    const groups = new Map<string, { to: Redirection; members: Redirected[] }>();
    for (const { edit, args } of edits) {
      const descriptor = descriptorNamed(draft, args.name);
      if (descriptor === undefined) continue;
      const key = `${descriptor.value.type}:${descriptor.value.id} ${args.append} ${args.path}`;
      const group = groups.get(key) ?? { to: args, members: [] };
      groups.set(key, group);
      group.members.push({ edit, descriptor });
    }
    for (const { to, members } of groups.values()) redirect(draft, members, to);
  },
};

/** Reads `PATH[,append]`. Errors: USAGE. */
export function parseRedirection(text: string): Redirection {
  const append = text.endsWith(",append");
  const path = append ? text.slice(0, -",append".length) : text;
  if (!path.startsWith("/") || path.length < 2 || path.includes("\0") || path.endsWith("/"))
    throw new UsageError(`invalid path ${JSON.stringify(path)} (expected the absolute path of a file)`);
  return { path, append };
}

/** Sends descriptors that share one description to one new file. */
export function redirect(draft: Draft, members: readonly Redirected[], to: Redirection): void {
  const [first] = members;
  if (first === undefined) return;
  if (draft.set.image(IMAGES.FILES) === undefined)
    throw new UnsupportedError(
      "descriptors of sets before criu 3.4, one image for each type, cannot be redirected",
      {
        file: draft.set.name,
      },
    );
  assertAppend(draft, to);
  const { id } = first.descriptor.value;
  const word = typeOf(first.descriptor);
  const old = descriptionOf(draft, word, id);
  const meant = new Set(members.map(({ descriptor }) => descriptor.record));
  const others = holdersOf(draft, word, id).filter(({ record }) => !meant.has(record));
  for (const { descriptor } of members) noteSharing(draft, descriptor, others);
  const entry = regularFile(draft, first.descriptor, old, to);
  const isOnly = others.length === 0 && !isNamedElsewhere(draft, word, id);
  const isReused = old !== undefined && isOnly;
  // Pipes and sockets are let go before their record becomes the file, while it still says what they were.
  const gone = members.map(({ descriptor }) => descriptor);
  release(draft, { edit: first.edit, description: old, descriptors: gone, others, isReused });
  if (isReused) transform(draft, first.edit, old, entry);
  else addFile(draft, members, entry);
  for (const { edit, descriptor } of members) {
    draft.change(edit, descriptor.image, descriptor.record, ["type"], REG);
    draft.change(edit, descriptor.image, descriptor.record, ["xattr_security_selinux"], undefined);
  }
  draft.notes.add(
    `${members.map(({ descriptor }) => nameOf(descriptor)).join(", ")} will be ${to.path}: the file must exist when the set is restored`,
  );
}

/** The description itself becomes the file and keeps its id. */
function transform(draft: Draft, edit: Edit, old: FoundDescription, entry: AnyValue): void {
  const { image, record, path, id } = old;
  draft.change(edit, image, record, ["type"], REG);
  if (old.type !== "REG") draft.change(edit, image, record, path, undefined);
  draft.change(edit, image, record, ["reg"], { ...entry, id });
}

function addFile(draft: Draft, members: readonly Redirected[], entry: AnyValue): void {
  const [first] = members as [Redirected];
  const id = draft.once("ids of new files", () => ({ next: highestId(draft) + 1 })).next++;
  const image = draft.set.image(IMAGES.FILES) as CriuImage | undefined;
  if (image === undefined) return;
  draft.add(first.edit, image, FILE_ENTRY, { type: REG, id, reg: { ...entry, id } });
  for (const { edit, descriptor } of members)
    draft.change(edit, descriptor.image, descriptor.record, ["id"], id);
}

function highestId(draft: Draft): number {
  let highest = 0;
  for (const { value } of draft.set.records(IMAGES.FILES)) highest = Math.max(highest, value.id);
  return highest;
}

/** Opened as the old description was, from the start; without size, mode and build id the restore takes any file. */
function regularFile(
  draft: Draft,
  descriptor: FoundDescriptor,
  old: FoundDescription | undefined,
  { path, append }: Redirection,
): AnyValue {
  const flags = old?.value.flags;
  const node =
    typeof old?.value.regf_id === "number" ? descriptionOf(draft, "REG", old.value.regf_id) : undefined;
  const access =
    ((typeof flags === "number" ? flags : ((node?.value.flags as number) ?? O_RDWR)) & O_ACCMODE) | 0;
  const mount = mountOf(draft, descriptor, path);
  return {
    id: 0,
    flags: access | (append ? O_APPEND : 0),
    pos: 0n,
    fown: old?.value.fown ?? { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 },
    name: path,
    ...(mount === undefined ? {} : { mnt_id: mount }),
    build_id: [],
  };
}

/** The mount that a new path lies on, in sets with a mount namespace. */
function mountOf(draft: Draft, { pids }: FoundDescriptor, path: string): number | undefined {
  const ids = draft.set.first(IMAGES.IDS, pids[0]);
  const mounts = ids?.mnt_ns_id === undefined ? [] : draft.set.records(IMAGES.MNTS, ids.mnt_ns_id);
  let best: MntEntry | undefined;
  for (const { value } of mounts) {
    const isAbove = value.mountpoint === "/" || path.startsWith(`${value.mountpoint}/`);
    if (isAbove && (best === undefined || value.mountpoint.length > best.mountpoint.length)) best = value;
  }
  return best?.mnt_id;
}

function noteSharing(draft: Draft, descriptor: FoundDescriptor, others: readonly FoundDescriptor[]): void {
  if (others.length > 0)
    draft.notes.add(
      `${nameOf(descriptor)} shared its description with ${others.map(nameOf).join(", ")}; those keep it`,
    );
  if (descriptor.pids.length > 1)
    draft.notes.add(
      `tasks ${descriptor.pids.join(", ")} have one table of descriptors, so descriptor ${descriptor.value.fd} changes for all of them`,
    );
}

function assertAppend(draft: Draft, { append }: Redirection): void {
  const [pid] = draft.set.ids(IMAGES.CORE);
  if (append && draft.set.first(IMAGES.CORE, pid)?.mtype === MIPS)
    throw new UnsupportedError("mips has flags of its own for open files, so ,append cannot be set there");
}
