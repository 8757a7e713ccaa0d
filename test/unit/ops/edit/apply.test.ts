import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { applyPlan } from "../../../../src/ops/edit/apply.js";
import { temporarySet } from "../../../../src/ops/edit/criu/set-files.js";
import { EDIT_LOG, readLog } from "../../../../src/ops/edit/log.js";
import { planEdits } from "../../../../src/ops/edit/plan-edits.js";
import { assertBytes } from "../../../helpers/bytes.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { openSet } from "../../../helpers/open-set.js";
import { suite } from "../../../helpers/suite.js";
import { edits, fixture } from "./planned.js";

const test = suite("src/ops/edit/apply");
test.after(cleanUp);

const REMAP = edits("remap-path /var/lib/crimg-demo=/srv/demo");

function copyOf(set: string): string {
  const directory = path.join(freshDirectory("apply"), set);
  fs.cpSync(fixture(set), directory, { recursive: true });
  return directory;
}

test("a temporary set has the edits, lies beside the original, and goes without a trace", () => {
  const set = copyOf("logger");
  const document = openSet(set);
  const temporary = temporarySet(document, planEdits(document, REMAP));
  assert.is(path.dirname(temporary.directory), path.dirname(set));
  const names = openSet(temporary.directory).checkpoint.files.all.map(({ path: name }) => name);
  assert.ok(names.includes("/srv/demo/logger/log/messages"));
  assert.not.ok(fs.existsSync(path.join(temporary.directory, EDIT_LOG)));
  temporary.remove();
  assert.equal(fs.readdirSync(path.dirname(set)), ["logger"]);
  for (const name of fs.readdirSync(set))
    assertBytes(
      fs.readFileSync(path.join(set, name)),
      fs.readFileSync(path.join(fixture("logger"), name)),
      name,
    );
});

test("two temporary sets at once do not meet", () => {
  const document = openSet(copyOf("logger"));
  const plan = planEdits(document, REMAP);
  const [one, two] = [temporarySet(document, plan), temporarySet(document, plan)];
  assert.is.not(one.directory, two.directory);
  one.remove();
  assert.ok(fs.existsSync(path.join(two.directory, "inventory.img")));
  two.remove();
});

test("the log has version, time, the edits as typed, hashes and values", () => {
  const set = copyOf("logger");
  const document = openSet(set);
  const now = new Date("2026-01-02T03:04:05.678Z");
  applyPlan(document, planEdits(document, REMAP), { to: "in place" }, { version: "9.9.9", now });
  const [entry] = readLog(openSet(set).set.fileSet).entries;
  assert.is(entry?.crimg, "9.9.9");
  assert.is(entry?.time, "2026-01-02T03:04:05.678Z");
  assert.equal(entry?.edits, ["--remap-path /var/lib/crimg-demo=/srv/demo"]);
  assert.match(entry?.files[0]?.before ?? "", /^[0-9a-f]{64}$/);
  assert.is(entry?.changes[0]?.before, "/var/lib/crimg-demo/logger/bin/logger");
  assert.is(fs.statSync(path.join(set, EDIT_LOG)).mode & 0o777, 0o600, "a new log is private");
});

test("an edit of a set that changed since it was planned is refused", () => {
  const set = copyOf("logger");
  const document = openSet(set);
  const plan = planEdits(document, REMAP);
  const other = openSet(set);
  applyPlan(
    other,
    planEdits(other, edits("set files.img[3].reg.pos=1")),
    { to: "in place" },
    { version: "1" },
  );
  const before = fs.readFileSync(path.join(set, "files.img"));
  assert.throws(
    () => applyPlan(document, plan, { to: "in place" }, { version: "1" }),
    (error: unknown) => (error as { code: string }).code === "EDIT",
  );
  assertBytes(fs.readFileSync(path.join(set, "files.img")), before);
});

test("a set that is no directory cannot be written", () => {
  const document = openSet(fixture("logger"));
  const plan = planEdits(document, REMAP);
  const elsewhere = { ...document, set: { fileSet: { ...document.set.fileSet, open: () => undefined } } };
  assert.throws(() => temporarySet(elsewhere as never, plan), /only image sets in a directory/);
});

test.run();
