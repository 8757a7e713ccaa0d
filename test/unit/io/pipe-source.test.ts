import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { PipeSource } from "../../../src/io/pipe-source.js";
import { suite } from "../../helpers/suite.js";

const test = suite("io: pipe source");

/** A descriptor at the start of these bytes; a file read through it goes forward as a pipe does. */
function descriptor(bytes: Buffer): number {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "crimg-pipe-")), "bytes");
  fs.writeFileSync(file, bytes);
  const fd = fs.openSync(file, "r");
  fs.rmSync(path.dirname(file), { recursive: true });
  return fd;
}

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

test("what was reached stays readable, what was passed by does not", () => {
  const fd = descriptor(BYTES);
  const source = new PipeSource(fd, "test");
  assert.is(source.reach(100), 100);
  assert.is(source.pass(100, 200_000), 200_000);
  assert.equal(source.read(0, 100), BYTES.subarray(0, 100));
  assert.equal(source.read(200_000, 90_000), BYTES.subarray(200_000, 290_000));
  assert.equal(source.read(50, 50), BYTES.subarray(50, 100));
  assert.throws(() => source.read(99, 2), /memory of a piped image is not kept/);
  assert.throws(() => source.read(150_000, 1), /not kept/);
  assert.is(source.reach(1_000_000), 300_000);
  assert.is(source.size, 300_000);
  assert.throws(() => source.read(299_999, 2), /truncated: found 1 bytes \(expected 2\)/);
  fs.closeSync(fd);
});

test("a range that is passed by inside of one chunk leaves its neighbours", () => {
  const fd = descriptor(BYTES);
  const source = new PipeSource(fd, "test");
  source.reach(60_000);
  source.pass(1000, 2000);
  source.pass(3000, 3500);
  assert.equal(source.read(0, 1000), BYTES.subarray(0, 1000));
  assert.equal(source.read(2000, 1000), BYTES.subarray(2000, 3000));
  assert.equal(source.read(3500, 60_000), BYTES.subarray(3500, 63_500));
  assert.throws(() => source.read(2999, 2), /not kept/);
  fs.closeSync(fd);
});

test("a real pipe is read to its end, and memory that is passed by is not kept", () => {
  const script = `
    import { PipeSource } from "${new URL("../../../src/io/pipe-source.ts", import.meta.url).href}";
    const source = new PipeSource(0, "stdin");
    let at = 0;
    for (; source.reach(at + 16) === at + 16; at = source.pass(at + 16, at + 1048576));
    process.stdout.write(JSON.stringify([source.size, process.resourceUsage().maxRSS, source.read(0, 1).length]));`;
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "crimg-pipe-")), "run.ts");
  fs.writeFileSync(file, script);
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const command = `head -c 536870912 /dev/zero | '${process.execPath}' --import tsx '${file}'`;
  const { stdout, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8", cwd: root });
  fs.rmSync(path.dirname(file), { recursive: true });
  assert.is(stderr, "");
  const [size, kib, got] = JSON.parse(stdout);
  assert.is(size, 536870912);
  assert.is(got, 1);
  assert.ok(kib < 200 * 1024, `${kib} KiB`);
});

test.run();
