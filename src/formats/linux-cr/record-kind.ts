import type { StructTable, StructValue } from "../../schema/struct.js";
import { type ArchFamily, type Architecture, type Commit, isSince } from "./revisions.js";

/** A layout of a record: since which header set, for which architecture and FILE.f_type; all if not given. */
export interface Layout<T extends StructTable = StructTable> {
  readonly since?: Commit;
  readonly arch?: ArchFamily;
  readonly fileType?: number;
  readonly table: T;
}

/** Type of the payload after the fixed part. */
export type Payload = "bytes" | "text" | "path" | "u32" | "sigaction" | "siginfo";

export interface RecordOptions {
  readonly doc: string;
  readonly payload?: Payload;
  /** Offset of the payload, if not at the end of the fixed part. */
  readonly payloadAt?: number;
  /** Field with the number of its elements. */
  readonly count?: string;
  /** Unused bytes after the last element. */
  readonly slack?: number;
  /** Records after this one, as text. */
  readonly follows?: string;
  readonly certainty?: "header file only" | "our dialect" | "our extension";
}

/** A type of record as data: its ids and layouts by header set, its payload, and the records after it. */
export interface RecordKind<T extends StructTable = StructTable> extends RecordOptions {
  readonly name: string;
  /** The id from a header set on; undefined where that set removed the record. */
  readonly ids: readonly (readonly [id: number | undefined, since: Commit])[];
  readonly layouts: readonly Layout<T>[];
}

export function record<const L extends readonly Layout[]>(
  name: string,
  ids: RecordKind["ids"],
  layouts: L,
  options: RecordOptions,
): RecordKind<L[number]["table"]> {
  return { name, ids, layouts, ...options };
}

/** Header set and architecture of an image. */
export interface Dialect {
  readonly commit: Commit;
  readonly arch: Architecture;
}

/** The id of a kind in a header set; undefined if it has none. */
export function idOf(kind: RecordKind, commit: Commit): number | undefined {
  let found: number | undefined;
  for (const [id, since] of kind.ids) if (isSince(commit, since)) found = id;
  return found;
}

/**
 * The layout of the fixed part, undefined if it is only the header. `size` (the record's len) selects between the
 * layouts of powerpc, which no field of the image distinguishes; `fileType` is FILE.f_type.
 */
export function layoutOf<T extends StructTable>(
  kind: RecordKind<T>,
  { commit, arch }: Dialect,
  size: number,
  fileType?: number,
): T | undefined {
  let best: Layout<T> | undefined;
  for (const layout of kind.layouts) {
    if (layout.arch !== undefined && layout.arch !== arch.family) continue;
    if (layout.fileType !== undefined && layout.fileType !== fileType) continue;
    if (layout.since !== undefined && !isSince(commit, layout.since)) continue;
    if (best?.arch !== undefined && best.since === layout.since && best.table.size === size) continue;
    best = layout;
  }
  return best?.table;
}

type KeysOfEach<V> = V extends unknown ? keyof V : never;
type OfEach<V, K extends PropertyKey> = V extends { readonly [P in K]: infer X } ? X : never;
type Merged<V> = { readonly [K in keyof V]: V[K] } & {
  readonly [K in Exclude<KeysOfEach<V>, keyof V>]?: OfEach<V, K>;
};
type EachValue<T> = T extends StructTable ? StructValue<T> : never;

/** The fields of a record: those common to all layouts, and the others as optional. */
export type RecordValue<K extends RecordKind> = Merged<EachValue<K["layouts"][number]["table"]>>;
