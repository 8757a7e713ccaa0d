import * as assert from "uvu/assert";
import { type Piece, PieceList } from "../../../src/io/concat.js";
import { isCrimgError } from "../../../src/io/errors.js";
import { type ByteSource, MemorySource } from "../../../src/io/source.js";
import { suite } from "../../helpers/suite.js";

const test = suite("io: concat");

const letters = new MemorySource(Buffer.from("abcdefghij"), "letters");
const PIECES: readonly Piece[] = [
  Buffer.from("12"),
  Buffer.from("3"),
  { source: letters, offset: 2, size: 4 },
  { zeros: 3 },
  Buffer.alloc(0),
  { source: letters, offset: 9, size: 1 },
];
const WHOLE = Buffer.from("123cdef\0\0\0j");

function list(pieces: readonly Piece[]): PieceList {
  const all = new PieceList();
  for (const piece of pieces) all.add(piece);
  return all;
}

test("every range reads as if the pieces had been written one behind the other", () => {
  const source = list(PIECES).source("all");
  assert.is(source.size, WHOLE.length);
  for (let from = 0; from <= WHOLE.length; from++)
    for (let to = from; to <= WHOLE.length; to++)
      assert.is(source.read(from, to - from).toString("latin1"), WHOLE.toString("latin1", from, to));
});

test("a range behind the end is refused", () => {
  assert.throws(
    () => list(PIECES).source("all").read(9, 3),
    (error: unknown) => isCrimgError(error) && error.code === "TRUNCATED",
  );
});

test("sources are read only when the whole is, and only where it is", () => {
  const asked: string[] = [];
  const source: ByteSource = {
    name: "watched",
    size: 2 ** 40,
    read: (offset, size) => {
      asked.push(`${offset}+${size}`);
      return Buffer.alloc(size, 7);
    },
    close: () => {},
  };
  const pieces = list([Buffer.from("x"), { source, offset: 2 ** 39, size: 2 ** 30 }, Buffer.from("y")]);
  assert.is(pieces.size, 2 ** 30 + 2);
  const whole = pieces.source("large");
  assert.equal(asked, []);
  assert.is(whole.read(2 ** 30, 2).toString("hex"), `07${Buffer.from("y").toString("hex")}`);
  assert.equal(asked, [`${2 ** 39 + 2 ** 30 - 1}+1`]);
});

test("a list without pieces is empty", () => {
  const source = new PieceList().source("nothing");
  assert.is(source.size, 0);
  assert.is(source.read(0, 0).length, 0);
});

test("many small pieces are joined", () => {
  const pieces = Array.from({ length: 100_000 }, (_, i) => Buffer.from([i & 0xff]));
  const source = list(pieces).source("small");
  assert.ok(source.pieces.length < 4, `${source.pieces.length} pieces`);
  assert.ok(source.read(0, source.size).equals(Buffer.concat(pieces)));
});

test.run();
