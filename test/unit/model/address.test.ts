import * as assert from "uvu/assert";
import { formatAddress } from "../../../src/model/criu/address.js";
import { suite } from "../../helpers/suite.js";

const test = suite("model: addresses");

const CASES: readonly (readonly [words: readonly number[], text: string])[] = [
  [[0x0100007f], "127.0.0.1"],
  [[0], "0.0.0.0"],
  [[], "0.0.0.0"],
  [[0xffffffff], "255.255.255.255"],
  [[0, 0, 0, 0], "::"],
  [[0, 0, 0, 0x01000000], "::1"],
  [[0, 0, 0xffff0000, 0x0100007f], "::ffff:127.0.0.1"],
  [[0xb80d0120, 0, 0, 0x01000000], "2001:db8::1"],
  [[0x000080fe, 0, 0xff005600, 0x04030201], "fe80::56:ff:102:304"],
  [[0x02000100, 0x04000300, 0x06000500, 0x08000700], "1:2:3:4:5:6:7:8"],
];

for (const [words, text] of CASES)
  test(`${JSON.stringify(words)} is ${text}`, () => {
    assert.is(formatAddress(words), text);
  });

test.run();
