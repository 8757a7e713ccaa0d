import * as assert from "uvu/assert";
import { escapeText } from "../../../src/cli/escape.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/cli/escape");

for (const [what, raw, shown] of [
  ["plain text", "/var/log/x y.log", "/var/log/x y.log"],
  ["letters of the world", "日本語 é \u{1f600}", "日本語 é \u{1f600}"],
  ["a backslash stays", "a\\x2db", "a\\x2db"],
  ["a terminal sequence", "\u001b[31mred", "\\x1b[31mred"],
  ["line ends and tabs", "a\nb\rc\td\0e", "a\\nb\\rc\\td\\0e"],
  ["DEL", "\u007f", "\\x7f"],
  ["C1 controls", "\u009b31m", "\\u{9b}31m"],
  ["bidi override", "abc\u202etxt.exe", "abc\\u{202e}txt.exe"],
  ["zero width and byte order mark", "a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"],
  ["line separator", "a\u2028b", "a\\u{2028}b"],
  ["bytes that are not UTF-8", "caf\udce9", "caf\\xe9"],
  ["another lone surrogate", "\ud800x", "\\u{d800}x"],
] as const) {
  test(what, () => assert.is(escapeText(raw), shown));
}

test("what comes out is safe whatever goes in", () => {
  const all = Array.from({ length: 0x11000 }, (_, code) => String.fromCodePoint(code)).join("x");
  const shown = escapeText(all);
  assert.ok(shown.isWellFormed());
  assert.not.match(shown, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});

test.run();
