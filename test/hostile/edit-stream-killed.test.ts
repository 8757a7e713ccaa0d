import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { recoverImage } from "../../src/recover.js";
import { atEachStep } from "../helpers/at-step.js";
import { assertBytes } from "../helpers/bytes.js";
import { crimg } from "../helpers/cli.js";
import { streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

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
  await atEachStep(args, {
    prepare: () => {
      for (const name of fs.readdirSync(directory))
        fs.rmSync(path.join(directory, name), { recursive: true });
      fs.writeFileSync(file, original);
    },
    check: async ({ signal, code }, step) => {
      if (signal === null) assert.is(code, 0);
      else assert.is(signal, "SIGKILL");
      const isMixed = fs.existsSync(path.join(directory, ".app.ckpt.crimg-edit/commit"));
      if (isMixed) assert.match((await crimg(["log", file])).stderr, /crimg recover/);
      recoverImage(file);
      const isNew = fs.readFileSync(file).equals(edited);
      if (!isNew) assertBytes(fs.readFileSync(file), original);
      const names = isNew ? ["app.ckpt", "app.ckpt.crimg-log"] : ["app.ckpt"];
      assert.equal(fs.readdirSync(directory).sort(), names, `step ${step}`);
      isNew ? seen.new++ : seen.old++;
      if (!isNew || seen.new > 1) return;
      assert.is((await crimg(["undo", file])).code, 0);
      assertBytes(fs.readFileSync(file), original);
    },
  });
  assert.ok(seen.old > 5 && seen.new > 3, JSON.stringify(seen));
});

test.run();
