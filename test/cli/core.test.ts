import fs from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { CoreFile } from "../helpers/core-file.js";
import { fixture, streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const test = suite("crimg core", undefined, 60);
test.after(cleanUp);

test("a private file with holes from a set, a stream and an archive; the same on stdout", async () => {
  const to = freshDirectory("core");
  const images = [fixture("logger"), streamFixture("logger"), fixture("../archives/ticker.tar.zst")];
  for (const [i, image] of images.entries()) {
    const file = join(to, `${i}`);
    const { code, stdout, stderr } = await crimg(["core", image, "-o", file]);
    assert.equal([code, stderr], [0, ""]);
    assert.match(stdout, /: core of \[\d+\] \w+, x86_64, 1 thread, \d+ segments, /);
    const { size, blocks, mode } = fs.statSync(file);
    assert.is(mode & 0o777, 0o600);
    assert.ok(blocks * 512 < size, "zeros are no holes");
    assert.ok(new CoreFile(fs.readFileSync(file)).segments.length > 5);
    const piped = await crimg(["core", image, "-o", "-"]);
    assert.ok(piped.bytes.equals(fs.readFileSync(file)));
  }
});

test("JSON, and for volatility", async () => {
  const output = join(freshDirectory("core"), "core");
  const { json, code } = await crimgJson(["core", fixture("threads"), "--for", "volatility", "-o", output]);
  assert.is(code, 0);
  const { core } = json as { readonly core: { readonly size: number; readonly empty: number } };
  assert.equal(json, {
    core: { ...core, pid: 1000, comm: "threads", architecture: "x86_64", threads: 4, empty: 0 },
    ...{ lazy: 0, missing: 0, output, schema: "crimg/1", command: "core" },
  });
  assert.is(core.size, fs.statSync(output).size);
});

test("no such task is 1; contradictions are 2, and nothing is written", async () => {
  const to = join(freshDirectory("none"), "file");
  const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
    [1, /no task with pid 5/, ["logger", "-p", "5", "-o", to]],
    [2, /choose one with -p/, ["tree", "-o", to]],
    [2, /missing -o FILE/, ["logger"]],
    [2, /both write to stdout/, ["logger", "--json", "-o", "-"]],
    [2, /--for=lldb/, ["logger", "--for", "lldb", "-o", to]],
  ];
  for (const [code, message, [name = "", ...args]] of cases) {
    const run = await crimg(["core", fixture(name), ...args]);
    assert.is(run.code, code, args.join(" "));
    assert.match(run.stderr + run.stdout, message);
  }
  assert.not.ok(fs.existsSync(to));
});

test.run();
