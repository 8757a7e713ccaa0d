import { IMAGES } from "../../../formats/criu/images.js";
import { FD_TYPES, FILE_ENTRY, type FileEntry } from "../../../formats/criu/tables/fdinfo.js";
import type { FownEntry } from "../../../formats/criu/tables/fown.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { enumNumber } from "../../../io/enums.js";
import { encodeOwner, encodeRegular, NO_OWNER } from "../../../model/criu/files.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { ToCriu } from "./context.js";
import type { WrittenTerminal } from "./terminals.js";

/** What files of one stream must know of the others. */
export interface OtherFiles {
  /** Numbers of the ghost files so far, by inode. */
  readonly ghosts: Map<string, number>;
  /** Terminals so far, by their TTY objects. */
  readonly terminals: Map<number, WrittenTerminal>;
  /** SOCK objects that some FILE opens. */
  readonly openSockets: ReadonlySet<number>;
}

/** One FILE object on its way into a set. */
export interface StreamFile {
  readonly context: ToCriu;
  readonly part: Part;
  readonly file: OpenFile;
  /** Its id in the set. */
  readonly id: number;
  readonly owner: FownEntry;
  readonly others: OtherFiles;
  /** What messages call it. */
  readonly label: string;
}

/** `held`: the descriptor that it is open under, for messages. */
export function streamFile(
  context: ToCriu,
  part: Part,
  file: OpenFile,
  held: string | undefined,
  others: OtherFiles,
): StreamFile {
  const name = held ?? `file ${file.id}`;
  const path = file.type === "TTY" ? undefined : file.path;
  const label = path === undefined ? name : `${name} (${path})`;
  const owner = ownerOf(context, file, label);
  return { context, part, file, id: context.fileId(file.id), owner, others, label };
}

function ownerOf({ losses }: ToCriu, { owner }: OpenFile, label: string): FownEntry {
  const stored = typeof owner?.kind === "number" && owner.pid !== 0 ? undefined : encodeOwner(owner);
  if (owner === undefined || stored !== undefined) return stored ?? NO_OWNER;
  losses.add(
    label,
    `its signals go to ${owner.kind === "session" ? "session" : `an owner of kind ${owner.kind},`} ${owner.pid}`,
    "criu knows processes and groups as owners",
  );
  return { ...NO_OWNER, signum: owner.signal };
}

/** What all entries say of the open file. */
export function commonFields({ id, file, owner }: StreamFile) {
  return { id, flags: file.flags ?? 0, fown: owner };
}

/** Adds an open file to files.img: `member` has what its type has, under the name of that type in file_entry. */
export function addFile(context: ToCriu, type: string, id: number, member: Partial<FileEntry>): void {
  context.fileTypes.set(id, type);
  context.set.add(IMAGES.FILES, undefined, FILE_ENTRY, { ...member, type: enumNumber(FD_TYPES, type), id });
}

/** Adds a directory or another path that no descriptor stands for; gives its id. `mode` is its st_mode, 0 if not known. */
export function addPath(context: ToCriu, path: string, mode = 0): number {
  const id = context.newFileId();
  const known = mode === 0 ? {} : { mode };
  const entry = encodeRegular({ path, flags: 0, position: 0n, identity: undefined });
  addFile(context, "REG", id, { reg: { id, fown: NO_OWNER, ...entry, ...known } });
  return id;
}
