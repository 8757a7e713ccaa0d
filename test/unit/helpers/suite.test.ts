import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { assertBytes } from "../../helpers/bytes.js";
import { type Report, suite } from "../../helpers/suite.js";

const HELPERS = fileURLToPath(new URL("../../helpers/", import.meta.url));
const RUN_FILES = join(HELPERS, "run-files.ts");
const test = suite("test/helpers/suite", { directory: "" });

test.before((context) => {
  context.directory = mkdtempSync(join(tmpdir(), "crimg-suite-"));
  writeFileSync(join(context.directory, "package.json"), '{ "type": "module" }');
});
test.after((context) => rmSync(context.directory, { recursive: true }));

/** Runs a test file with this body as test/run.ts does, and gives what it reported. */
function outcome(directory: string, body: string): Report & { code: number | null; text: string } {
  const file = join(directory, "case.test.ts");
  const reportFile = join(directory, "report.json");
  writeFileSync(file, `import { skip, suite } from "${HELPERS}suite.js";\n${body}\n`);
  rmSync(reportFile, { force: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", RUN_FILES, file], {
    encoding: "utf8",
    env: { ...process.env, CRIMG_TEST_REPORT: reportFile },
  });
  return { ...(JSON.parse(readFileSync(reportFile, "utf8")) as Report), code: status, text: stdout + stderr };
}

test("counts passed, failed and skipped tests apart", ({ directory }) => {
  const body = `const t = suite("s"); t("a", () => {}); t("b", () => { throw new Error("no") });
    t("c", () => skip("needs criu", "criu")); t.run();`;
  const { passed, failed, skipped, code } = outcome(directory, body);
  assert.equal(
    { passed, failed, skipped, code },
    { passed: 1, failed: ["s: b"], skipped: [{ test: "s: c", reason: "needs criu", want: "criu" }], code: 1 },
  );
});

test("a skip in a before hook skips the suite", ({ directory }) => {
  const body = `const t = suite("s"); t.before(() => skip("no root")); t("a", () => {}); t("b", () => {}); t.run();`;
  const { passed, failed, skipped, code } = outcome(directory, body);
  assert.equal([passed, failed, skipped.length, code], [0, [], 2, 0]);
});

test("no hook of a single test runs in a suite that is skipped", ({ directory }) => {
  const body = `const t = suite("s"); t.before(() => skip("no root"));
    t.before.each(() => { throw new Error("no") }); t.after.each(() => { throw new Error("no") });
    t("a", () => {}); t.run();`;
  const { failed, skipped, code } = outcome(directory, body);
  assert.equal([failed, skipped.length, code], [[], 1, 0]);
});

for (const [what, body, sentence] of [
  ["a forgotten run()", `suite("s")("a", () => {});`, /\.run\(\) is missing|starts no suite/],
  ["a suite without tests", `suite("s").run();`, /has no tests/],
  ["a file without a suite", "", /starts no suite/],
  ["a file that throws", `throw new Error("broken file");`, /broken file/],
  [
    "a hook that throws",
    `const t = suite("s"); t.before(() => { throw new Error("bad hook") }); t("a", () => {}); t.run();`,
    /bad hook/,
  ],
  [
    "a test that never ends",
    `const t = suite("s", {}, 0.2); t("a", () => new Promise(() => {})); t.run();`,
    /still running after 0.2 s/,
  ],
] as const) {
  test(`${what} fails`, ({ directory }) => {
    const { passed, code, text } = outcome(directory, body);
    assert.is(passed, 0);
    assert.is(code, 1);
    assert.match(text, sentence);
  });
}

test("assertBytes names the offset and shows a short excerpt", () => {
  const long = Buffer.alloc(65536);
  const other = Buffer.from(long);
  other[4096] = 1;
  assertBytes(long, Buffer.alloc(65536));
  try {
    assertBytes(long, other);
  } catch (error) {
    assert.match((error as Error).message, /offset 0x1000/);
    assert.ok((error as Error).message.length < 400);
    return;
  }
  assert.unreachable("different bytes passed");
});

test.run();
