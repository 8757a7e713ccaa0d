import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../../helpers/suite.js";
import { GROUPS, jobsOf, ROOT } from "../../runner/jobs.js";

const test = suite("jobs of the test run");

const ALL = (readdirSync(join(ROOT, "test"), { recursive: true }) as string[])
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join(ROOT, "test", name))
  .sort();

test("every test file is in exactly one job of a group", () => {
  const files = GROUPS.flatMap((group) => jobsOf(group).flatMap((job) => job.files));
  assert.equal([...files].sort(), ALL);
});

test("many quick files share a process, any other file has its own", () => {
  assert.is(jobsOf("unit").length, 1);
  assert.equal(
    jobsOf("unit/runner").map(({ name }) => name),
    ["unit/runner"],
  );
  for (const { name, files } of jobsOf("cli")) {
    assert.is(files.length, 1);
    assert.is(join(ROOT, name), files[0]);
  }
});

test("a file is a job, by its path", () => {
  const [job, ...others] = jobsOf("test/unit/runner/jobs.test.ts");
  assert.equal(others, []);
  assert.equal(job?.files, [join(ROOT, "test/unit/runner/jobs.test.ts")]);
});

test("what does not exist is no job", () => {
  assert.equal(jobsOf("nothing"), []);
  assert.equal(jobsOf("unit/nothing"), []);
});

test("end-to-end files wait, what measures time is alone, the others keep a core busy", () => {
  const kinds = new Map(GROUPS.flatMap(jobsOf).map(({ name, runs }) => [name, runs]));
  assert.is(kinds.get("unit"), "cpu");
  assert.is(kinds.get("test/hostile/sets.test.ts"), "cpu");
  assert.is(kinds.get("test/e2e/rights.test.ts"), "waits");
  assert.is(kinds.get("test/package/start-up.test.ts"), "alone");
  assert.is(kinds.get("test/e2e/slim-leases.test.ts"), "alone");
  for (const [name, runs] of kinds) if (name.startsWith("test/e2e/")) assert.is.not(runs, "cpu", name);
});

test.run();
