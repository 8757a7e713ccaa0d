import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import type { RegFileEntry } from "../../../../src/formats/criu/tables/regfile.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { openSet } from "../../../helpers/open-set.js";
import { suite } from "../../../helpers/suite.js";
import { edits, fixture, fixtureWith, planned } from "./planned.js";

const test = suite("src/ops/edit/kinds: accept-file and no-file-check");
test.after(cleanUp);

const HOME = "/var/lib/crimg-demo/logger";

/** A root directory in which the log has grown, the data shrunk and the program become another one. */
function changedRoot(): string {
  const root = freshDirectory("root");
  for (const [name, bytes, mode] of [
    ["log/messages", Buffer.alloc(500), 0o600],
    ["data/records", Buffer.alloc(10), 0o644],
    ["bin/logger", fs.readFileSync("/bin/ls"), 0o755],
  ] as const) {
    const file = path.join(root, HOME, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, bytes);
    fs.chmodSync(file, mode);
  }
  return root;
}

const regs = (after: ReturnType<typeof planned>["after"]) =>
  new Map(after.records(IMAGES.FILES).map(({ value }) => [value.reg?.name, value.reg]));

test("size and mode become those of the file under the root; other contents are warned of", () => {
  const { after, plan } = planned("logger", edits(`accept-file ${HOME}/{log,data}/*`), {
    root: changedRoot(),
  });
  const log = regs(after).get(`${HOME}/log/messages`);
  assert.is(log?.size, undefined, "criu checks no size of a log, so none is put in");
  assert.is(log?.mode, 0o100600);
  assert.is(regs(after).get(`${HOME}/data/records`)?.size, 10n);
  assert.match(plan.warnings.join(), /data\/records had \d+ bytes and has 10/);
});

test("the build id becomes that of the ELF file, and a mapped program that was replaced is warned of", () => {
  const root = changedRoot();
  const { after, plan } = planned("logger", edits(`accept-file ${HOME}/bin/*`), { root });
  const before = regs(openSet(fixture("logger")).set).get(`${HOME}/bin/logger`);
  const program = regs(after).get(`${HOME}/bin/logger`);
  assert.is(program?.size, BigInt(fs.statSync("/bin/ls").size));
  assert.is(program?.build_id.length, 5);
  assert.not.equal(program?.build_id, before?.build_id);
  assert.match(plan.warnings.join(), /is mapped and is another build now/);
});

test("a file without a build id takes it away", () => {
  const root = changedRoot();
  fs.writeFileSync(path.join(root, HOME, "bin/logger"), "#!/bin/sh\n");
  const { after } = planned("logger", edits(`accept-file ${HOME}/bin/*`), { root });
  assert.equal(regs(after).get(`${HOME}/bin/logger`)?.build_id, []);
});

test("patterns see the new names after a remap", () => {
  const root = freshDirectory("root");
  fs.mkdirSync(path.join(root, "srv/log"), { recursive: true });
  fs.writeFileSync(path.join(root, "srv/log/messages"), "x", { mode: 0o600 });
  const { after } = planned("logger", edits(`remap-path ${HOME}=/srv`, "accept-file /srv/log/*"), { root });
  assert.is(regs(after).get("/srv/log/messages")?.mode, 0o100600);
});

test("a missing file, or one of another type, is left and warned of", () => {
  const root = changedRoot();
  fs.rmSync(path.join(root, HOME, "data/records"));
  fs.mkdirSync(path.join(root, HOME, "data/records"));
  const { plan, changes } = planned("logger", edits(`accept-file ${HOME}/{data,etc}/*`), { root });
  assert.equal(changes, []);
  assert.match(plan.warnings.join("\n"), /records is a file of another type/);
  assert.match(plan.warnings.join("\n"), /logger.conf is not there/);
  assert.is(plan.unmatched.length, 1);
});

test("no-file-check takes size, mode and build id away and nothing else", () => {
  const { after } = planned("logger", edits(`no-file-check ${HOME}/**`));
  const before = regs(openSet(fixture("logger")).set);
  let dropped = 0;
  for (const [name, reg] of regs(after)) {
    const { size: _size, mode: _mode, ...rest } = before.get(name) as RegFileEntry;
    const isMeant = name?.startsWith(`${HOME}/`) === true;
    assert.equal(reg, isMeant ? { ...rest, build_id: [] } : before.get(name));
    if (isMeant) dropped++;
  }
  assert.ok(dropped >= 4);
});

test("a file that is written at its end is told to be a log, not warned of", () => {
  const root = changedRoot();
  fs.writeFileSync(path.join(root, HOME, "data/records"), Buffer.alloc(2000));
  const given = edits(
    "set files.img[5].reg.pos=352",
    "set files.img[5].reg.size=352",
    "set files.img[5].reg.flags=0x8001",
  );
  const { plan } = planned("logger", [...given, ...edits(`accept-file ${HOME}/data/*`)], { root });
  assert.match(plan.notes.join(), /data\/records is a log/);
  assert.equal(plan.warnings, []);
});

test("a file that is as stored is a match without a change", () => {
  const set = fixtureWith("logger", new Map());
  const root = freshDirectory("root");
  const file = path.join(root, HOME, "etc/logger.conf");
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, Buffer.alloc(Number(regs(set.set).get(`${HOME}/etc/logger.conf`)?.size)));
  fs.chmodSync(file, 0o644);
  const { plan } = planned(set, edits(`accept-file ${HOME}/etc/*`), { root });
  assert.is(plan.changes.length, 0);
  assert.equal(plan.unmatched, []);
});

test.run();
