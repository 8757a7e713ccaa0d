import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import type { EnumTable } from "../../../../src/io/enums.js";
import type { Field, ShowHint } from "../../../../src/schema/message.js";
import { suite } from "../../../helpers/suite.js";
import { allTables, isNewerThan } from "../../../helpers/tables.js";

/** CRIU's own description of a field; scripts/schema-facts.ts writes it. */
interface FieldFacts {
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly default?: string;
  readonly packed?: boolean;
  readonly hex?: boolean;
  readonly ipadd?: boolean;
  readonly flags?: string;
  readonly dev?: boolean;
  readonly odev?: boolean;
  readonly dict?: string;
  readonly conv?: string;
}

interface Facts {
  readonly criu: string;
  readonly messages: Readonly<Record<string, Readonly<Record<string, FieldFacts>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const facts = JSON.parse(
  readFileSync(new URL("../../../../fixtures/criu-schema-facts.json", import.meta.url), "utf8"),
) as Facts;
const { messages, enums } = await allTables();

const test = suite("criu: tables against CRIU's own schema");

test("every message of CRIU has a table", () => {
  const missing = Object.keys(facts.messages).filter((name) => !messages.has(name));
  assert.equal(missing, []);
});

test("every enum of CRIU has a table with the same values", () => {
  for (const [name, values] of Object.entries(facts.enums)) {
    const table = enums.get(name);
    assert.ok(table, `enum ${name} is missing`);
    for (const [key, value] of Object.entries(values))
      assert.is(table.values.get(key), value, `${name}.${key}`);
  }
});

for (const [name, fields] of Object.entries(facts.messages))
  test(`${name}: fields, numbers, types, labels, defaults and hints`, () => {
    const table = messages.get(name);
    assert.ok(table, `${name} has no table`);
    const own = Object.fromEntries(
      Object.entries(table.fields)
        .filter(([key, field]) => key in fields || !isNewerThan(facts.criu, field))
        .map(([key, field]) => [key, factsOf(name, field)]),
    );
    assert.equal(own, Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, normal(field)])));
  });

test.run();

function factsOf(owner: string, { number, label, type, show, default: value }: Field): object {
  const typeName = type === "self" ? owner : typeof type === "object" ? type.name : type;
  return {
    number,
    label,
    type: typeName,
    default: value === undefined ? undefined : defaultText(type, value),
    ...hintFacts(show),
  };
}

function defaultText(type: Field["type"], value: number | string | boolean): string {
  if (typeof type === "object" && type.kind === "enum" && typeof value === "number")
    return (type as EnumTable).names.get(value) ?? String(value);
  return String(value);
}

function hintFacts(show: ShowHint | undefined): object {
  switch (show?.as) {
    case "hex":
      return { hint: "hex" };
    case "ip":
      return { hint: "ip" };
    case "flags":
      return { hint: `flags ${show.table.name}` };
    case "names":
      return { hint: "names" };
    case "dev":
      return { hint: "dev" };
    case "odev":
      return { hint: "odev" };
    case "unix-name":
      return { hint: "unix-name" };
    default:
      return { hint: undefined };
  }
}

function normal({
  number,
  label,
  type,
  default: value,
  hex,
  ipadd,
  flags,
  dev,
  odev,
  dict,
  conv,
}: FieldFacts): object {
  const hint = hex
    ? "hex"
    : odev
      ? "odev"
      : dev
        ? "dev"
        : ipadd
          ? "ip"
          : flags !== undefined
            ? `flags ${flags}`
            : dict !== undefined
              ? "names"
              : conv === "unix_name"
                ? "unix-name"
                : undefined;
  return { number, label, type, default: value, hint };
}
