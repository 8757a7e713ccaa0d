import type { CriuImage } from "../../formats/criu/image.js";
import { jsonString } from "../../io/ascii-json.js";
import { flagNames } from "../../io/enums.js";
import { bytesToText } from "../../io/text.js";
import { formatAddress } from "../../schema/ip-address.js";
import type { AnyValue, Field, MessageTable } from "../../schema/message.js";
import { type FieldPath, formatPath } from "../../schema/patch.js";
import { valueWriter } from "../../schema/to-json.js";
import { type FieldVisitor, fieldVisitor, type VisitedField } from "../../schema/visit.js";
import type { Matcher } from "./matcher.js";

/** A matching field. */
export interface Match {
  readonly record: number;
  /** Field inside the record, such as `reg.name`. */
  readonly path: string;
  /** The value as stored; for an IP address its words. */
  readonly value: unknown;
  /** The value as text: quoted text, a name, an address, a number. */
  readonly text: string;
}

/** The matching fields of an image, by record. Errors: FormatError for a damaged image. */
export function* findInImage(image: CriuImage, matcher: Matcher): Generator<Match> {
  const search = new Search(matcher);
  for (const { index, table, value, payload } of image.readRecords()) {
    yield* search.matchesIn(index, table, value, []);
    for (const { name, message } of payload)
      if (message !== undefined) yield* search.matchesIn(index, message.table, message.value, [name]);
  }
}

class Search {
  readonly #visitors = new Map<MessageTable, FieldVisitor | undefined>();

  constructor(readonly matcher: Matcher) {}

  /** The matches in one message; `before` is its path from the record. */
  matchesIn(record: number, table: MessageTable, message: AnyValue, before: FieldPath): Match[] {
    const matches: Match[] = [];
    this.#visitor(table)?.(message, (found) => {
      const { owner, name, field } = found;
      const stored = owner[name];
      const add = (path: FieldPath, value: unknown): void => {
        if (this.#isMatch(field, value))
          matches.push({ record, path: formatPath([...before, ...path]), value, text: textOf(found, value) });
      };
      if (field.label !== "repeated" || field.show?.as === "ip") add(found.path, stored);
      else for (const [i, value] of (stored as unknown[]).entries()) add([...found.path, i], value);
    });
    return matches;
  }

  #visitor(table: MessageTable): FieldVisitor | undefined {
    if (!this.#visitors.has(table))
      this.#visitors.set(
        table,
        fieldVisitor(table, () => true),
      );
    return this.#visitors.get(table);
  }

  #isMatch({ type, show }: Field, value: unknown): boolean {
    const { matcher } = this;
    if (typeof value === "string") return matcher.text(value);
    if (Buffer.isBuffer(value)) return value.length > 0 && matcher.text(bytesToText(value));
    if (Array.isArray(value)) return value.length > 0 && matcher.address(value, formatAddress(value));
    if (typeof value === "boolean") return false;
    const number = value as number | bigint;
    if (matcher.number(number)) return true;
    const table = typeof type === "object" ? type : show?.as === "names" ? show.table : undefined;
    if (table !== undefined && typeof table === "object" && table.kind === "enum") {
      const name = table.names.get(Number(number));
      return name !== undefined && matcher.name(name);
    }
    return show?.as === "flags" && flagNames(show.table, number).some((name) => matcher.name(name));
  }
}

function textOf({ table, name }: VisitedField, value: unknown): string {
  if (Buffer.isBuffer(value)) return jsonString(bytesToText(value));
  if (Array.isArray(value)) return formatAddress(value);
  return valueWriter(table, name)(value);
}
