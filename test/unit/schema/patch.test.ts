import * as assert from "uvu/assert";
import { FILE_ENTRY } from "../../../src/formats/criu/tables/fdinfo.js";
import { isCrimgError } from "../../../src/io/errors.js";
import { decodeMessage } from "../../../src/schema/decode.js";
import { encodeMessage } from "../../../src/schema/encode.js";
import type { AnyValue } from "../../../src/schema/message.js";
import { type FieldPath, formatPath, patchMessage } from "../../../src/schema/patch.js";
import { rewriteMessage } from "../../../src/schema/rewrite.js";
import { SAMPLE } from "../../helpers/sample-tables.js";
import { suite } from "../../helpers/suite.js";

const test = suite("schema: patches");

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const spaced = (bytes: Buffer) => bytes.toString("hex").replace(/..(?=.)/g, "$& ");

/** What `hex` becomes when the field at `path` gets `value`. */
function patched(hex: string, path: FieldPath, value: unknown): string {
  return spaced(patchMessage(SAMPLE, bytesOf(hex), [{ path, value }]));
}

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isCrimgError(error)) return error.code;
    throw error;
  }
  return "accepted";
}

test("a scalar changes in place, and the odd bytes around it stay", () => {
  assert.is(patched("f8 86 00 01 08 81 00 10 05", ["u32"], 7), "f8 86 00 01 08 07 10 05");
  assert.is(patched("08 01 10 05", ["u64"], 300n), "08 01 10 ac 02");
});

test("of a field that occurs twice the one that counts changes", () => {
  assert.is(patched("08 01 08 02", ["u32"], 3), "08 01 08 03");
});

test("a new length is written only when the length changes", () => {
  assert.is(patched("4a 83 00 61 62 63", ["text"], "xyz"), "4a 83 00 78 79 7a");
  assert.is(patched("4a 83 00 61 62 63", ["text"], "xy"), "4a 02 78 79");
});

test("a nested change alters the lengths around it and nothing else", () => {
  assert.is(
    patched("62 07 f8 06 01 08 81 00 12 01 61".replace("07", "09"), ["one", "name"], "bc"),
    "62 0a f8 06 01 08 81 00 12 02 62 63",
  );
});

test("a field that was absent is put before the first higher number", () => {
  assert.is(patched("08 01 18 02", ["u64"], 1n), "08 01 10 01 18 02");
  assert.is(patched("08 01", ["text"], ""), "08 01 4a 00");
  assert.is(patched("62 02 08 01", ["one", "name"], "a"), "62 05 08 01 12 01 61");
});

test("a message that was absent is made of what the path names", () => {
  assert.is(patched("", ["tree", "u32"], 1), "d2 01 02 08 01");
});

test("fields and list elements are taken away in all their pieces", () => {
  assert.is(patched("08 01 10 02 08 03", ["u32"], undefined), "10 02");
  assert.is(patched("70 01 10 05 70 02 72 01 03", ["numbers"], []), "10 05");
  assert.is(patched("6a 02 08 01 6a 02 08 02", ["many", 0], undefined), "6a 02 08 02");
  assert.is(patched("72 03 01 02 03", ["numbers", 1], undefined), "72 02 01 03");
});

test("list elements change where they are, packed or not", () => {
  assert.is(patched("70 01 72 02 02 03 70 04", ["numbers", 2], 300), "70 01 72 03 02 ac 02 70 04");
  assert.is(patched("70 01 72 02 02 03 70 04", ["numbers", 3], 9), "70 01 72 02 02 03 70 09");
  assert.is(patched("6a 02 08 01 6a 83 00 08 82 00", ["many", 1, "id"], 3), "6a 02 08 01 6a 02 08 03");
});

test("an index behind the last one appends", () => {
  assert.is(patched("70 01 8a 01 01 61", ["numbers", 1], 2), "70 01 70 02 8a 01 01 61");
});

test("unknown fields change in place when number and wire type stay, else they are put in anew", () => {
  const one = { number: 111, wireType: 0 as const, data: Buffer.from([7]) };
  assert.is(patched("f8 06 01 08 01", ["_unknown"], [one]), "f8 06 07 08 01");
  assert.is(patched("f8 06 01 08 01", ["_unknown"], []), "08 01");
  assert.is(patched("08 01", ["_unknown"], [one]), "08 01 f8 06 07");
  const early = { number: 1, wireType: 2 as const, data: Buffer.from("ab") };
  assert.is(patched("f8 06 01 10 01", ["_unknown"], [early, one]), "0a 02 61 62 10 01 f8 06 07");
});

test("paths that lead nowhere and values that do not fit are refused", () => {
  assert.is(
    code(() => patched("", ["nothing"], 1)),
    "EDIT",
  );
  assert.is(
    code(() => patched("", ["many", 3], { id: 1 })),
    "EDIT",
  );
  assert.is(
    code(() => patched("", ["many", "id"], 1)),
    "EDIT",
  );
  assert.is(
    code(() => patched("08 01", ["u32", "x"], 1)),
    "EDIT",
  );
  assert.is(
    code(() => patched("62 02 08 01", ["one", "id"], undefined)),
    "EDIT",
  );
  assert.is(
    code(() => patched("", ["constructor"], 1)),
    "EDIT",
  );
  assert.is(
    code(() => patched("08 01", ["u32"], 2 ** 32)),
    "INVALID",
  );
  assert.is(
    code(() => patched("", ["text"], "\ud800")),
    "INVALID",
  );
});

test("a value that does not fit is named from the record down, alone and among others", () => {
  const table = FILE_ENTRY;
  const bytes = encodeMessage(table, {
    type: 1,
    id: 4,
    reg: {
      id: 4,
      flags: 0,
      pos: 0n,
      fown: { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 },
      name: "/a",
      build_id: [],
    },
  });
  const wrong = { path: ["reg", "fown", "uid"], value: -1 };
  for (const changes of [[wrong], [{ path: ["reg", "name"], value: "/b" }, wrong]]) {
    try {
      patchMessage(table, bytes, changes, { path: "[3]" });
      assert.unreachable("-1 was accepted");
    } catch (error) {
      assert.ok(isCrimgError(error));
      assert.is(error.path, "[3].reg.fown.uid");
    }
  }
});

test("paths read as people write them", () => {
  assert.is(formatPath(["reg", "name"]), "reg.name");
  assert.is(formatPath(["vmas", 3, "shmid"]), "vmas[3].shmid");
});

test("a rewrite to the same value keeps every byte", () => {
  for (const hex of ["10 01 08 81 00", "62 02 08 01 62 05 08 02 12 01 62", "70 01 72 02 02 03 f8 86 00 05"]) {
    const value = decodeMessage(SAMPLE, bytesOf(hex)) as AnyValue;
    assert.is(spaced(rewriteMessage(SAMPLE, bytesOf(hex), value)), hex);
  }
});

test("a rewrite changes only what differs, list elements at both ends kept", () => {
  const hex = "88 00 01 6a 82 00 08 01 6a 03 08 82 00 6a 83 00 08 83 00";
  const value = decodeMessage(SAMPLE, bytesOf(hex)) as AnyValue & { many: { id: number }[] };
  const rewritten = (many: object[]) => spaced(rewriteMessage(SAMPLE, bytesOf(hex), { ...value, many }));
  const [a, b, c] = value.many as [object, object, object];
  assert.is(rewritten([a, { ...b, id: 9 }, c]), "88 00 01 6a 82 00 08 01 6a 02 08 09 6a 83 00 08 83 00");
  assert.is(rewritten([a, c]), "88 00 01 6a 82 00 08 01 6a 83 00 08 83 00");
  assert.is(rewritten([a, b, c, a]), `${hex} 6a 02 08 01`);
});

test("a rewrite of a message in two pieces still gives the wanted value", () => {
  const hex = "62 05 08 01 1a 01 61 62 05 08 02 1a 01 62";
  const target = { ...decodeMessage(SAMPLE, bytesOf(hex)), one: { id: 2, notes: ["x"] } } as AnyValue;
  const bytes = rewriteMessage(SAMPLE, bytesOf(hex), target);
  assert.equal((decodeMessage(SAMPLE, bytes) as AnyValue).one, { id: 2, notes: ["x"] });
});

test.run();
