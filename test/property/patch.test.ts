import * as fc from "fast-check";
import { CriuImageSet } from "../../src/formats/criu/image-set.js";
import { DirectoryFileSet } from "../../src/io/file-set.js";
import { decodeMessage } from "../../src/schema/decode.js";
import type { Field, MessageTable } from "../../src/schema/message.js";
import { type FieldChange, type FieldPath, patchMessage } from "../../src/schema/patch.js";
import { fieldVisitor } from "../../src/schema/visit.js";
import { assertBytes } from "../helpers/bytes.js";
import { FIXTURE_NAMES } from "../helpers/images.js";
import { holds } from "../helpers/property.js";
import { suite } from "../helpers/suite.js";
import { fixture } from "../unit/ops/edit/planned.js";

const test = suite("patches of real records", {}, 120);

interface Sample {
  readonly name: string;
  readonly table: MessageTable;
  readonly bytes: Buffer;
  readonly fields: readonly { readonly path: FieldPath; readonly field: Field }[];
}

/** Records of all fixtures with the fields they have. */
function samples(): Sample[] {
  const found: Sample[] = [];
  for (const set of FIXTURE_NAMES) {
    const images = new CriuImageSet(new DirectoryFileSet(fixture(set)));
    for (const { name, kind } of images.files) {
      const image = kind?.magic === undefined ? undefined : images.imageNamed(name);
      for (const record of image?.records().slice(0, 6) ?? []) {
        const fields: { path: FieldPath; field: Field }[] = [];
        fieldVisitor(record.table, (field) => field.label !== "repeated")?.(record.value, ({ path, field }) =>
          fields.push({ path, field }),
        );
        const bytes = image?.source.read(record.offset, record.size) as Buffer;
        if (fields.length > 1)
          found.push({ name: `${set}/${name}[${record.index}]`, table: record.table, bytes, fields });
      }
    }
    images.close();
  }
  return found;
}

const ALL = samples();

/** A value of the field's type, of a length of its own. */
function valueFor(field: Field, seed: number): unknown {
  if (field.type === "string") return "x".repeat(seed % 200);
  if (field.type === "bytes") return Buffer.alloc(seed % 200, 7);
  if (field.type === "bool") return seed % 2 === 0;
  const number = 2 ** (seed % 31);
  return ["uint64", "int64", "sint64", "fixed64"].includes(field.type as string) ? BigInt(number) : number;
}

const changed = fc
  .record({
    sample: fc.nat(ALL.length - 1),
    picks: fc.array(fc.record({ at: fc.nat(100_000), seed: fc.nat(10_000) }), {
      minLength: 2,
      maxLength: 12,
    }),
  })
  .map(({ sample, picks }) => {
    const { fields, ...rest } = ALL[sample] as Sample;
    const changes = picks.map(({ at, seed }): FieldChange => {
      const { path, field } = fields[at % fields.length] as Sample["fields"][number];
      return { path, value: valueFor(field, seed) };
    });
    return { ...rest, changes };
  });

test("changes made together give the bytes that they give one after the other", () => {
  holds(
    fc.property(changed, ({ name, table, bytes, changes }) => {
      const single = changes.reduce((current, change) => patchMessage(table, current, [change]), bytes);
      assertBytes(patchMessage(table, bytes, changes), single, name);
    }),
    { numRuns: 400 },
  );
});

test("what was changed reads back, and the rest as before", () => {
  holds(
    fc.property(changed, ({ name, table, bytes, changes }) => {
      const expected = changes.reduce(
        (current, { path, value }) => withChange(current, path, value),
        decodeMessage(table, bytes) as unknown,
      );
      const actual = decodeMessage(table, patchMessage(table, bytes, changes));
      assertBytes(Buffer.from(text(actual)), Buffer.from(text(expected)), name);
    }),
    { numRuns: 200 },
  );
});

/** A copy with one field changed: equal messages of a decoded list may be one object. */
function withChange(owner: unknown, [part, ...rest]: FieldChange["path"], value: unknown): unknown {
  const copy = Array.isArray(owner) ? [...owner] : { ...(owner as object) };
  const fields = copy as Record<string | number, unknown>;
  fields[part as string] = rest.length === 0 ? value : withChange(fields[part as string], rest, value);
  return copy;
}

function text(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? `${item}n` : item), 1);
}

test.run();
