/** While root writes beside a stranger's image, the stranger puts a link in the place of the directory. */
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { atStep, NAMING } from "../helpers/at-step.js";

import { cleanUp } from "../helpers/live.js";
import { needsRoot } from "../helpers/needs.js";
import { tickerTar } from "../helpers/packages.js";
import { snapshot } from "../helpers/snapshot.js";
import { FAMILIES, give, strangersImage } from "../helpers/strangers-image.js";
import { suite } from "../helpers/suite.js";
import { warmCrimg } from "../helpers/warm.js";

const test = suite("output in a directory of another user", {}, 600);
let decoded = "";
let archive: Buffer;
test.before(async () => {
  needsRoot("working on what another user changes meanwhile");
  archive = tickerTar();
  decoded = (await warmCrimg(["decode", FAMILIES.stream.original])).stdout;
});
test.after(cleanUp);

/** What stands before and behind the output. */
const COMMANDS: Record<string, (image: string, out: string) => string[]> = {
  "edit -o of a set": (image, out) => ["edit", image, ...FAMILIES.set.edit, "-o", out],
  "edit -o of a stream": (image, out) => ["edit", image, ...FAMILIES.stream.edit, "-o", out],
  "convert of a set": (image, out) => ["convert", image, out],
  "convert of a stream": (image, out) => ["convert", image, out, "--lossy"],
  "encode -o of a stream": (image, out) => ["encode", `${image}.json`, "-o", out],
  "example of a stream": (_, out) => ["example", out],
  "facts -o": (_, out) => ["facts", "-o", out],
  "convert --as podman": (image, out) => ["convert", `${image}.tar`, out, "--as", "podman"],
  "edit -o of an archive": (image, out) => ["edit", `${image}.tar`, "--comm", "1=renamed", "-o", out],
  "edit --in-place of an archive": (_, out) => ["edit", `${out}.tar`, "--comm", "1=renamed", "--in-place"],
  "decode -o of a stream": (image, out) => ["decode", image, "-o", out],
};

for (const [what, argsOf] of Object.entries(COMMANDS))
  test(`the directory for ${what} becomes a link to root's, before each step`, async () => {
    let steps = 0;
    for (let isDone = false; !isDone; steps++) {
      const at = strangersImage(what.endsWith("set") ? "set" : "stream", "a stranger's directory");
      const place = path.join(at.top, "output");
      fs.mkdirSync(place);
      give(place);
      fs.writeFileSync(`${at.image}.json`, decoded);
      if (what.includes("archive") || what.includes("--as"))
        for (const file of [`${at.image}.tar`, path.join(place, "app.ckpt.tar")])
          fs.writeFileSync(file, archive);
      const outside = snapshot(at.outside);
      const env = atStep(steps + 1, `swap=${place}=${path.join(at.outside, "decoy")}`, NAMING);
      const { code, stderr } = await warmCrimg(argsOf(at.image, path.join(place, "app.ckpt")), { env });
      isDone = !fs.existsSync(`${place}.aside`);
      const told = `step ${steps + 1}: ${code} ${stderr}`;
      assert.not.match(stderr, /internal error|^\s+at /m, told);
      assert.equal(snapshot(at.outside), outside, told);
      if (isDone) assert.is(code, 0, told);
      assert.ok(steps < 100, told);
    }
    assert.ok(steps > 1, `${steps} steps`);
    process.stdout.write(`${steps - 1} swaps `);
  });

test.run();
