/** Archives that are made of sets: what the reader finds in them is the set, and what engines look for is there. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { needsZstd } from "../helpers/needs.js";
import { TICKER, tickerTar } from "../helpers/packages.js";
import { suite } from "../helpers/suite.js";

const test = suite("archives that are made");
test.after(cleanUp);

const LOGGER = fileURLToPath(new URL("../../fixtures/criu/logger", import.meta.url));

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await crimg(args);
  assert.is(code, 0, stderr);
  return stdout;
}

/** The files of an archive in a fresh directory. */
function unpacked(archive: string): string {
  const directory = freshDirectory("unpacked");
  assert.is(spawnSync("tar", ["-C", directory, "-xf", archive]).status, 0);
  return directory;
}

test("podman: a set with the other files of its archive, in every compression", async () => {
  needsZstd();
  const home = freshDirectory("made");
  const set = path.join(home, "set");
  await run("convert", TICKER, set);
  fs.writeFileSync(path.join(home, "t.tar"), tickerTar());
  const original = unpacked(path.join(home, "t.tar"));
  for (const compression of ["none", "gzip", "zstd"]) {
    const made = path.join(home, `made-${compression}.tar`);
    await run("convert", set, made, "--as", "podman", "--like", TICKER, "--compress", compression);
    assert.is(fs.statSync(made).mode & 0o777, 0o600);
    const found = unpacked(made);
    assert.is(spawnSync("diff", ["-r", original, found], { encoding: "utf8" }).stdout, "");
    assert.is((await crimg(["diff", made, TICKER])).code, 0);
    assert.match(
      await run("show", made),
      /^CONTAINER ticker 9a6cd1127d26; .*; container archive\nENGINE {4}Podman/,
    );
  }
  const again = await crimg([
    "convert",
    set,
    path.join(home, "made-none.tar"),
    "--as",
    "podman",
    "--like",
    TICKER,
  ]);
  assert.is(again.code, 2);
  assert.match(again.stderr, /file exists; name a new one, or use --force/);
});

test("oci: layer, configuration, manifest and index agree, with the annotations of all families", async () => {
  const image = path.join(freshDirectory("oci"), "image.tar");
  const { json } = (await crimgJson(["convert", TICKER, image, "--as", "oci"])) as { json: { to: string } };
  assert.is(json.to, "oci");
  const root = unpacked(image);
  const blob = (digest: string): string => path.join(root, "blobs/sha256", digest.replace("sha256:", ""));
  const read = (file: string) => JSON.parse(fs.readFileSync(file, "utf8"));
  for (const name of fs.readdirSync(path.join(root, "blobs/sha256")))
    assert.match(spawnSync("sha256sum", [blob(name)], { encoding: "utf8" }).stdout, new RegExp(`^${name} `));
  const index = read(path.join(root, "index.json"));
  const manifest = read(blob(index.manifests[0].digest));
  assert.equal(read(blob(manifest.config.digest)).rootfs, {
    type: "layers",
    diff_ids: [manifest.layers[0].digest],
  });
  assert.equal(index.annotations, manifest.annotations);
  for (const [key, value] of [
    ["org.criu.checkpoint.container.name", "ticker"],
    ["org.criu.checkpoint.engine.name", "podman"],
    ["io.podman.annotations.checkpoint.name", "ticker"],
    ["io.kubernetes.cri-o.annotations.checkpoint.rootfsImageName", "localhost/ticker:1"],
  ] as const)
    assert.is(manifest.annotations[key], value);
  assert.is((await crimg(["diff", image, TICKER])).code, 0);
});

test("cri-o: a short configuration, its annotations, the mounts it makes, and what it leaves out", async () => {
  const made = path.join(freshDirectory("cri-o"), "made.tar");
  const { code, stderr } = await crimg(["convert", TICKER, made, "--as", "cri-o"]);
  assert.is(code, 0);
  assert.match(stderr, /^note: volumes is left out: CRI-O does not restore it$/m);
  const root = unpacked(made);
  const read = (name: string) => JSON.parse(fs.readFileSync(path.join(root, name), "utf8"));
  assert.is(read("config.dump").rootfsImageName, "localhost/ticker:1");
  const { annotations } = read("spec.dump");
  assert.is(annotations["io.container.manager"], "cri-o");
  assert.is(annotations["io.kubernetes.cri-o.Metadata"], '{"name":"ticker"}');
  assert.ok(read("bind.mounts").some((mount: { destination: string }) => mount.destination === "/data"));
  assert.match(await run("show", made), /^CONTAINER ticker .*\nENGINE {4}CRI-O/);
});

test("a set without the files of an engine, and a stream, are refused", async () => {
  const home = freshDirectory("refused");
  for (const [image, message] of [
    [LOGGER, /no config\.dump and spec\.dump beside the images, .* name the archive .*: --like ARCHIVE/],
    [path.join(home, "s.ckpt"), /no container engine takes a linux-cr stream/],
  ] as const) {
    if (image !== LOGGER) await run("convert", LOGGER, image, "--lossy");
    const { code, stderr } = await crimg(["convert", image, path.join(home, "x"), "--as", "podman"]);
    assert.is(code, 2);
    assert.match(stderr, message);
  }
  assert.equal(fs.readdirSync(home), ["s.ckpt"]);
});

test.run();
