import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { assertBytes } from "../helpers/bytes.js";
import { crimg } from "../helpers/cli.js";
import { streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const KILL_AT = path.join(import.meta.dirname, "../helpers/kill-at.cjs");
const test = suite("an edit of a stream in place that is killed", {}, 300);
test.after(cleanUp);

test("killed before each step that changes a file: the stream and its log are both old or both new", async () => {
  const original = fs.readFileSync(streamFixture("locks"));
  const directory = freshDirectory("killed-stream");
  const file = path.join(directory, "app.ckpt");
  fs.writeFileSync(file, original);
  const args = ["edit", file, "--remap-path", "/var=/srv/elsewhere", "--in-place"];
  assert.is((await crimg(args)).code, 0);
  const edited = fs.readFileSync(file);
  const seen = { old: 0, new: 0 };
  for (let step = 1, ended = false; !ended; step++) {
    for (const name of fs.readdirSync(directory)) fs.rmSync(path.join(directory, name), { recursive: true });
    fs.writeFileSync(file, original);
    const env = { NODE_OPTIONS: `--require=${KILL_AT}`, CRIMG_TEST_KILL_AT: String(step) };
    const { signal, code } = await crimg(args, { env });
    ended = signal === null;
    assert.equal([signal, code], ended ? [null, 0] : ["SIGKILL", null]);
    const log = await crimg(["log", file]);
    if (log.code !== 0) assert.match(log.stderr, /crimg recover/);
    const recovery = await crimg(["recover", file]);
    assert.is(recovery.code, 0, recovery.stderr);
    const isNew = fs.readFileSync(file).equals(edited);
    if (!isNew) assertBytes(fs.readFileSync(file), original);
    assert.equal(
      fs.readdirSync(directory).sort(),
      isNew ? ["app.ckpt", "app.ckpt.crimg-log"] : ["app.ckpt"],
      `step ${step}`,
    );
    isNew ? seen.new++ : seen.old++;
    if (!isNew || seen.new > 1) continue;
    assert.is((await crimg(["undo", file])).code, 0);
    assertBytes(fs.readFileSync(file), original);
  }
  assert.ok(seen.old > 5 && seen.new > 3, JSON.stringify(seen));
});

test.run();
