/** An edit in place that begins and ends while another command reads the set: no answer is of old and new files mixed. */
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { openDocument } from "../../src/index.js";
import { assertUnchanged } from "../../src/open.js";
import { atStep } from "../helpers/at-step.js";
import { CRIMG, crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { fixture } from "../unit/ops/edit/planned.js";

const test = suite("a set that is edited while it is read", {}, 600);
test.after(cleanUp);

/** Node reads the program before. */
const FIRST = 45;

/** Changes core-1000.img, files.img and fs-1000.img. */
const EDIT = ["--comm", "1000=renamed", "--remap-path", "/=/elsewhere"];

function freshSet(): { readonly set: string; readonly told: string } {
  const home = freshDirectory("reading");
  const set = path.join(home, "set");
  fs.cpSync(fixture("logger"), set, { recursive: true });
  return { set, told: path.join(home, "told") };
}

for (const args of [["show"], ["show", "fds"], ["validate"], ["find", "renamed"], ["convert", "--lossy"]])
  test(`${args.join(" ")}: the old answer, the new one, or a sentence`, async () => {
    const [command = "", ...rest] = args;
    let refused = 0;
    for (let step = FIRST, isDone = false; !isDone; step += 7) {
      const { set, told } = freshSet();
      const words = [command, set, ...rest, ...(command === "convert" ? ["-"] : [])];
      const read = (env?: Record<string, string>) => crimg(words, env && { env });
      const old = await read();
      const edit = [process.execPath, CRIMG, "edit", set, ...EDIT, "--in-place"];
      const env = { ...atStep(step, `run|${edit.join("|")}`, "readSync"), CRIMG_TEST_PLANTED: told };
      const { code, stdout, stderr } = await read(env);
      isDone = !fs.existsSync(told);
      if (isDone) break;
      assert.match(fs.readFileSync(told, "utf8"), /^0 /);
      const now = await read();
      const what = `before read ${step}: ${code} ${stderr}`;
      if (code === 2) {
        assert.match(stderr, /the image was changed while it was read; run the command again/, what);
        refused++;
        continue;
      }
      const isOfOneState = [old, now].some((each) => each.code === code && each.stdout === stdout);
      assert.ok(isOfOneState, `${what}\n${stdout.slice(0, 2000)}`);
    }
    assert.ok(refused > 0, "no edit came between two reads");
  });

test("what was read before an edit and what is read after it is no one image", async () => {
  const { set } = freshSet();
  const document = openDocument(set);
  try {
    assert.is(document.checkpoint.tasks[0]?.comm, "logger");
    assertUnchanged(document);
    const { code, stderr } = await crimg(["edit", set, ...EDIT, "--in-place"]);
    assert.is(code, 0, stderr);
    assert.throws(() => assertUnchanged(document), /changed while it was read; run the command again/);
  } finally {
    document.close();
  }
});

test("another file beside the images is no change of them", () => {
  const { set } = freshSet();
  const document = openDocument(set);
  try {
    assert.ok(document.checkpoint.tasks.length > 0);
    fs.writeFileSync(path.join(set, "notes.txt"), "mine");
    assertUnchanged(document);
  } finally {
    document.close();
  }
});

test.run();
