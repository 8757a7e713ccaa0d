import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../helpers/suite.js";

const COMMAND_LINE = /^(commands|src\/cli)\//;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Right {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files that do it; all others must not. */
  readonly files: readonly string[];
  /** Where it is looked for. */
  readonly within?: RegExp;
}

/** What could bring text to a terminal; everybody else hands lines to `writeLines`, which escapes them. */
const RIGHTS: readonly Right[] = [
  {
    what: "writes to stdout or stderr by another way",
    pattern: /\bconsole\.|process\.std(out|err)\b|"\/dev\/std|[wW]rite(File)?Sync\([12],/,
    files: [],
  },
  {
    what: "prints by oclif",
    pattern: /\bthis\.(log|logJson|logToStderr|error)\(|\bux\b/,
    files: [],
    within: COMMAND_LINE,
  },
  {
    what: "writes to a descriptor",
    pattern: /\b(write|writeFile|writev|appendFile)Sync\(/,
    files: ["src/cli/output-file.ts", "src/cli/output.ts", "src/cli/step-log.ts"],
    within: COMMAND_LINE,
  },
  {
    what: "writes bytes to stdout",
    pattern: /\bwriteBinary\(/,
    files: ["commands/decode.ts", "src/cli/many/answers.ts", "src/cli/output-file.ts", "src/cli/output.ts"],
  },
  {
    what: "calls text safe",
    pattern: /\bassured\(/,
    files: ["src/cli/line.ts", "src/cli/style.ts", "src/cli/table.ts"],
  },
  { what: "makes a control sequence", pattern: /\\u001b|\\x1b|\\e\[/, files: ["src/cli/output.ts"] },
  { what: "writes JSON", pattern: /\bwriteJson\(/, files: ["src/cli/json.ts", "src/cli/output.ts"] },
];

/** Lines that only look like it. */
const EXCEPT: Readonly<Record<string, RegExp>> = {
  "src/cli/output.ts": /process\.stdout\.columns/,
  "src/cli/escape.ts": /`\\n` or `\\x1b`/,
  "src/ops/explain/wrapping.ts": /^const COLOURS = /,
  "bin/load.js": /crimg is not built/,
  "bin/run.js": /writeSync\(1, line\)/,
};

const files = ["bin", "commands", "src"].flatMap((top) =>
  (readdirSync(join(ROOT, top), { recursive: true }) as string[])
    .filter((name) => /\.m?[jt]s$/.test(name))
    .map((name) => join(top, name)),
);
const lines = files.flatMap((file) =>
  readFileSync(join(ROOT, file), "utf8")
    .split("\n")
    .map((line, at) => ({ file, line, at: at + 1 }))
    .filter(({ line }) => !EXCEPT[file]?.test(line)),
);
const told = ({ file, at, line }: (typeof lines)[number]): string => `${file}:${at} ${line.trim()}`;
const test = suite("the one way out");

for (const { what, pattern, files: allowed, within = /^/ } of RIGHTS)
  test(`${allowed.join(", ") || "nobody"} ${what}`, () => {
    const found = lines.filter(({ file, line }) => within.test(file) && pattern.test(line));
    const wrong = found.filter(({ file }) => !allowed.includes(file));
    assert.equal(wrong.map(told), []);
    assert.equal([...new Set(found.map(({ file }) => file))].sort(), allowed, "no longer all of them");
  });

test("a colour stands in a template that keeps it", () => {
  const coloured = lines.filter(({ line }) => /`[^`]*\$\{(\w+\.)?(style|taskHead|groupHead)\(/.test(line));
  assert.ok(coloured.length > 10);
  assert.equal(coloured.filter(({ line }) => !line.includes("styled`")).map(told), []);
});

test.run();
