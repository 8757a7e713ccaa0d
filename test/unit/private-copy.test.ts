import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { openDocument } from "../../src/open.js";
import { isPrivate, privateCopy } from "../../src/private-copy.js";
import { streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { openSet } from "../helpers/open-set.js";
import { suite } from "../helpers/suite.js";
import { fixture } from "./ops/edit/planned.js";

const test = suite("private copies of images");
test.after(cleanUp);

function freshSet(): string {
  const set = path.join(freshDirectory("private"), "set");
  fs.cpSync(fixture("logger"), set, { recursive: true });
  return set;
}

test("a set: what is written into the original later is not in the copy, nor what links lead to", () => {
  const set = freshSet();
  const document = openSet(set);
  const pages = fs.readFileSync(path.join(set, "pages-1.img"));
  const copy = privateCopy(document);
  try {
    fs.writeFileSync(path.join(set, "pages-1.img"), "other");
    fs.rmSync(path.join(set, "pstree.img"));
    assert.is(copy.document.name, document.name);
    assert.is(copy.document.checkpoint.tasks[0]?.pid, 1000);
    assert.ok(copy.document.family === "criu");
    assert.ok(copy.document.set.fileSet.open("pages-1.img")?.read(0, pages.length).equals(pages));
  } finally {
    copy.remove();
    document.close();
  }
});

test("a file that became a link, or has gone, is told, and nothing is left", () => {
  for (const isLink of [false, true]) {
    const set = freshSet();
    const document = openSet(set);
    const file = path.join(set, "core-1000.img");
    fs.rmSync(file);
    if (isLink) fs.symlinkSync("/etc/shadow", file);
    assert.throws(() => privateCopy(document), /core-1000\.img/);
    document.close();
  }
});

test("a set with a parent is copied with it", () => {
  const set = freshSet();
  const parent = freshSet();
  fs.symlinkSync(parent, path.join(set, "parent"));
  const document = openSet(set);
  const copy = privateCopy(document);
  try {
    fs.rmSync(parent, { recursive: true });
    assert.ok(copy.document.family === "criu");
    assert.ok(copy.document.set.fileSet.parent()?.open("pages-1.img") !== undefined);
  } finally {
    copy.remove();
    document.close();
  }
});

test("a stream is kept in a file without a name, once", () => {
  const file = path.join(freshDirectory("private"), "app.ckpt");
  fs.copyFileSync(streamFixture("locks"), file);
  const document = openDocument(file);
  assert.not.ok(isPrivate(document));
  const size = fs.statSync(file).size;
  const copy = privateCopy(document);
  try {
    fs.writeFileSync(file, Buffer.alloc(size));
    assert.ok(isPrivate(copy.document));
    assert.ok(copy.document.checkpoint.tasks.length > 0);
  } finally {
    copy.remove();
    document.close();
  }
});

test.run();
