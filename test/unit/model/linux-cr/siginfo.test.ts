import * as assert from "uvu/assert";
import { SIGINFO_BYTES } from "../../../../src/linux/signals.js";
import {
  CKPT_SIGINFO_BYTES,
  fromCkptSiginfo,
  toCkptSiginfo,
} from "../../../../src/model/linux-cr/siginfo.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops: convert: siginfo");

/** A siginfo_t of x86-64 with signo, errno, code and some 32-bit words from offset 16 on. */
function siginfo(signo: number, code: number, words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(SIGINFO_BYTES);
  bytes.writeInt32LE(signo, 0);
  bytes.writeInt32LE(code, 8);
  for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, 16 + i * 4);
  return bytes;
}

const WHOLE: readonly (readonly [string, Buffer])[] = [
  ["kill(2)", siginfo(10, 0, [4711, 1000])],
  ["sigqueue(3) with a pointer", siginfo(34, -1, [4711, 1000, 0x89abcdef, 0xffff7f01])],
  ["sigqueue(3) with a negative number", siginfo(34, -1, [4711, 1000, 0xffffffff])],
  ["tgkill(2)", siginfo(12, -6, [4711, 1000])],
  ["a POSIX timer", siginfo(14, -2, [3, 7, 42, 0, 2])],
  ["SIGIO with a descriptor", siginfo(29, 1, [0x41, 0, 5])],
  ["a fault", siginfo(11, 1, [0xdeadb000, 0x7fff])],
  ["a child that ended", siginfo(17, 1, [4712, 1000, 3, 0, 12, 0, 1])],
];

for (const [name, raw] of WHOLE)
  test(`${name} comes back as it was`, () => {
    const { bytes, isWhole } = toCkptSiginfo(raw);
    assert.is(bytes.length, CKPT_SIGINFO_BYTES);
    assert.ok(isWhole);
    assert.is(fromCkptSiginfo(bytes).toString("hex"), raw.toString("hex"));
  });

test("fields stand where ckpt_siginfo has them", () => {
  const { bytes } = toCkptSiginfo(siginfo(17, 1, [4712, 1000, 3, 0, 12, 0, 1]));
  assert.is(bytes.readUInt32LE(0), 17);
  assert.is(bytes.readInt32LE(8), 1);
  assert.is(bytes.readUInt32LE(12), 4712);
  assert.is(bytes.readInt32LE(40), 3);
  assert.is(bytes.readBigUInt64LE(56), 12n);
});

test("a number alone, without the pointer, is enough", () => {
  const { bytes } = toCkptSiginfo(siginfo(34, -1, [1, 2, 77]));
  bytes.writeBigUInt64LE(0n, 48);
  assert.is(fromCkptSiginfo(bytes).readInt32LE(24), 77);
});

test("what has no field is told", () => {
  assert.not.ok(toCkptSiginfo(siginfo(31, 1, [0x401000, 0, 59, 0xc000003e])).isWhole);
  assert.not.ok(toCkptSiginfo(siginfo(10, 0, [1, 2, 0, 0, 0, 0, 9])).isWhole);
});

test.run();
