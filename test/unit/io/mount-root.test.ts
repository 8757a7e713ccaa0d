import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { mountRoot } from "../../../src/io/mount-root.js";
import { cleanUp, freshDirectory } from "../../helpers/live.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/mount-root");
test.after(cleanUp);

test("the file system of a path begins where the device changes, also when the path is gone", () => {
  assert.is(mountRoot("/", "/proc/sys/kernel/ostype"), "/proc");
  assert.is(mountRoot("/", "/proc/no/such/thing"), "/proc");
  assert.is(mountRoot("/", "/proc"), "/");
  assert.is(mountRoot("/", "/"), "/");
});

test("what lies below a root on one file system begins at the root", () => {
  const root = freshDirectory("mount-root");
  fs.mkdirSync(path.join(root, "var/lib"), { recursive: true });
  assert.is(mountRoot(root, "/var/lib/gone/file"), "/");
  assert.is(mountRoot(root, "/../../../proc/version"), "/");
});

test.run();
