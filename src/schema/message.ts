import type { EnumTable, FlagTable } from "../io/enums.js";
import type { FieldDomain } from "./field-domain.js";

/** Scalar types of protobuf that occur in checkpoint images. */
export type Scalar =
  | "uint32"
  | "uint64"
  | "int32"
  | "int64"
  | "sint32"
  | "sint64"
  | "fixed64"
  | "bool"
  | "string"
  | "bytes";

/** How to display a number, also in the JSON of `decode --pretty`. */
export type ShowHint =
  | { readonly as: "hex" }
  | { readonly as: "flags"; readonly table: FlagTable }
  | { readonly as: "names"; readonly table: EnumTable }
  | { readonly as: "ip" }
  | { readonly as: "dev" }
  | { readonly as: "odev" }
  | { readonly as: "unix-name" };

/** Meaning of a string, bytes or address field, for operations that visit all fields of one kind. */
export type Holds =
  | "path"
  | "path-text"
  | "cgroup-path"
  | "ip-address"
  | "link-address"
  | "interface"
  | "label"
  | "host-name"
  | "task-name";

export type Label = "required" | "optional" | "repeated";

/** The type of a field: a scalar, an enum, another message, or `"self"` for a recursive message. */
export type FieldType = Scalar | EnumTable | MessageTable | "self";

export interface FieldOptions {
  readonly doc?: string;
  readonly show?: ShowHint;
  readonly holds?: Holds;
  /** The valid values at a restore by criu and the kernel; others fail or are lost. */
  readonly domain?: FieldDomain;
  /** False if values outside of the domain get lost in a conversion to the other family, which tells them. */
  readonly kept?: false;
  /** What a restore takes an absent field for, where `domain` is to be checked then too. */
  readonly absent?: number;
  /** Elements of a repeated message that are read; a record with more is an error. */
  readonly most?: number;
  /** Value of an absent optional field. */
  readonly default?: number | string | boolean;
  /** First CRIU release with the field, if later than the message. */
  readonly since?: string;
  readonly deprecated?: boolean;
  /**
   * How a repeated scalar is encoded; by default one by one, but packed ones are also read. `never`: another field has the
   * same number with wire type 2, so that packed ones are not read.
   */
  readonly packed?: "always" | "never";
}

export interface Field<T extends FieldType = FieldType, L extends Label = Label> extends FieldOptions {
  readonly number: number;
  readonly type: T;
  readonly label: L;
}

export type Fields = Readonly<Record<string, Field>>;

/** A protobuf message as data, from which parser, writer, JSON, types and documentation derive. */
export interface MessageTable<F extends Fields = Fields> {
  readonly kind: "message";
  readonly name: string;
  readonly doc: string;
  readonly fields: F;
  /** Some fields of a larger message: all others are skipped, not kept as unknown. Only for reading. */
  readonly isPart?: true;
}

export function message<const F extends Fields>(name: string, doc: string, fields: F): MessageTable<F> {
  return { kind: "message", name, doc, fields };
}

/** Selects the fields of a message that a reader needs; decoding them costs less than all. */
export function part<const F extends Fields>(whole: MessageTable, fields: F): MessageTable<F> {
  return { kind: "message", name: whole.name, doc: whole.doc, fields, isPart: true };
}

export function required<const T extends FieldType>(
  number: number,
  type: T,
  options: FieldOptions = {},
): Field<T, "required"> {
  return { number, type, label: "required", ...options };
}

export function optional<const T extends FieldType>(
  number: number,
  type: T,
  options: FieldOptions = {},
): Field<T, "optional"> {
  return { number, type, label: "optional", ...options };
}

export function repeated<const T extends FieldType>(
  number: number,
  type: T,
  options: FieldOptions = {},
): Field<T, "repeated"> {
  return { number, type, label: "repeated", ...options };
}

/**
 * A field that is not in the table, or has the wrong wire type.
 * `data` is everything after the tag: the varint's bytes, the fixed word, or the content of a length-delimited field.
 */
export interface UnknownField {
  readonly number: number;
  readonly wireType: 0 | 1 | 2 | 5;
  readonly data: Buffer;
}

/** Key of the list of unknown fields in a decoded value. */
export const UNKNOWN = "_unknown";

type ScalarValue<T> = T extends "uint64" | "int64" | "sint64" | "fixed64"
  ? bigint
  : T extends "bool"
    ? boolean
    : T extends "string"
      ? string
      : T extends "bytes"
        ? Buffer
        : number;

type One<T, M extends MessageTable> = T extends "self"
  ? Value<M>
  : T extends MessageTable
    ? Value<T>
    : T extends EnumTable
      ? number
      : ScalarValue<T>;

type KeysWith<F extends Fields, L extends Label> = {
  [K in keyof F]: F[K]["label"] extends L ? K : never;
}[keyof F];

/**
 * A decoded message. 64-bit integers are bigint; strings are text that maps back to the same bytes (see
 * `io/text`); enums are numbers; repeated fields are always arrays; absent optional fields are absent keys.
 */
export type Value<M extends MessageTable> = M extends unknown ? Fielded<M> : never;

type Fielded<M extends MessageTable> = {
  -readonly [K in KeysWith<M["fields"], "required">]: One<M["fields"][K]["type"], M>;
} & {
  -readonly [K in KeysWith<M["fields"], "repeated">]: One<M["fields"][K]["type"], M>[];
} & {
  -readonly [K in KeysWith<M["fields"], "optional">]?: One<M["fields"][K]["type"], M>;
} & { [UNKNOWN]?: UnknownField[] };

/** A decoded message whose table is unknown at compile time. */
export type AnyValue = Record<string, unknown> & { [UNKNOWN]?: UnknownField[] };

/** The message table of a field, with `self` resolved; undefined for scalars and enums. */
export function fieldMessage(owner: MessageTable, field: Field): MessageTable | undefined {
  if (field.type === "self") return owner;
  return typeof field.type === "object" && field.type.kind === "message" ? field.type : undefined;
}
