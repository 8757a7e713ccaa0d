import fc from "fast-check";
import * as assert from "uvu/assert";
import { PAGEMAP_ENTRY } from "../../src/formats/criu/tables/pagemap.js";
import { REG_FILE_ENTRY } from "../../src/formats/criu/tables/regfile.js";
import { isCanonical } from "../../src/schema/canonical.js";
import { decodeMessage } from "../../src/schema/decode.js";
import { encodeMessage } from "../../src/schema/encode.js";
import type { AnyValue, MessageTable } from "../../src/schema/message.js";
import { bracketed, messageMembers } from "../../src/schema/to-json.js";
import { copyAsJson } from "../../src/schema/wire-json.js";
import { disturbed, valuesOf } from "../helpers/arbitrary.js";
import { holds } from "../helpers/property.js";
import { SAMPLE } from "../helpers/sample-tables.js";
import { suite } from "../helpers/suite.js";
import { allTables } from "../helpers/tables.js";

const test = suite("property: JSON straight from the bytes", undefined, 120);

const { messages } = await allTables();

/** The JSON, or undefined when the general way is needed. */
function copied(table: MessageTable, bytes: Uint8Array, room = 1 << 20): string | undefined {
  const out = Buffer.alloc(room);
  const cursor = { buf: bytes, pos: 0, end: bytes.length, out, at: 0 };
  return copyAsJson(table, cursor) ? out.toString("latin1", 0, cursor.at) : undefined;
}

/** The JSON of the general way; undefined for bytes that are no message or would not come back from it. */
function general(table: MessageTable, bytes: Buffer): string | undefined {
  let value: AnyValue;
  try {
    value = decodeMessage(table, bytes) as AnyValue;
  } catch {
    return undefined;
  }
  if (!isCanonical(table, value, bytes)) return undefined;
  return bracketed(messageMembers(table, value, { pretty: false }, ""), "{}", "");
}

for (const table of [SAMPLE, ...messages.values()])
  test(`${table.name}: whatever the bytes, the same text as over the decoded value or none`, () => {
    const bytes = valuesOf(table).chain((value) => {
      const encoded = encodeMessage(table, value as never);
      return fc.oneof(fc.constant(encoded), disturbed(encoded), damaged(encoded));
    });
    holds(
      fc.property(bytes, (each) => {
        const text = copied(table, each);
        if (text !== undefined) assert.is(text, general(table, each));
      }),
      { numRuns: 60 },
    );
  });

test("usual records need no other way", () => {
  const fown = { uid: 0, euid: 4294967295, signum: 0, pid_type: 0, pid: 0 };
  const entry = { vaddr: 2n ** 47n - 4096n, compat_nr_pages: 1, flags: 4, nr_pages: 1n };
  const file = { id: 7, flags: 0o100002, pos: 2n ** 64n - 1n, fown, name: "/a b", mnt_id: -1, size: 0n };
  for (const [table, value] of [
    [PAGEMAP_ENTRY, { ...entry, compressed_size: [] }],
    [REG_FILE_ENTRY, { ...file, mode: 33188, build_id: [1, 2, 999_999_999, 1_000_000_000] }],
  ] as [MessageTable, AnyValue][]) {
    const bytes = encodeMessage(table, value as never);
    assert.type(copied(table, bytes), "string");
    assert.is(copied(table, bytes), general(table, bytes));
  }
});

test("text that does not fit is refused", () => {
  const bytes = Buffer.from([8, 1]);
  const text = copied(SAMPLE, bytes) as string;
  assert.is(copied(SAMPLE, bytes, text.length), text);
  for (let room = 0; room < text.length; room++) assert.is(copied(SAMPLE, bytes, room), undefined);
});

test.run();

/** Cut, and one byte changed. */
function damaged(bytes: Buffer): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.nat({ max: bytes.length }), fc.nat(), fc.nat({ max: 255 })).map(([length, at, byte]) => {
    const cut = Buffer.from(bytes.subarray(0, length));
    if (length > 0) cut[at % length] = byte;
    return cut;
  });
}
