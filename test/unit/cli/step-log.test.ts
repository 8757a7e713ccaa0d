import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { StepLog } from "../../../src/cli/step-log.js";
import { OutputName } from "../../../src/index.js";
import { freshDirectory } from "../../helpers/live.js";
import { suite } from "../../helpers/suite.js";

const test = suite("log of steps");

test("a line a step, with the time since the start, safe for a terminal", () => {
  const file = join(freshDirectory("step-log"), "log");
  const told: string[] = [];
  const log = new StepLog(new OutputName(file), (line) => told.push(line));
  assert.not(existsSync(file), "made with the first step");
  log.step?.("open /tmp/\u001b[31mred");
  log.step?.("done");
  log.close();
  const lines = readFileSync(file, "utf8").split("\n");
  assert.match(lines[0] ?? "", /^ {3}0\.\d{6} {2}open \/tmp\/\\x1b\[31mred$/);
  assert.match(lines[1] ?? "", / {2}done$/);
  assert.equal(told, lines.slice(0, 2));
  assert.is(statSync(file).mode & 0o777, 0o600);
});

test("nobody listens: no line is made", () => {
  assert.is(new StepLog(undefined, undefined).step, undefined);
});

test("a file that cannot be made is told at the first step, its directory before", () => {
  assert.throws(
    () => new OutputName("/nowhere/at/all"),
    /\/nowhere\/at: cannot open the directory: no such file/,
  );
  const log = new StepLog(new OutputName("/proc/all"), undefined);
  assert.throws(() => log.step?.("begin"), /\/proc\/all: cannot write the log: no such file/);
  log.close();
});

test("a disk that fills up is told at the end, and stops nobody before", () => {
  const log = new StepLog(new OutputName("/dev/full"), undefined);
  log.step?.("one");
  log.step?.("two");
  assert.throws(() => log.close(), /\/dev\/full: cannot write the log: no space left/);
});

test.run();
