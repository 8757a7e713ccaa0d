import type { Domain } from "../../src/io/domains.js";
import { isWithin } from "../../src/io/domains.js";
import type { FieldDomain, Machine } from "../../src/schema/field-domain.js";
import { type Field, fieldMessage, type MessageTable } from "../../src/schema/message.js";
import { type StructField, type StructTable, WORD_BYTES, type Word } from "../../src/schema/struct.js";

/** A field of a record whose valid values a table declares. */
export interface DomainField {
  /** `thread_core.creds.secbits`, `vmas[3].prot` */
  readonly path: string;
  readonly domain: Domain;
  /** What can be stored. */
  readonly stored: Bounds;
  readonly value: number | bigint;
}

interface Bounds {
  readonly min: bigint;
  readonly max: bigint;
  readonly isBig: boolean;
}

/** How a mutant differs: the bounds of the domain and its other values are inside of it. */
export type MutantKind = "edge" | "just outside" | "far outside" | "unknown bit";

export interface Mutant {
  readonly kind: MutantKind;
  readonly value: number | bigint;
}

type Owner = Readonly<Record<string, unknown>>;
type Table = MessageTable | StructTable;

const MACHINE: Machine = { wordBytes: 8 };

/** The fields of a record with a domain: one of its own, the values of an enum, or the names that it is shown with. */
export function* domainFields(table: Table, record: Owner): Generator<DomainField> {
  yield* walk(table, record, record, "");
}

function* walk(table: Table, owner: Owner, record: Owner, lead: string): Generator<DomainField> {
  for (const [name, field] of Object.entries(table.fields) as [string, Field | StructField][]) {
    const stored = owner[name];
    if (stored === undefined) continue;
    const nested = nestedTable(table, field);
    const domain = domainOf(field, owner, record);
    const bounds = boundsOf(field);
    for (const [i, each] of (Array.isArray(stored) ? stored : [stored]).entries()) {
      const path = `${lead}${name}${Array.isArray(stored) ? `[${i}]` : ""}`;
      if (nested !== undefined) yield* walk(nested, each as Owner, record, `${path}.`);
      else if (domain !== undefined && bounds !== undefined)
        yield { path, domain, stored: bounds, value: each as number | bigint };
    }
  }
}

function nestedTable(table: Table, field: Field | StructField): Table | undefined {
  if (table.kind === "message" && "number" in field) return fieldMessage(table, field);
  return typeof field.type === "object" && field.type.kind === "struct" ? field.type : undefined;
}

function domainOf(field: Field | StructField, owner: Owner, record: Owner): Domain | undefined {
  const domain: FieldDomain | undefined = field.domain;
  const own = typeof domain === "function" ? domain(owner, MACHINE, record) : domain;
  if (own !== undefined) return own;
  if (typeof field.type === "object" && field.type.kind === "enum") return field.type;
  if ("names" in field && field.names !== undefined) return field.names;
  return field.show?.as === "flags" || field.show?.as === "names" ? field.show.table : undefined;
}

const SCALARS: Readonly<Record<string, Bounds>> = {
  uint32: bounds(32, false),
  int32: bounds(32, true),
  sint32: bounds(32, true),
  uint64: bounds(64, false),
  fixed64: bounds(64, false),
  int64: bounds(64, true),
  sint64: bounds(64, true),
};

function bounds(bits: number, signed: boolean): Bounds {
  const span = 1n << BigInt(signed ? bits - 1 : bits);
  return { min: signed ? -span : 0n, max: span - 1n, isBig: bits === 64 };
}

/** Undefined for what is no number. */
function boundsOf({ type }: Field | StructField): Bounds | undefined {
  if (typeof type === "object") return type.kind === "enum" ? SCALARS.int32 : undefined;
  if (type in WORD_BYTES) return bounds(WORD_BYTES[type as Word] * 8, type.startsWith("s"));
  return SCALARS[type];
}

/** Values at and beyond the bounds of a domain, as far as they can be stored; not the one that is there. */
export function mutantsOf({ domain, stored, value }: DomainField): Mutant[] {
  const seen = new Set<bigint>([BigInt(value)]);
  return candidates(domain, stored, BigInt(value)).flatMap(([kind, wanted]): Mutant[] => {
    const isStored = wanted >= stored.min && wanted <= stored.max;
    if (!isStored || seen.has(wanted) || isWithin(domain, wanted) !== (kind === "edge")) return [];
    seen.add(wanted);
    return [{ kind, value: stored.isBig ? wanted : Number(wanted) }];
  });
}

function candidates(domain: Domain, { min, max }: Bounds, value: bigint): (readonly [MutantKind, bigint])[] {
  const far = [max, min, (max >> 1n) + 1n].map((each) => ["far outside", each] as const);
  switch (domain.kind) {
    case "range":
      return [
        ["edge", domain.min],
        ["edge", domain.max],
        ["just outside", domain.min - 1n],
        ["just outside", domain.max + 1n],
        ...far,
      ];
    case "enum": {
      const values = [...domain.names.keys()].map(BigInt).sort((a, b) => (a < b ? -1 : 1));
      return [
        ...values.map((each) => ["edge", each] as const),
        ["just outside", (values[0] ?? 0n) - 1n],
        ["just outside", (values.at(-1) ?? 0n) + 1n],
        ...far,
      ];
    }
    case "flags": {
      const known = [...domain.bits.values()].reduce((mask, bit) => mask | bit, 0n);
      const unknown: bigint[] = [];
      for (let bit = 1n; bit <= max; bit <<= 1n) if ((known & bit) === 0n) unknown.push(bit);
      return [
        ["edge", 0n],
        ["edge", known],
        ...[...domain.bits.values()].map((bit) => ["edge", value ^ bit] as const),
        ...[unknown[0], unknown.at(-1)].flatMap((bit) =>
          bit === undefined ? [] : [["unknown bit", value | bit] as const],
        ),
      ];
    }
  }
}
