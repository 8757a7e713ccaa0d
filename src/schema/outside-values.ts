import { type Domain, isWithin } from "../io/domains.js";
import type { FieldDomain, Machine } from "./field-domain.js";
import { type AnyValue, fieldMessage, type MessageTable } from "./message.js";
import type { StructTable } from "./struct.js";

/** A field with a value outside of its domain. */
export interface OutsideValue {
  /** Path in the record: `posix[0].clock_id`. */
  readonly path: string;
  readonly value: number | bigint;
  readonly domain: Domain;
  /** Whether a conversion to the other family keeps it. */
  readonly isKept: boolean;
}

interface Around {
  readonly machine: Machine;
  readonly record: Owner;
}

type Owner = Readonly<Record<string, unknown>>;

/** A field with a domain, or with nested fields that have one. */
interface Step {
  readonly name: string;
  readonly domain: FieldDomain | undefined;
  /** Value of the field where it is not stored. */
  readonly absent: unknown;
  readonly isKept: boolean;
  readonly nested: readonly Step[];
}

const steps = new WeakMap<MessageTable | StructTable, readonly Step[]>();

/** Whether any field of the table, or a nested one, has a domain. */
export function hasDomains(table: MessageTable | StructTable): boolean {
  return stepsOf(table).length > 0;
}

/** The fields of a decoded message or structure whose values are outside of their domains, in table order. */
export function outsideValues(
  table: MessageTable | StructTable,
  value: AnyValue | Owner,
  machine: Machine,
): Generator<OutsideValue> {
  return walk(stepsOf(table), value as Owner, { machine, record: value as Owner }, "");
}

function* walk(list: readonly Step[], owner: Owner, around: Around, path: string): Generator<OutsideValue> {
  for (const { name, domain, absent, isKept, nested } of list) {
    const stored = owner[name] ?? absent;
    if (stored === undefined) continue;
    const values = Array.isArray(stored) ? stored : [stored];
    const allowed = typeof domain === "function" ? domain(owner, around.machine, around.record) : domain;
    for (const [i, each] of values.entries()) {
      const at = Array.isArray(stored) ? `${path}${name}[${i}]` : path + name;
      if (nested.length > 0) yield* walk(nested, each as Owner, around, `${at}.`);
      else if (allowed !== undefined && !isWithin(allowed, each as number | bigint))
        yield { path: at, value: each as number | bigint, domain: allowed, isKept };
    }
  }
}

function stepsOf(table: MessageTable | StructTable): readonly Step[] {
  let found = steps.get(table);
  if (found === undefined) {
    // A recursive message finds the list that is still empty.
    steps.set(table, []);
    found = Object.entries(table.fields).flatMap(([name, field]): Step[] => {
      const nested = nestedTable(table, field);
      const inside = nested === undefined ? [] : stepsOf(nested);
      return field.domain !== undefined || inside.length > 0
        ? [
            {
              name,
              domain: field.domain,
              absent: "absent" in field ? field.absent : undefined,
              isKept: field.kept !== false,
              nested: inside,
            },
          ]
        : [];
    });
    steps.set(table, found);
  }
  return found;
}

function nestedTable(
  table: MessageTable | StructTable,
  field: MessageTable["fields"][string] | StructTable["fields"][string],
): MessageTable | StructTable | undefined {
  if (table.kind === "message" && "number" in field) return fieldMessage(table, field);
  return typeof field.type === "object" && field.type.kind === "struct" ? field.type : undefined;
}
