import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { createDirectory } from "../../../src/io/new-directory.js";
import { ownerToken } from "../../../src/io/owner.js";
import { cleanUp, freshDirectory } from "../../helpers/live.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/new-directory");
test.after(cleanUp);

test("the directory appears whole, private and no wider than its model", () => {
  const home = freshDirectory("new");
  const model = path.join(home, "model");
  fs.mkdirSync(model, { mode: 0o750 });
  const made = path.join(home, "made");
  const answer = createDirectory(made, model, (temporary) => {
    assert.not.ok(fs.existsSync(made));
    fs.writeFileSync(path.join(temporary, "file"), "text");
    return 7;
  });
  assert.is(answer, 7);
  assert.is(fs.readFileSync(path.join(made, "file"), "utf8"), "text");
  assert.is(fs.statSync(made).mode & 0o777, 0o700);
  assert.equal(fs.readdirSync(home).sort(), ["made", "model"]);
});

test("an empty directory is taken, one with files in it is refused and untouched", () => {
  const home = freshDirectory("new");
  const target = path.join(home, "target");
  fs.mkdirSync(target);
  createDirectory(target, home, (temporary) => fs.writeFileSync(path.join(temporary, "file"), ""));
  assert.throws(() => createDirectory(target, home, () => assert.unreachable()), /not empty/);
  assert.equal(fs.readdirSync(target), ["file"]);
});

test("a file of that name is refused", () => {
  const home = freshDirectory("new");
  fs.writeFileSync(path.join(home, "file"), "");
  assert.throws(() => createDirectory(path.join(home, "file"), home, () => {}), /not a directory/);
});

test("nothing is left when filling it fails", () => {
  const home = freshDirectory("new");
  const fail = () =>
    createDirectory(path.join(home, "made"), home, (temporary) => {
      fs.writeFileSync(path.join(temporary, "file"), "");
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    });
  assert.throws(fail, /no space left on the device/);
  assert.equal(fs.readdirSync(home), []);
});

test("what a killed run of the same name left is removed, that of a live one is not", () => {
  const home = freshDirectory("new");
  const token = ownerToken();
  const dead = token.replace(/^\d+-\d+/, `${2 ** 22 + 1}-1`);
  const elsewhere = dead.replace(/\d+$/, "1");
  const kept = [`.made.crimg-${token}-0`, `.made.crimg-${elsewhere}-0`, `.other.crimg-${dead}-0`];
  for (const name of [...kept, `.made.crimg-${dead}-0`]) fs.mkdirSync(path.join(home, name));
  const outside = path.join(freshDirectory("new"), "file");
  fs.writeFileSync(outside, "");
  fs.symlinkSync(path.dirname(outside), path.join(home, `.made.crimg-${dead}-0`, "link"));
  createDirectory(path.join(home, "made"), home, () => {});
  assert.equal(fs.readdirSync(home).sort(), [...kept, "made"].sort());
  assert.ok(fs.existsSync(outside), "links are removed, not followed");
});

test.run();
