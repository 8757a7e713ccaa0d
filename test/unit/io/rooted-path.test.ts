import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { resolveInRoot } from "../../../src/io/rooted-path.js";
import { cleanUp, freshDirectory } from "../../helpers/live.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/rooted-path");
test.after(cleanUp);

const root = freshDirectory("root");
fs.mkdirSync(path.join(root, "run/lock"), { recursive: true });
fs.writeFileSync(path.join(root, "run/lock/file"), "");
fs.mkdirSync(path.join(root, "var"));
fs.symlinkSync("/run", path.join(root, "var/run"));
fs.symlinkSync("../../../../../../etc", path.join(root, "var/out"));
fs.symlinkSync("loop", path.join(root, "loop"));

test("an absolute link leads to below the root", () => {
  assert.is(resolveInRoot(root, "/var/run/lock/file"), path.join(root, "run/lock/file"));
});

test("nothing leads out of the root", () => {
  assert.is(resolveInRoot(root, "/../../run"), path.join(root, "run"));
  assert.is(resolveInRoot(root, "/var/out/passwd"), undefined);
});

test("what is not there, or a loop, leads nowhere", () => {
  assert.is(resolveInRoot(root, "/var/none"), undefined);
  assert.is(resolveInRoot(root, "/loop"), undefined);
});

test("the root itself is a path", () => {
  assert.is(resolveInRoot(root, "/"), root);
});

test.run();
