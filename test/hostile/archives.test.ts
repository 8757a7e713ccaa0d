/** Damaged and hostile archives: a value or one sentence, in bounded memory, and nothing is left behind. */
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { isCrimgError } from "../../src/io/errors.js";
import { openDocument } from "../../src/open.js";
import { summaryView } from "../../src/ops/show/summary.js";
import { crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { measured } from "../helpers/measured.js";
import { containerTar, ociLayout, setEntries, tarOf, tickerTar } from "../helpers/packages.js";
import { suite } from "../helpers/suite.js";
import { member, tar } from "../helpers/tar.js";

const test = suite("hostile archives");
test.after(cleanUp);

const home = freshDirectory("hostile-archives");
const image = path.join(home, "archive");

/** Opens and reads an archive; gives the sentence that it ends in, if any. */
function attempt(bytes: Buffer): string | undefined {
  fs.writeFileSync(image, bytes);
  try {
    const document = openDocument(image);
    try {
      if (document.family === "criu") summaryView(document);
    } finally {
      document.close();
    }
    return undefined;
  } catch (error) {
    assert.ok(isCrimgError(error), `${(error as Error).stack}`);
    assert.not.match(error.message, /\n/);
    return error.message;
  }
}

test("an archive cut off at every block is truncated", () => {
  const archive = tickerTar();
  const end = archive.length - 20 * 512; // tar pads with more blocks of zeros than the one that is needed
  for (let size = 512; size <= end; size += 512) {
    const sentence = attempt(archive.subarray(0, size));
    if (sentence === undefined)
      assert.ok(
        archive.subarray(size - 512).every((byte) => byte === 0),
        `${size}`,
      );
    else assert.match(sentence, /truncated/);
  }
});

test("a compressed archive cut off anywhere is truncated", () => {
  const archive = gzipSync(containerTar("logger"));
  for (let size = 20; size < archive.length; size += 1013)
    assert.match(attempt(archive.subarray(0, size)) ?? "no error", /truncated/);
  const changed = Buffer.from(archive);
  changed[archive.length - 8] = (changed[archive.length - 8] as number) ^ 1; // the checksum
  assert.match(attempt(changed) ?? "no error", /invalid gzip data: incorrect data check/);
});

test("an archive with any byte of its headers changed", () => {
  const archive = containerTar("logger", { "config.dump": "{}" });
  for (let at = 0; at < 3000; at += 7) {
    const changed = Buffer.from(archive);
    changed[at] = (changed[at] as number) ^ 0xff;
    attempt(changed);
  }
});

test("an index that names itself, and blobs that are not there", () => {
  const layout = ociLayout(containerTar("logger"));
  const index = JSON.stringify({ manifests: [{ digest: `sha256:${"a".repeat(64)}`, mediaType: "index" }] });
  const own = { ...layout, "index.json": index, [`blobs/sha256/${"a".repeat(64)}`]: index };
  assert.match(attempt(tarOf(own)) ?? "", /OCI image without a checkpoint/);
  const bad = JSON.stringify({ manifests: [{ digest: "sha256:../../../etc/passwd" }] });
  assert.match(attempt(tarOf({ ...layout, "index.json": bad })) ?? "", /invalid digest/);
  assert.match(attempt(tarOf({ ...layout, "index.json": "[" })) ?? "", /not JSON/);
});

test("a pod whose archive is outside, missing, or the pod itself", () => {
  const pod = (archive: string) =>
    tarOf({ "checkpoint-manifest.json": JSON.stringify({ containers: [{ archive }] }) });
  for (const archive of ["../../etc/passwd", "/etc/passwd", "none.tar", ""])
    assert.match(attempt(pod(archive)) ?? "", /missing archive|without containers/);
  assert.match(attempt(pod("checkpoint-manifest.json")) ?? "", /without containers/);
  let nested = pod("x.tar");
  for (let depth = 0; depth < 12; depth++)
    nested = tarOf({
      "checkpoint-manifest.json": JSON.stringify({ containers: [{ archive: "x.tar" }] }),
      "x.tar": nested,
    });
  assert.match(attempt(nested) ?? "", /archives in one another/);
});

test("a link in the place of the images, and of one image", async () => {
  fs.writeFileSync(image, tar([{ name: "checkpoint", type: "2", link: "/etc" }, { name: "config.dump" }]));
  const { code, stderr } = await crimg(["show", image]);
  assert.is(code, 2);
  assert.match(stderr, /^error: .*tar archive without a checkpoint.*\n$/);
  const others = setEntries("logger", "checkpoint/").filter(({ name }) => !name.endsWith("files.img"));
  const link = { name: "checkpoint/files.img", type: "2", link: "/etc/passwd" };
  fs.writeFileSync(image, tar([...others, link]));
  const fds = await crimg(["show", image, "fds"]);
  assert.is(fds.code, 2);
  assert.match(fds.stderr, /files\.img: is a symbolic link \(not followed\); expected a regular file$/m);
});

test("two members of one name are told, and the last is read", async () => {
  const entries = setEntries("logger", "checkpoint/");
  fs.writeFileSync(image, tar([{ name: "checkpoint/pstree.img", content: "bad" }, ...entries]));
  const { code, stdout, stderr } = await crimg(["show", image, "tree"]);
  assert.is(code, 0);
  assert.match(stdout, /logger/);
  assert.match(
    stderr,
    /^warning: .* has two members checkpoint\/pstree\.img, at offsets 0x0 and 0x[0-9a-f]+; the last is read, as tar does\n$/,
  );
});

test("names with control characters are shown escaped", async () => {
  const path = "x\x1b[31m\u202e";
  fs.writeFileSync(image, tar([...setEntries("logger", `${path}/`), ...setEntries("locks", "b/")]));
  const { code, stderr } = await crimg(["show", image]);
  assert.is(code, 2);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may get out
  assert.not.match(stderr, /[\x00-\x09\x0b-\x1f\u202e]/);
});

test("gigabytes of zeros and a million members in little memory, and nothing in the temporary directory", async () => {
  const bomb = path.join(home, "bomb.tar");
  const fd = fs.openSync(bomb, "w");
  const pages = 4 * 2 ** 30;
  const start = tar([...setEntries("logger", "checkpoint/")]).subarray(0, -1024);
  fs.writeSync(fd, start, 0, start.length, 0);
  const header = member({ name: "checkpoint/pages-9.img", size: pages }).subarray(0, 512);
  fs.writeSync(fd, header, 0, 512, start.length);
  fs.ftruncateSync(fd, start.length + 512 + pages + 1024);
  fs.closeSync(fd);
  const { code, mebibytes } = await measured(["show", bomb]);
  assert.is(code, 0);
  assert.ok(mebibytes < 150, `${mebibytes} MiB`);
  const many = Buffer.concat(Array.from({ length: 20_000 }, (_, i) => member({ name: `f${i}` })));
  const members = path.join(home, "many.tar.gz");
  fs.writeFileSync(members, gzipSync(Buffer.concat(Array.from({ length: 60 }, () => many))));
  const told = await measured(["show", members]);
  assert.is(told.code, 2);
  assert.ok(told.mebibytes < 200, `${told.mebibytes} MiB`);
  const left = fs.readdirSync(tmpdir()).filter((name) => name.startsWith(".spool.crimg-"));
  assert.equal(left, []);
});

test.run();
