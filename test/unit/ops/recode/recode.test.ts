import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { encodeImage } from "../../../../src/ops/recode/encode-image.js";
import { encodeMessage } from "../../../../src/schema/encode.js";
import type { MessageTable } from "../../../../src/schema/message.js";
import { assertBytes } from "../../../helpers/bytes.js";
import { PAYLOAD_IMAGES } from "../../../helpers/payload-images.js";
import { decoded, imageOf } from "../../../helpers/recode.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops: decode and encode images");

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

function refusal(text: string, lax = false) {
  try {
    encodeImage(text, { name: "x.json", lax });
  } catch (error) {
    if (isCrimgError(error)) return error;
    throw error;
  }
  return assert.unreachable(`${text} was accepted`) as never;
}

function message(table: MessageTable, value: object): Buffer {
  return encodeMessage(table, value as never);
}

const FS = IMAGES.FS.magic as number;
const FS_MESSAGE = bytesOf("08 0e 10 0f 18 12");
const DESC = { key: 1, uid: 2, gid: 3, cuid: 4, cgid: 5, mode: 6, id: 7 };

const SEM = IMAGES.IPCNS_SEM;

/** Images with something that plain fields cannot carry, and what their JSON must hold. */
const CASES: [string, Buffer, RegExp][] = [
  ["no records", imageOf(FS, []), /"entries": \[\]/],
  [
    "a big-endian image",
    imageOf(FS, [FS_MESSAGE], { bigEndian: true }),
    /"_byte_order": "big-endian", "entries"/,
  ],
  ["an image of criu before 1.6", imageOf(FS, [FS_MESSAGE], { head: null }), /"_head": "none"/],
  ["another head magic", imageOf(FS, [FS_MESSAGE], { head: 0x55105940 }), /"_head": "service"/],
  ["an inventory with a head", imageOf(0x58313116, [bytesOf("08 02")]), /"_head": "common"/],
  [
    "unknown fields in place",
    imageOf(FS, [bytesOf("08 0e 10 0f 18 12 78 05 fa 06 01 00")]),
    /"_unknown": \[\{"number": 15(?!.*_wire)/,
  ],
  ["unknown fields out of place", imageOf(FS, [bytesOf("78 05 08 0e 10 0f 18 12")]), /"_unknown".*"_wire"/],
  ["varints longer than needed", imageOf(FS, [bytesOf("08 8e 00 10 0f 18 12")]), /"cwd_id": 14.*"_wire"/],
  ["fields in another order", imageOf(FS, [bytesOf("18 12 10 0f 08 0e")]), /"_wire"/],
  ["singular fields twice", imageOf(FS, [bytesOf("08 01 08 0e 10 0f 18 12")]), /"cwd_id": 14.*"_wire"/],
  [
    "a wrong wire type",
    imageOf(FS, [bytesOf("08 0e 10 0f 18 12 1a 01 00")]),
    /"_unknown".*"number": 3, "wire_type": 2/,
  ],
  [
    "packed runs",
    imageOf(IMAGES.PSTREE.magic as number, [bytesOf("08 01 10 00 18 01 20 01 2a 02 01 02")]),
    /"threads": \[1, 2\].*"_wire"/,
  ],
  [
    "an enum value that nobody knows",
    imageOf(IMAGES.FDINFO.magic as number, [bytesOf("08 01 10 00 18 63 20 05")]),
    /"type": 99/,
  ],
  ["an empty record", imageOf(IMAGES.SECCOMP.magic as number, [bytesOf("")]), /"entries": \[\{\}\]/],
  [
    "a name that is not UTF-8",
    imageOf(IMAGES.UTSNS.magic as number, [bytesOf("0a 02 61 ff 12 01 62")]),
    /"a\\udcff"/,
  ],
  ...PAYLOAD_IMAGES,
];

for (const [name, bytes, shape] of CASES)
  test(`${name}: the same bytes come back`, () => {
    const plain = decoded(bytes);
    assert.match(plain, shape);
    assert.equal(
      JSON.parse(plain).entries.length,
      JSON.parse(decoded(bytes, { pretty: true })).entries.length,
    );
    assertBytes(encodeImage(plain), bytes);
    assertBytes(encodeImage(decoded(bytes, { pretty: true })), bytes);
  });

test("where the fields cannot carry a record, an edited field still changes alone", () => {
  const bytes = imageOf(FS, [bytesOf("78 81 00 08 8e 00 10 0f 18 12")]);
  const edited = decoded(bytes).replace('"root_id": 15', '"root_id": 16');
  assertBytes(encodeImage(edited), imageOf(FS, [bytesOf("78 81 00 08 8e 00 10 10 18 12")]));
  const unknown = decoded(bytes).replace('"data": "gQA=\\n"', '"data": "Ag=="');
  assertBytes(encodeImage(unknown), imageOf(FS, [bytesOf("78 02 08 8e 00 10 0f 18 12")]));
});

test("keys may come in any order, entries before the magic too", () => {
  const text = '{"entries": [{"umask": 18, "root_id": 15, "cwd_id": 14}], "magic": "FS"}';
  assertBytes(encodeImage(text), imageOf(FS, [FS_MESSAGE]));
});

test("go-crit's list of semaphores is a text", () => {
  const desc = JSON.stringify(DESC);
  assertBytes(
    encodeImage(`{"magic": "IPCNS_SEM", "entries": [{"desc": ${desc}, "nsems": 2, "extra": "[1,258]"}]}`),
    imageOf(SEM.magic as number, [
      [message(SEM.entries[0].message, { desc: DESC, nsems: 2 }), bytesOf("01 00 02 01 00 00 00 00")],
    ]),
  );
});

test("JSON that makes no image is refused, with the record and the field", () => {
  const fs = (entry: string) => `{"magic": "FS", "entries": [{"cwd_id": 1, "root_id": 2}, ${entry}]}`;
  const cases: [string, string | undefined, RegExp][] = [
    [fs('{"cwd_id": 1, "root_id": 4294967296}'), "[1].root_id", /4294967296.*0 to 4294967295/],
    [fs('{"cwd_id": 1, "root_id": "x"}'), "[1].root_id", /not an integer/],
    [fs('{"cwd_id": 1}'), "[1].root_id", /required field root_id/],
    [
      fs('{"cwd_id": 1, "root_id": 2, "mask": 3}'),
      "[1].mask",
      /unknown field "mask" of fs_entry \(expected cwd_id/,
    ],
    [fs('{"cwd_id": 1, "root_id": 2, "extra": ""}'), "[1].extra", /unknown field "extra"/],
    [fs('{"cwd_id": 1, "cwd_id": 1, "root_id": 2}'), "[1].cwd_id", /duplicate key/],
    [fs('{"cwd_id": 1, "root_id": 2, "_wire": "/w=="}'), "[1]._wire", /not the encoding of a fs_entry/],
    [fs("[]"), "[1]", /a list \(expected a fs_entry/],
    ['{"entries": []}', undefined, /missing key "magic"/],
    ['{"magic": "FS"}', undefined, /missing key "entries"/],
    ['{"magic": "NOPE", "entries": []}', undefined, /invalid magic "NOPE"/],
    ['{"magic": "PAGES", "entries": []}', undefined, /invalid magic "PAGES"/],
    ['{"magic": "FS", "magic": "FS", "entries": []}', undefined, /duplicate key/],
    ['{"magic": "FS", "entries": [], "more": 1}', undefined, /unknown key "more"/],
    ['{"magic": "FS", "entries": {}}', undefined, /entries is not a list/],
    ['{"magic": "FS", "_head": "big", "entries": []}', undefined, /invalid _head "big"/],
    ["[]", undefined, /an object/],
    ['{"magic": "FS", "entries": [}', undefined, /line 1, column 29/],
    ['{"magic": "FS", "entries": []} x', undefined, /the end of the text/],
    ["", undefined, /the JSON of an image is not an object/],
    [
      '{"magic": "PIPES_DATA", "entries": [{"pipe_id": 1, "bytes": 4, "extra": "YWJj"}]}',
      "[0].extra",
      /payload of 3 bytes \(expected 4/,
    ],
    ['{"magic": "PIPES_DATA", "entries": [{"pipe_id": 1, "bytes": 4}]}', "[0].extra", /payload of 0 bytes/],
    [
      '{"magic": "PIPES_DATA", "entries": [{"pipe_id": 1, "bytes": 4, "extra": "... <4B>"}]}',
      "[0].extra",
      /--nopl/,
    ],
    [
      '{"magic": "PIPES_DATA", "entries": [{"pipe_id": 1, "bytes": 4, "extra": [1]}]}',
      "[0].extra",
      /text in base64/,
    ],
  ];
  for (const [text, path, message] of cases) {
    const error = refusal(text);
    assert.is(error.file, "x.json", text);
    assert.is(error.path, path, text);
    assert.match(error.message, message);
  }
});

test("lax ignores keys that are not known, at the top and in records", () => {
  const text =
    '{"magic": "FS", "tool": {"x": []}, "entries": [{"cwd_id": 14, "root_id": 15, "umask": 18, "new": [1]}]}';
  assertBytes(encodeImage(text, { lax: true }), imageOf(FS, [FS_MESSAGE]));
  assert.match(
    refusal('{"magic": "FS", "entries": [{"cwd_id": "?", "root_id": 15}]}', true).message,
    "not an integer",
  );
});

test("bytes that are no text are refused", () => {
  assert.throws(
    () => encodeImage(bytesOf("19 43 56 54 ff fe")),
    (error: unknown) => isCrimgError(error) && /invalid UTF-8/.test(error.message),
  );
});

test("a raw image cannot be decoded", () => {
  assert.throws(
    () => decoded(Buffer.from("pages"), { fileName: "pages-1.img" }),
    (error: unknown) => isCrimgError(error) && error.code === "UNSUPPORTED",
  );
});

test.run();
