import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { findCriu } from "../../../../src/backends/criu/find.js";
import { needCriu } from "../../../helpers/criu.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("finding criu");
const { CRIMG_CRIU, PATH } = process.env;
test.after.each(() => {
  setEnvironment("CRIMG_CRIU", CRIMG_CRIU);
  setEnvironment("PATH", PATH);
});
test.after(cleanUp);

function setEnvironment(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

test("without one says how to name one", () => {
  delete process.env.CRIMG_CRIU;
  process.env.PATH = freshDirectory("no-criu");
  const probe = findCriu(undefined);
  assert.not(probe.able);
  assert.match(
    probe.able ? "" : probe.reason,
    /criu not found on PATH; install it, or name it with --criu PATH or CRIMG_CRIU/,
  );
});

test("the one that is named is the only candidate", () => {
  process.env.CRIMG_CRIU = "/nowhere/criu";
  const probe = findCriu(undefined);
  assert.is(!probe.able && probe.reason, "/nowhere/criu is not an executable program");
  const file = join(freshDirectory("not-executable"), "criu");
  writeFileSync(file, "");
  const named = findCriu(file);
  assert.is(!named.able && named.reason, `${file} is not an executable program`);
});

test("another program is not taken for criu", () => {
  const probe = findCriu("/bin/true");
  assert.is(!probe.able && probe.reason, "/bin/true does not run, or is not criu");
});

test("a working criu is found by CRIMG_CRIU, with its version", () => {
  const path = needCriu();
  process.env.CRIMG_CRIU = path;
  const probe = findCriu(undefined);
  assert.ok(probe.able, probe.able ? "" : probe.reason);
  assert.is(probe.path, path);
  assert.match(probe.version ?? "", /^\d+\.\d+/);
});

test.run();
