import * as assert from "uvu/assert";
import { formatAddress, parseAddress } from "../../../src/schema/ip-address.js";
import { suite } from "../../helpers/suite.js";

const test = suite("schema: IP addresses");

/** Words, the address as it is written, other spellings of it. */
const CASES: [number[], string, string[]][] = [
  [[0x0100007f], "127.0.0.1", []],
  [[0xffffffff], "255.255.255.255", []],
  [[0], "0.0.0.0", []],
  [[0, 0, 0, 0], "::", ["0:0:0:0:0:0:0:0", "0::0"]],
  [[0, 0, 0, 0x01000000], "::1", ["0:0:0:0:0:0:0:1", "::0001"]],
  [[0x80fe, 0, 0xff00a8c0, 0x0200feff], "fe80::c0a8:ff:fffe:2", []],
  [[0, 0, 0xffff0000, 0x0100007f], "::ffff:127.0.0.1", ["::FFFF:7f00:1", "0:0:0:0:0:ffff:127.0.0.1"]],
  [[0xb80d0120, 0x01000000, 0x01000000, 0x01000000], "2001:db8:0:1:0:1:0:1", ["2001:0db8:0000:0001::1:0:1"]],
  [[0x00000100, 0x01000000, 0, 0x01000000], "1:0:0:1::1", ["1::1:0:0:0:1"]],
  [[0x000080fe, 0, 0xff005600, 0x04030201], "fe80::56:ff:102:304", []],
  [[0x02000100, 0x04000300, 0x06000500, 0x08000700], "1:2:3:4:5:6:7:8", []],
];

for (const [words, text, others] of CASES)
  test(text, () => {
    assert.is(formatAddress(words), text);
    for (const spelling of [text, ...others]) assert.equal(parseAddress(spelling), words, spelling);
  });

test("no word at all is shown as no address in use", () => {
  assert.is(formatAddress([]), "0.0.0.0");
});

test("other text is no address", () => {
  for (const text of ["", "1", "1.2.3", "1.2.3.256", "::1%lo", "1:2", ":::", "localhost", "1.2.3.4/8"])
    assert.is(parseAddress(text), undefined, text);
});

test.run();
