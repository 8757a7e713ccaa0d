import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { writeOutput } from "../../../src/cli/output-file.js";
import { isCrimgError, openDevice } from "../../../src/index.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/cli/output-file", { directory: "" });
const bytes = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), "crimg-output-"));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

test("writes a new file", ({ directory }) => {
  writeOutput(join(directory, "a"), bytes("one", "two"));
  assert.is(readFileSync(join(directory, "a"), "utf8"), "onetwo");
  assert.equal(readdirSync(directory), ["a"]);
});

test("a failure on the way leaves the old file and nothing else", ({ directory }) => {
  const file = join(directory, "a");
  writeFileSync(file, "old", { mode: 0o640 });
  const failing = function* () {
    yield Buffer.from("new");
    throw new Error("no more");
  };
  assert.throws(() => writeOutput(file, failing()), /no more/);
  assert.is(readFileSync(file, "utf8"), "old");
  assert.equal(readdirSync(directory), ["a"]);
});

test("a replaced file becomes private or stays tighter, and a link is not followed", ({ directory }) => {
  const [file, link] = [join(directory, "a"), join(directory, "link")];
  rmSync(file, { force: true });
  for (const [before, after] of [
    [0o640, 0o600],
    [0o400, 0o400],
  ] as const) {
    writeFileSync(file, "old");
    chmodSync(file, before);
    writeOutput(file, bytes("new"));
    assert.is(readFileSync(file, "utf8"), "new");
    assert.is(statSync(file).mode & 0o777, after);
  }
  symlinkSync("a", link);
  assert.throws(() => writeOutput(link, bytes("other")), /symbolic link \(not followed\)/);
  assert.is(readFileSync(file, "utf8"), "new");
});

test("a device is written to, not replaced", () => {
  writeOutput("/dev/null", bytes("x"));
  assert.ok(statSync("/dev/null").isCharacterDevice());
});

test("errors name the file", ({ directory }) => {
  for (const [to, why] of [
    [join(directory, "no", "a"), /no: cannot|no\/a: cannot write: no such file/],
    ["/dev/full", /\/dev\/full: cannot write: no space left/],
    [directory, /cannot write: is a directory/],
  ] as const) {
    try {
      writeOutput(to, bytes("x"));
    } catch (error) {
      assert.ok(isCrimgError(error));
      assert.match((error as Error).message, why);
      continue;
    }
    assert.unreachable(`${to} was written`);
  }
});

test("a FIFO of another user, and a file that replaced a device, are not written to", ({ directory }) => {
  const [fifo, file, link] = ["fifo", "file", "link"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(file, "old");
  symlinkSync("file", link);
  assert.throws(() => openDevice(file), /replaced by a regular file meanwhile/);
  assert.throws(() => openDevice(link), /ELOOP/);
  symlinkSync("/dev/null", join(directory, "null"));
  assert.throws(() => writeOutput(join(directory, "null"), bytes("new")), /symbolic link/);
  writeOutput("/dev/null", bytes("new"));
  if (process.getuid?.() !== 0) return;
  execFileSync("mkfifo", [fifo]);
  chownSync(fifo, 65534, 65534);
  assert.throws(() => writeOutput(fifo, bytes("new")), /a FIFO of user 65534, who would read/);
});

test.run();
