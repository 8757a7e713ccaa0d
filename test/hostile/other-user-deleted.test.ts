/** Root edits how deleted files of a stream come back, where another user owns the directory, or the stream itself. */
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { atStep, NAMING } from "../helpers/at-step.js";

import { streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { needsRoot } from "../helpers/needs.js";
import { snapshot } from "../helpers/snapshot.js";
import { give } from "../helpers/strangers-image.js";
import { suite } from "../helpers/suite.js";
import { warmCrimg } from "../helpers/warm.js";

const test = suite("deleted files and other users", {}, 600);
test.before(() => needsRoot("working on what another user owns"));
test.after(cleanUp);

const SMALL = "/var/lib/crimg-demo/deleted/small";

/** A stream of root's, a root of tasks that a stranger owns, and a directory of root's. */
function stage() {
  const top = freshDirectory("deleted");
  fs.chmodSync(top, 0o755);
  const [image, root, outside] = ["app.ckpt", "root", "outside"].map((name) => path.join(top, name)) as [
    string,
    string,
    string,
  ];
  fs.copyFileSync(streamFixture("deleted"), image);
  fs.mkdirSync(path.join(root, "tmp"), { recursive: true });
  fs.mkdirSync(outside, { mode: 0o700 });
  fs.mkdirSync(path.join(outside, "decoy"));
  give(root);
  return { image, root, outside, tmp: path.join(root, "tmp"), out: path.join(top, "edited.ckpt") };
}

const edit = (image: string, how: string, root: string, out: string): string[] => [
  ...["edit", image, "--deleted", `${SMALL}=${how}`, "--root", root, "-o", out],
];

test("the directory of a copy becomes a link to root's, before each step", async () => {
  let steps = 0;
  for (let isDone = false; !isDone; steps++) {
    const { image, root, outside, tmp, out } = stage();
    const before = snapshot(outside);
    const env = atStep(steps + 1, `swap=${tmp}=${path.join(outside, "decoy")}`, NAMING);
    const { code, stderr } = await warmCrimg(edit(image, "copy:/tmp/small", root, out), { env });
    isDone = !fs.existsSync(`${tmp}.aside`);
    assert.not.match(stderr, /internal error|^\s+at /m);
    assert.equal(snapshot(outside), before, `step ${steps + 1}: ${code} ${stderr}`);
    if (isDone) assert.is(code, 0, stderr);
  }
  assert.ok(steps > 1, `${steps} steps`);
});

test("a stranger's stream does not read what only root may read", async () => {
  const { image, root, tmp, out } = stage();
  const moved = `${image}.moved`;
  assert.is((await warmCrimg(edit(image, "copy:/tmp/small", root, moved))).code, 0);
  give(moved);
  fs.chmodSync(path.join(tmp, "small"), 0o600);
  const taken = await warmCrimg(edit(moved, "contents", root, out));
  assert.match(taken.stderr, /may not read it; if you trust the image, edit a copy of your own/);
  assert.is(fs.existsSync(out), false);
  fs.chmodSync(path.join(tmp, "small"), 0o644);
  assert.is(
    (await warmCrimg(edit(moved, "contents", root, out))).code,
    0,
    "what everyone may read is taken in",
  );
  fs.chmodSync(path.join(tmp, "small"), 0o600);
  fs.chownSync(moved, 0, 0);
  assert.is(
    (await warmCrimg(edit(moved, "contents", root, `${out}.2`))).code,
    0,
    "root's own stream is believed",
  );
});

test("a stranger's stream has no file of root's made", async () => {
  const { image, root, tmp, out } = stage();
  give(image);
  const { code, stderr } = await warmCrimg(edit(image, "copy:/tmp/small", root, out));
  assert.is(code, 2);
  assert.match(stderr, /a new file of uid 0, gid 0 is more than the owner of the image, user 65534/);
  assert.equal(fs.readdirSync(tmp), []);
  assert.is(fs.existsSync(out), false);
});

test.run();
