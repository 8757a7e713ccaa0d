import * as assert from "uvu/assert";
import { styleFor } from "../../../src/cli/style.js";
import { verdictLines } from "../../../src/cli/verdict-lines.js";
import type { Finding, Verdict } from "../../../src/index.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/cli/verdict-lines");

function shown(findings: readonly Finding[]): string[] {
  const verdict: Verdict = {
    valid: false,
    findings,
    more: new Map(),
    counts: { error: findings.length, warning: 0, note: 0 },
    checked: { rules: 1, images: 1, records: 1, tasks: 1, files: 1, locks: 0 },
  } as Verdict;
  const options = { style: styleFor(1, "never"), image: "IMG", rules: [], options: [], all: false };
  return [...verdictLines(verdict, options)].map(String);
}

const finding = (fd: number, fix: string): Finding =>
  ({
    ...{ id: "FILE_SIZE", severity: "error", what: "a log has grown", fix, count: 1 },
    ...{ at: { path: "/log", fd, pid: 1 }, expected: "1 byte", found: "2 bytes" },
  }) as Finding;

test("a fix for several findings in a row is printed once, behind the first", () => {
  const lines = shown([finding(3, "edit A"), finding(4, "edit A"), finding(5, "edit B")]);
  assert.equal(lines, [
    "error FILE_SIZE: a log has grown",
    "  /log (fd 3 of task 1): expected 1 byte, found 2 bytes",
    "    edit A",
    "  /log (fd 4 of task 1): expected 1 byte, found 2 bytes",
    "  /log (fd 5 of task 1): expected 1 byte, found 2 bytes",
    "    edit B",
    "invalid: IMG: 3 errors",
  ]);
});

test.run();
