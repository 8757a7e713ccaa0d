import { MAX_HELD_RECORDS } from "../../io/limits.js";
import type { AnyValue, MessageTable } from "../../schema/message.js";

/** Source of the length of a payload part: a field of the record before it (times `unit` bytes), or the rest of the file. */
export type PayloadLength = "rest" | { readonly field: string; readonly unit?: number };

export interface PayloadPart {
  readonly name: string;
  readonly length: PayloadLength;
  /** Padded with zeros to a multiple of this. */
  readonly padTo?: number;
}

/** Payload between the records of an image, after each record of the message `after`. */
export interface PayloadRule {
  readonly after: MessageTable;
  readonly parts?: readonly PayloadPart[];
  /** Shape of the parts in crit's JSON, if not a string for one part or an object of strings for several. */
  readonly json?: "joined" | "u16";
  /** Instead of parts: framed messages, each with its own bytes. */
  readonly messages?: {
    readonly table: MessageTable;
    readonly count: string;
    readonly length: PayloadLength;
    readonly padTo: number;
  };
  readonly when?: (record: AnyValue) => boolean;
  /** crit's JSON has no `extra` if `when` is false or payloads are omitted. */
  readonly isExtraOptional?: true;
}

export interface EntryRule<M extends MessageTable = MessageTable> {
  readonly message: M;
  readonly repeats: boolean;
}

/** One kind of image file as data. */
export interface ImageKind<M extends MessageTable = MessageTable> {
  /** CRIU's name for it, which crit prints as `magic`. */
  readonly name: string;
  readonly file: string;
  /** Undefined for raw images, whose format is that of another tool. */
  readonly magic: number | undefined;
  /** The word before the magic since criu 1.6. */
  readonly head: "common" | "service" | "none";
  /** What the number in the file name identifies. */
  readonly scope: string;
  readonly doc: string;
  readonly entries: readonly EntryRule<M>[];
  readonly payload: readonly PayloadRule[];
  /** `old`: read, but no longer written by criu. `unused`: has a magic, never a file. */
  readonly status: "current" | "old" | "unused";
  readonly since: string;
  /** Maximum number of records held at once; readers that hold records fail on an image with more. */
  readonly most: number;
}

interface KindOptions {
  readonly head?: "service" | "none";
  readonly payload?: readonly PayloadRule[];
  readonly status?: "old" | "unused";
  readonly since: string;
  readonly most?: number;
}

export function kind<const R extends readonly EntryRule[]>(
  name: string,
  file: string,
  magic: number,
  scope: string,
  doc: string,
  entries: R,
  options: KindOptions,
): ImageKind<R[number]["message"]> {
  return {
    name,
    file,
    magic,
    scope,
    doc,
    entries,
    head: "common",
    payload: [],
    status: "current",
    most: MAX_HELD_RECORDS,
    ...options,
  };
}

/** An image without magic and records, kept as is. */
export function raw(
  name: string,
  file: string,
  scope: string,
  doc: string,
  options: KindOptions,
): ImageKind<never> {
  return {
    name,
    file,
    magic: undefined,
    scope,
    doc,
    entries: [],
    head: "none",
    payload: [],
    status: "current",
    most: 0,
    ...options,
  };
}

export function one<M extends MessageTable>(message: M): EntryRule<M> {
  return { message, repeats: false };
}

export function many<M extends MessageTable>(message: M): EntryRule<M> {
  return { message, repeats: true };
}
