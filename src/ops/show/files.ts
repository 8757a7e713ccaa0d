import { hex } from "../../io/hex.js";
import { openFlagNames } from "../../linux/open-flags.js";
import { signalName } from "../../linux/signals.js";
import type { Document } from "../../model/document.js";
import type { FileOwner, OpenFile } from "../../model/open-file.js";
import { type FileState, fileState } from "../../model/special-file.js";
import { type Holder, holdersOf } from "./holders.js";
import { type FileUse, isUsedBy, usesOf } from "./uses.js";
import { chosenPids, type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface FilesView extends ViewHead<"files"> {
  readonly files: readonly ShownFile[];
}

export interface ShownFile {
  readonly id: number;
  readonly type: string;
  readonly file: string;
  readonly flags?: readonly string[] | undefined;
  readonly flagBits?: string | undefined;
  /** Offset, and size at the checkpoint, in bytes. */
  readonly position?: bigint | undefined;
  readonly size?: bigint | undefined;
  /** st_mode in octal. */
  readonly mode?: string | undefined;
  readonly buildId?: string | undefined;
  /** Receiver of its signals, fcntl(2) F_SETOWN. */
  readonly owner?: ShownOwner | undefined;
  /** State specific to its type: a counter, watches, modes … */
  readonly state?: FileState | undefined;
  readonly deleted?: { readonly method: string; readonly keptIn: string } | undefined;
  readonly descriptors: readonly Holder[];
  /** Other uses by a task: its program, current directory, root, or mappings. */
  readonly uses: readonly FileUse[];
  /** Id of the open fifo or terminal whose node in the file system it is. */
  readonly nodeOf?: number | undefined;
  /** The record that stores it, for `record`. */
  readonly record: string;
}

export interface ShownOwner extends Omit<FileOwner, "signal"> {
  readonly signal: string;
}

/** All open files with what the restore will check, and their users. */
export function filesView({ checkpoint }: Document, options: ShowOptions = {}): FilesView {
  const chosen = chosenPids(checkpoint, options);
  const holders = holdersOf(checkpoint);
  const uses = usesOf(checkpoint);
  const { architecture } = checkpoint;
  const flagNames = new Map<number, readonly string[]>();
  const namesOf = (flags: number): readonly string[] => {
    const known = flagNames.get(flags) ?? openFlagNames(flags, architecture);
    flagNames.set(flags, known);
    return known;
  };
  const nodes = new Map(checkpoint.files.all.map(({ id, record }) => [record.regf_id, id]));
  const files = checkpoint.files.all
    .map((file) => {
      const nodeOf = file.type === "REG" ? nodes.get(file.id) : undefined;
      return shownFile(file, namesOf, holders(file), uses(file), nodeOf);
    })
    .filter((file) => isUsedBy(chosen, file));
  return { ...viewHead("files"), files };
}

function shownFile(
  file: OpenFile,
  namesOf: (flags: number) => readonly string[],
  descriptors: readonly Holder[],
  uses: readonly FileUse[],
  nodeOf: number | undefined,
): ShownFile {
  const { id, type, flags, position, size, mode, buildId, owner, special, deleted, origin } = file;
  const state = fileState(special);
  return {
    ...{ id, type, file: file.label },
    flags: flags === undefined ? undefined : namesOf(flags),
    flagBits: flags === undefined ? undefined : hex(flags),
    ...{ position, size, buildId },
    owner: owner && { ...owner, signal: owner.signal === 0 ? "SIGIO" : signalName(owner.signal) },
    mode: mode === undefined ? undefined : `0${mode.toString(8)}`,
    state: Object.keys(state).length === 0 ? undefined : state,
    deleted: deleted === undefined ? undefined : { method: String(deleted.method), keptIn: deleted.keptIn },
    ...{ descriptors, uses },
    record: `${origin.image}[${origin.record}]`,
    nodeOf,
  };
}
