import * as assert from "uvu/assert";
import { joined, rendered, styled } from "../../../src/cli/line.js";
import { styleFor } from "../../../src/cli/style.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/cli/line");
const style = styleFor(1, "always");
const EVIL = "\u001b]0;x\u0007\r\n\u009b31m\u202e";
const SHOWN = "\\x1b]0;x\\x07\\r\\n\\u{9b}31m\\u{202e}";

test("plain text is escaped when it is written", () => {
  assert.is(rendered(EVIL), SHOWN);
});

test("a style escapes the text and adds its own colour alone", () => {
  assert.is(rendered(style("path", EVIL)), `\u001b[34m${SHOWN}\u001b[39m`);
  assert.is(rendered(styleFor(1, "never")("path", EVIL)), SHOWN);
});

test("a template keeps colours and escapes the rest", () => {
  assert.is(rendered(styled`[${7}] ${style("name", "a")} ${EVIL}`), `[7] \u001b[1ma\u001b[22m ${SHOWN}`);
  assert.is(rendered(joined([style("name", "a"), EVIL], ", ")), `\u001b[1ma\u001b[22m, ${SHOWN}`);
});

test("what lost its template is escaped, colours and all", () => {
  assert.is(rendered(`${style("name", "a")}`), "\\x1b[1ma\\x1b[22m");
});

test.run();
