import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { assertGolden } from "../helpers/golden.js";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const GOLDEN = join(ROOT, "test/golden/explain");

const test = suite("crimg explain");

test("a log and its set: cause, tasks and the commands that mend it", async () => {
  const { code, stdout, stderr } = await crimg(
    ["explain", "fixtures/logs/restore-file-size.txt", "fixtures/criu/logger"],
    { cwd: ROOT },
  );
  assert.is(stderr, "");
  assert.is(code, 0);
  assertGolden(stdout, join(GOLDEN, "restore-file-size.txt"));
});

test("a log from stdin, without a set", async () => {
  const input = readFileSync(join(ROOT, "fixtures/logs/dump-ghost-limit.txt"));
  const { code, stdout } = await crimg(["explain", "-"], { input });
  assert.is(code, 0);
  assertGolden(stdout, join(GOLDEN, "dump-ghost-limit.txt"));
});

test("the set may be named with -D", async () => {
  const { code, json } = await crimgJson(
    ["explain", "fixtures/logs/restore-cwd-missing.txt", "-D", "fixtures/criu/logger"],
    { cwd: ROOT },
  );
  assert.is(code, 0);
  const { failure, action, outcome } = json as {
    failure: { id: string; objects: object[] };
    action: string;
    outcome: string;
  };
  assert.equal([action, outcome, failure.id], ["restore", "failed", "FILE_MISSING"]);
  assert.equal(failure.objects, [
    { pid: 1000, comm: "logger", use: "cwd", file: "/var/lib/crimg-demo/logger/run" },
  ]);
});

test("an unknown failure shows criu's lines, safe for a terminal, and the answer is no", async () => {
  const input =
    "(00.1) Error (criu/x.c:1): what is \u001b[31mthis\u0007\u001b[0m\n(00.2) Error (criu/cr-restore.c:1): Restoring FAILED.\n";
  const { code, stdout } = await crimg(["explain", "-"], { input });
  assert.is(code, 1);
  assert.match(stdout, /unknown failure/);
  assert.match(stdout, /likely cause is the first error:\n {2}line 1: what is this\\x07/);
  assert.not.ok(stdout.includes("\u001b"));
});

test("a log that does not tell the outcome: words that say so, and the answer is no", async () => {
  const { code, stdout } = await crimg(["explain", "-"], { input: "" });
  assert.is(code, 1);
  assert.match(stdout, /cannot tell whether criu succeeded: the log has no error/);
});

test("what is no log is trouble", async () => {
  const { code, stderr } = await crimg(["explain", "package.json"], { cwd: ROOT });
  assert.is(code, 2);
  assert.match(stderr, /^error: package\.json: not a log of criu/);
});

test.run();
