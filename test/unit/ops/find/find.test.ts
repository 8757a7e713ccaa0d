import * as assert from "uvu/assert";
import { CriuImage } from "../../../../src/formats/criu/image.js";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { MemorySource } from "../../../../src/io/source.js";
import { findInImage } from "../../../../src/ops/find/find.js";
import { type FindOptions, matcherOf } from "../../../../src/ops/find/matcher.js";
import { encodeMessage } from "../../../../src/schema/encode.js";
import { imageOf } from "../../../helpers/recode.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops: find");

const FOWN = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const SOCKET_OPTIONS = {
  so_sndbuf: 4321,
  so_rcvbuf: 0,
  so_snd_tmo_sec: 2n ** 63n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
  so_filter: [],
};
const RECORDS = [
  {
    type: 1,
    id: 7,
    reg: { id: 7, flags: 0x401, pos: 4321n, fown: FOWN, name: "/srv/Data/a\udcff" },
  },
  {
    type: 4,
    id: 8,
    isk: {
      id: 8,
      ino: 99,
      family: 2,
      type: 1,
      proto: 6,
      state: 10,
      src_port: 80,
      dst_port: 0,
      flags: 2,
      backlog: 5,
      src_addr: [0x0100007f],
      dst_addr: [0],
      fown: FOWN,
      opts: SOCKET_OPTIONS,
    },
  },
  {
    type: 6,
    id: 9,
    usk: {
      id: 9,
      ino: 1,
      type: 1,
      state: 10,
      flags: 0,
      uflags: 0,
      backlog: 0,
      peer: 0,
      fown: FOWN,
      opts: SOCKET_OPTIONS,
      name: Buffer.from("\0/srv/data/socket"),
    },
  },
];
const image = imageOf(
  IMAGES.FILES.magic as number,
  RECORDS.map((record) => encodeMessage(IMAGES.FILES.entries[0].message, record as never)),
);

function found(text: string, options: FindOptions = {}): string[] {
  const opened = new CriuImage(new MemorySource(image, "files.img"), "files.img");
  return [...findInImage(opened, matcherOf(text, options))].map(
    ({ record, path, text: shown }) => `[${record}].${path} = ${shown}`,
  );
}

test("text is found inside strings and bytes", () => {
  assert.equal(found("/srv/"), [
    String.raw`[0].reg.name = "/srv/Data/a\udcff"`,
    String.raw`[2].usk.name = "\u0000/srv/data/socket"`,
  ]);
  assert.equal(found("/srv/data"), [String.raw`[2].usk.name = "\u0000/srv/data/socket"`]);
  assert.is(found("/srv/data", { ignoreCase: true }).length, 2);
});

test("a number is found as number in any width, decimal or hexadecimal, and nowhere inside another one", () => {
  const places = ["[0].reg.pos = 4321", "[1].isk.opts.so_sndbuf = 4321", "[2].usk.opts.so_sndbuf = 4321"];
  assert.equal(found("4321"), places);
  assert.equal(found("0x10E1"), places);
  assert.equal(found("432"), []);
  assert.is(found(String(2n ** 63n)).length, 2);
  assert.equal(found("4321", { fixed: true }), []);
});

test("an address is found in any spelling, names of flags and values by the whole word", () => {
  assert.equal(found("127.0.0.1"), ["[1].isk.src_addr = 127.0.0.1"]);
  assert.equal(found("O_APPEND"), ['[0].reg.flags = "O_WRONLY | O_APPEND"']);
  assert.equal(found("APPEND"), []);
  assert.equal(found("INETSK"), ['[1].type = "INETSK"']);
  assert.equal(found("LISTEN"), ['[1].isk.state = "LISTEN"', '[2].usk.state = "LISTEN"']);
});

test("a regular expression is tried on all of them", () => {
  assert.equal(found("^/srv", { regex: true }), [String.raw`[0].reg.name = "/srv/Data/a\udcff"`]);
  assert.equal(found("^127", { regex: true }), ["[1].isk.src_addr = 127.0.0.1"]);
  assert.is(found("^0x10e1$", { regex: true }).length, 3);
  assert.is(found("data", { regex: true, ignoreCase: true }).length, 2);
});

test("what makes no question is refused", () => {
  for (const [text, options] of [
    ["", {}],
    ["(", { regex: true }],
    ["a", { regex: true, fixed: true }],
  ] as [string, FindOptions][])
    assert.throws(
      () => matcherOf(text, options),
      (error: unknown) => isCrimgError(error) && error.code === "USAGE",
    );
});

test.run();
