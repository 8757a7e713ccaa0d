import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { cleanUp, freshDirectory } from "../../helpers/live.js";
import { needsRoot } from "../../helpers/needs.js";
import { type Report, suite } from "../../helpers/suite.js";
import { ROOT } from "../../runner/jobs.js";

const test = suite("what a test needs");
test.after(cleanUp);

const PACKAGES = `# word file package
here     /bin/sh                dash
nowhere  /usr/bin/no-such-thing  nothing
`;

/** Runs tests in a process whose table of foreign programs is the one above. */
function ran(tests: string, suiteName = "needy"): Report & { readonly printed: string } {
  const home = freshDirectory("needs");
  cpSync(join(ROOT, "test/helpers"), join(home, "test/helpers"), { recursive: true });
  mkdirSync(join(home, "test/support"));
  writeFileSync(join(home, "package.json"), '{ "type": "module" }');
  writeFileSync(join(home, "test/support/packages.txt"), PACKAGES);
  symlinkSync(join(ROOT, "node_modules"), join(home, "node_modules"));
  const file = join(home, "test/needy.test.ts");
  writeFileSync(
    file,
    `import { needs, needsFile, needsRoot } from "./helpers/needs.js";
    import { suite } from "./helpers/suite.js";
    const test = suite("${suiteName}");
    ${tests}
    test.run();`,
  );
  // A test may become another user before it reports.
  chmodSync(home, 0o777);
  const report = join(home, "report.json");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", join(home, "test/helpers/run-files.ts"), file],
    { cwd: ROOT, encoding: "utf8", env: { ...process.env, CRIMG_TEST_REPORT: report } },
  );
  const printed = stdout + stderr;
  try {
    return { ...(JSON.parse(readFileSync(report, "utf8")) as Report), printed };
  } catch (error) {
    throw new Error(printed, { cause: error });
  }
}

test("a test whose foreign program is missing is skipped, and says the file and the package", () => {
  const { passed, failed, skipped, printed } = ran(`
    test("has it", () => needs("here"));
    test("has not all", () => { needs("here", "nowhere"); throw new Error("went on"); });
    test("has not the file", () => { needsFile("/usr/bin/no-such-thing"); throw new Error("went on"); });
    test("has the file", () => needsFile("/bin/sh"));
    test("its own matter", () => needsFile("/usr/bin/not-in-the-table"));`);
  assert.equal(failed, [], printed);
  assert.is(passed, 3);
  const reason = "nowhere is missing (no /usr/bin/no-such-thing): it is in the package nothing";
  assert.equal(skipped, [
    { test: "needy: has not all", reason, want: "nowhere" },
    { test: "needy: has not the file", reason, want: "nowhere" },
  ]);
});

test("a suite whose hook lacks something is skipped as a whole", () => {
  const { passed, failed, skipped } = ran(`
    test.before(() => needs("nowhere"));
    test("one", () => { throw new Error("ran"); });
    test("two", () => { throw new Error("ran"); });`);
  assert.equal([passed, failed], [0, []]);
  assert.equal(
    skipped.map(({ test, want }) => [test, want]),
    [
      ["needy: one", "nowhere"],
      ["needy: two", "nowhere"],
    ],
  );
});

test("a program that the table lacks is a mistake of the test, not a skip", () => {
  const { failed, skipped, printed } = ran(`test("misspelt", () => needs("heer"));`);
  assert.equal([failed, skipped], [["needy: misspelt"], []]);
  assert.match(printed, /packages\.txt has no heer/);
});

test("what needs root is skipped for another user, and runs as root", () => {
  const asRoot = process.getuid?.() === 0;
  const { passed, skipped, printed } = ran(`
    test("as whoever runs it", () => needsRoot("a mount"));
    test("as nobody", () => {
      if (process.getuid() === 0) process.setuid(65534);
      needsRoot("a mount");
      throw new Error("went on");
    });`);
  assert.is(passed, asRoot ? 1 : 0, printed);
  assert.equal(skipped.at(-1), { test: "needy: as nobody", reason: "a mount needs root", want: "root" });
});

test("the helper that every test of another user starts with says so itself", () => {
  if (process.getuid?.() === 0) needsRoot("nothing");
  else assert.throws(() => needsRoot("nothing"), /nothing needs root/);
});

test.run();
