import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { suite } from "../helpers/suite.js";

const FILE = fileURLToPath(new URL("../../fixtures/linux-cr/minimal.ckpt", import.meta.url));
const BYTES = readFileSync(FILE);
const test = suite("cli: linux-cr streams");

test("show, from a file and from a pipe", async () => {
  const [file, pipe] = await Promise.all([
    crimg(["show", FILE, "maps", "--json"]),
    crimg(["show", "-", "maps", "--json"], { input: BYTES }),
  ]);
  assert.equal([file.code, file.stderr, pipe.code, pipe.stderr], [0, "", 0, ""]);
  assert.equal(JSON.parse(pipe.stdout), JSON.parse(file.stdout));
  assert.is(JSON.parse(file.stdout).tasks[0].mappings.length, 4);
});

test("info of a cut stream says where it ends and fails", async () => {
  const { code, stdout, stderr } = await crimg(["info", "-"], { input: BYTES.subarray(0, 5000) });
  assert.is(code, 2);
  assert.match(stdout, /^end {5}truncated at 3093, followed by 1907 bytes$/m);
  assert.match(stderr, /warning: stdin: truncated: .*\(in \[53\], at offset 0xc15\)/);
});

test("dump and find", async () => {
  const [dump, found, none] = await Promise.all([
    crimg(["dump", FILE, "--json"]),
    crimg(["find", "-", "minimal.log"], { input: BYTES }),
    crimg(["find", FILE, "no such text"]),
  ]);
  const { size, ranges } = JSON.parse(dump.stdout) as { size: number; ranges: { size: number }[] };
  assert.is(
    ranges.reduce((sum, range) => sum + range.size, 0),
    size,
  );
  assert.equal([found.code, found.stdout], [0, 'stdin[41].FILE_NAME = "/tmp/minimal.log"\n']);
  assert.equal([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /^note: memory, .* were not searched: crimg grep/);
});

test("decode and encode, there and back through files and pipes", async () => {
  const { code, stdout, stderr } = await crimg(["decode", "-"], { input: BYTES });
  assert.equal([code, stderr], [0, ""]);
  assert.is(JSON.parse(stdout).format, "linux-cr/1");
  const made = await crimg(["encode"], { input: stdout });
  assert.equal([made.code, made.stderr], [0, ""]);
  assert.ok(made.bytes.equals(BYTES));
  const left = await crimg(["decode", "--leave-pages", FILE]);
  const copied = await crimg(["encode", "--pages-from", FILE], { input: left.stdout });
  assert.ok(copied.bytes.equals(BYTES));
  const without = await crimg(["encode"], { input: left.stdout });
  assert.equal([without.code, without.stdout], [2, ""]);
  assert.match(without.stderr, /^error: [^\n]*use --pages-from IMAGE\n$/);
});

test("decode of a cut stream writes all there is, and fails", async () => {
  const cut = BYTES.subarray(0, 5000);
  const { code, stdout, stderr } = await crimg(["decode", "-"], { input: cut });
  assert.is(code, 2);
  assert.match(stderr, /^warning: stdin: truncated: .*\(in \[53\], at offset 0xc15\)\n$/);
  const made = await crimg(["encode"], { input: stdout });
  assert.ok(made.bytes.equals(cut));
});

test.run();
