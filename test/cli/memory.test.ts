import fs from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { fixture, streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const test = suite("crimg memory", undefined, 60);
test.after(cleanUp);

interface Answer {
  readonly tasks: readonly {
    readonly pid: number;
    readonly mappings: readonly { readonly name: string }[];
  }[];
  readonly memory: { readonly bytes: string; readonly start: string };
}

test("a mapping is written whole, private, with holes, the same from a set and from the stream of it", async () => {
  const to = freshDirectory("memory");
  const made = [fixture("logger"), streamFixture("logger")].map((image, i) => ({
    image,
    file: join(to, `${i}`),
  }));
  for (const { image, file } of made) {
    const { code, stdout, stderr } = await crimg(["memory", image, "--map", "[stack]", "-o", file]);
    assert.equal([code, stdout, stderr], [0, "", ""]);
  }
  const [set, stream] = made.map(({ file }) => fs.readFileSync(file)) as [Buffer, Buffer];
  assert.ok(set.includes("HOME=/\0") && set.equals(stream));
  const { size, blocks, mode } = fs.statSync(made[0]?.file as string);
  assert.is(mode & 0o777, 0o600);
  assert.is(size, 0x21000);
  assert.ok(blocks * 512 < size, "zeros are no holes");
  const piped = await crimg(["memory", fixture("logger"), "--map", "[stack]", "-o", "-"]);
  assert.ok(piped.bytes.equals(set));
});

test("a hexdump with and without an address, also as JSON; the stack of one of several tasks", async () => {
  const { code, stdout } = await crimg([
    "memory",
    fixture("tree"),
    "-p",
    "1003",
    "--map",
    "[stack]",
    "--hexdump",
  ]);
  assert.is(code, 0);
  assert.match(stdout, /^7ff[0-9a-f]+ {2}00 00.*\n\*\n/);
  const { json } = await crimgJson(["memory", fixture("logger"), "--hexdump", "0x7fff39c7cfb8,4"]);
  assert.is(Buffer.from((json as Answer).memory.bytes, "base64").toString(), "PATH");
});

test("no such mapping is 1; contradictions and memory that is not there are 2; nothing is left", async () => {
  const to = join(freshDirectory("none"), "file");
  const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
    [1, /no mapping "\[heep\]"/, ["--map", "[heep]", "-o", to]],
    [2, /0x7f7df55db000-0x7f7df55e1000 of task 1000 is not in the image/, ["--map", "[vvar]", "-o", to]],
    [2, /missing -o FILE/, ["--map", "[heap]"]],
    [2, /missing address/, ["--hexdump"]],
    [2, /invalid --hexdump "0x1,2,3"/, ["--hexdump", "0x1,2,3"]],
  ];
  for (const [code, message, args] of cases) {
    const run = await crimg(["memory", fixture("logger"), ...args]);
    assert.is(run.code, code, args.join(" "));
    assert.match(run.stderr, message);
  }
  assert.not.ok(fs.existsSync(to));
});

test.run();
