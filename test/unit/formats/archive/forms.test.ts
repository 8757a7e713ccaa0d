/** Every form of a package that crimg reads, by its content: what is in it is what is in the set alone. */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import type { CriuDocument } from "../../../../src/model/document.js";
import { openDocument } from "../../../../src/open.js";
import { envView } from "../../../../src/ops/show/env.js";
import { fdsView } from "../../../../src/ops/show/fds.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { needs } from "../../../helpers/needs.js";
import {
  containerdLayout,
  containerTar,
  ociLayout,
  setEntries,
  shards,
  TICKER,
  tarOf,
  tickerTar,
  write,
} from "../../../helpers/packages.js";
import { suite } from "../../../helpers/suite.js";
import { tar } from "../../../helpers/tar.js";

const test = suite("src/formats/archive: forms");
test.after(cleanUp);

const LOGGER = path.join(import.meta.dirname, "../../../../fixtures/criu/logger");

function opened(image: string): CriuDocument {
  const document = openDocument(image);
  if (document.family !== "criu") throw new Error(`${image} is a stream`);
  return document;
}

/** The set in an image has the descriptors and the memory of `like`. */
function same(image: string, form: string | undefined, like = LOGGER): void {
  const [document, expected] = [opened(image), opened(like)];
  assert.is(document.packaged?.package.form, form);
  assert.equal(fdsView(document), fdsView(expected));
  assert.equal(envView(document), envView(expected));
  const images = ({ set }: CriuDocument) =>
    set.files.flatMap(({ name, kind }) => (kind === undefined ? [] : [name]));
  assert.equal(images(document), images(expected));
  document.close();
}

function file(content: Buffer, name = "archive"): string {
  const image = path.join(freshDirectory("archive"), name);
  fs.writeFileSync(image, content);
  return image;
}

function piped(program: string, args: readonly string[], input: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync(program, args, { input, maxBuffer: 1 << 26 });
  assert.is(status, 0, `${program}: ${stderr}`);
  return stdout;
}

test("Podman's archive, compressed with zstd, gzip and not at all", () => {
  const plain = tickerTar();
  const set = freshDirectory("set");
  const document = opened(TICKER);
  for (const name of document.set.fileSet.names()) {
    const source = document.set.fileSet.open(name);
    fs.writeFileSync(path.join(set, name), source?.read(0, source.size) ?? "");
  }
  document.close();
  for (const image of [TICKER, file(plain), file(gzipSync(plain))]) same(image, "container", set);
});

test("an archive compressed with lz4, in independent and dependent blocks, and with zlib", () => {
  needs("lz4");
  const archive = containerTar("logger");
  same(file(piped("lz4", ["-c", "-B4"], archive)), "container");
  same(file(piped("lz4", ["-c", "-B4", "-BD", "--no-frame-crc"], archive)), "container");
  same(file(deflateSync(archive)), "container");
});

test("zstd frames one after another, and behind a skippable one", () => {
  needs("zstd");
  const archive = containerTar("logger");
  const frames = [archive.subarray(0, 5000), archive.subarray(5000)].map((part) =>
    piped("zstd", ["-c"], part),
  );
  same(file(Buffer.concat(frames)), "container");
  same(file(Buffer.concat([Buffer.from("502a4d1803000000616263", "hex"), ...frames])), "container");
});

test("a set in the root of a tar archive, and in a directory of one", () => {
  same(file(tar(setEntries("logger"))), "sets");
  same(file(tar(setEntries("logger", "./dump/"))), "sets");
  same(file(tar([...setEntries("logger"), { name: "process_state.json", content: "{}" }])), "cedana");
});

test("one of several sets, by its path", () => {
  const image = file(tar([...setEntries("logger", "a/checkpoint/"), ...setEntries("locks", "b/")]));
  assert.throws(() => openDocument(image), /2 image sets in this archive; name one: .*\/\/a, .*\/\/b$/);
  assert.throws(() => openDocument(`${image}//c`), /no image set "c" in it \(expected/);
  same(`${image}//a`, "sets");
  same(`${image}//a/checkpoint`, "sets");
});

test("a directory that holds checkpoint/", () => {
  const home = freshDirectory("unpacked");
  fs.cpSync(LOGGER, path.join(home, "checkpoint"), { recursive: true });
  write(home, { "config.dump": "{}", "spec.dump": "{}" });
  same(home, "container");
  same(`${home}//checkpoint`, undefined);
});

test("an OCI layout, an oci-archive, and a docker-archive", () => {
  const layer = containerTar("logger");
  const layout = ociLayout(gzipSync(layer), { "org.criu.checkpoint.container.name": "web" });
  same(write(freshDirectory("layout"), layout), "oci");
  same(file(tarOf(layout)), "oci");
  same(file(gzipSync(tarOf(ociLayout(layer)))), "oci");
  const manifest = JSON.stringify([{ Config: "c.json", RepoTags: ["web:1"], Layers: ["l.tar"] }]);
  same(file(tarOf({ "l.tar": layer, "c.json": "{}", "manifest.json": manifest })), "oci");
});

test("a containerd checkpoint, in a directory and in an archive", () => {
  const layout = containerdLayout(tar(setEntries("logger")), '{"hostname":"web"}', gzipSync(tar([])));
  for (const image of [write(freshDirectory("containerd"), layout), file(tarOf(layout))])
    same(image, "containerd");
});

test("a pod checkpoint of CRI-O, and one of containerd", () => {
  const crio = write(freshDirectory("pod"), {
    "pod-config.json": "{}",
    "checkpoint-manifest.json": JSON.stringify({
      version: 1,
      containers: ["logger", "locks"].map((name) => ({ name, id: name, archive: `containers/${name}.tar` })),
    }),
    "containers/logger.tar": containerTar("logger"),
    "containers/locks.tar": containerTar("locks"),
  });
  assert.throws(() => openDocument(crio), /2 image sets in this archive; name one: .*\/\/logger/);
  same(`${crio}//logger`, "pod");
  const inner = tarOf(containerdLayout(tar(setEntries("logger")), "{}", gzipSync(tar([]))));
  const containers = [{ name: "web", id: "1", archive: "container-1.tar" }];
  const manifest = JSON.stringify({ version: 2, sandboxId: "s", containers });
  same(
    write(freshDirectory("pod"), { "checkpoint-manifest.json": manifest, "container-1.tar": inner }),
    "pod",
  );
});

test("an older pod archive", () => {
  const image = file(
    tar([
      { name: "pod.options", content: "{}" },
      { name: "pod.dump", content: "{}" },
      ...setEntries("logger", "web/checkpoint/"),
      ...setEntries("locks", "db/checkpoint/"),
    ]),
  );
  same(`${image}//web`, "old-pod");
});

test("shards of criu-image-streamer, one or several, compressed or not", () => {
  const files = Object.fromEntries(
    setEntries("logger").map(({ name, content }) => [name, content as Buffer]),
  );
  const [only] = shards(files, 1);
  same(file(only as Buffer), "stream");
  same(file(gzipSync(only as Buffer)), "stream");
  const three = shards(files, 3);
  const directory = freshDirectory("shards");
  for (const [i, shard] of three.entries())
    fs.writeFileSync(path.join(directory, `img-${i}.gz`), gzipSync(shard));
  same(directory, "stream");
  fs.rmSync(path.join(directory, "img-1.gz"));
  assert.throws(() => openDocument(directory), /the CRIU stream has no marker 1 \(a shard is missing\)/);
});

test("marks beside a set in a directory: NVIDIA, cedana, Docker", () => {
  for (const [mark, form] of [
    ["manifest.yaml", "snapshot"],
    ["process_state.json", "cedana"],
    ["descriptors.json", "docker"],
  ] as const) {
    const home = freshDirectory("marked");
    fs.cpSync(LOGGER, home, { recursive: true });
    assert.is(opened(home).packaged, undefined);
    fs.writeFileSync(path.join(home, mark), "[]");
    const document = opened(home);
    assert.is(document.packaged?.package.form, form);
    assert.ok(document.packaged?.isDirectory);
  }
});

test("a pre-checkpoint archive, and the later one that it is the parent of", () => {
  const pre = setEntries("logger", "pre-checkpoint/").filter(({ name }) => !/core|pstree/.test(name));
  const document = opened(file(tar([...pre, { name: "config.dump", content: "{}" }])));
  assert.is(document.packaged?.package.form, "pre-checkpoint");
  document.close();
  const link = { name: "checkpoint/parent", type: "2", link: "../pre-checkpoint" };
  const both = opened(file(tar([...pre, ...setEntries("logger", "checkpoint/"), link])));
  assert.ok(both.set.parent()?.files.some(({ name }) => name === "pages-1.img"));
  both.close();
  const alone = opened(file(tar([...setEntries("logger", "checkpoint/"), link])));
  assert.throws(
    () => alone.set.parent(),
    /the parent of this incremental set, pre-checkpoint, is not in this archive/,
  );
  alone.close();
});

test("a linux-cr stream, compressed", () => {
  const stream = path.join(import.meta.dirname, "../../../../fixtures/linux-cr/logger.ckpt");
  const image = file(gzipSync(fs.readFileSync(stream)));
  const document = openDocument(image);
  assert.is(document.family, "linux-cr");
  assert.is(document.checkpoint.tasks.length, 1);
});

test("what is known and not read is named, with what to do", () => {
  const cases: [name: string, content: Buffer, text: RegExp][] = [
    [
      "age",
      Buffer.from("age-encryption.org/v1\n-> X25519"),
      /encrypted with age; .*age -d -i KEY FILE \| crimg show -/,
    ],
    ["openssl", Buffer.from("Salted__12345678"), /encrypted with openssl enc; .*openssl enc -d/],
    ["gpg", Buffer.from("8c0d040903028d5b", "hex"), /OpenPGP message; .*gpg -d FILE \| crimg show -/],
    ["dmtcp", gzipSync(Buffer.from("DMTCP_CHECKPOINT_IMAGE_v4.0\n")), /DMTCP checkpoint; .*dmtcp_restart/],
    ["gvisor", Buffer.from("gVisorSF\0\0\0\0"), /gVisor checkpoint; .*runsc restore/],
    ["qemu", Buffer.from("QEVM\0\0\0\x03"), /QEMU migration stream; .*volatility3/],
    ["lime", Buffer.from("EMiL\x01\0\0\0"), /LiME memory dump/],
    ["avml", Buffer.from("AVML\x01\0\0\0"), /AVML memory dump/],
    [
      "core",
      Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01", "latin1"), Buffer.alloc(9), Buffer.of(4, 0)]),
      /ELF core dump; .*gdb/,
    ],
  ];
  for (const [name, content, text] of cases)
    assert.throws(() => openDocument(file(content, name)), text, name);
  const firecracker = Buffer.alloc(8);
  firecracker.writeBigUInt64LE(0x0710198486640000n);
  assert.throws(() => openDocument(file(firecracker)), /a Firecracker snapshot/);
  const encrypted = freshDirectory("encrypted");
  fs.cpSync(LOGGER, encrypted, { recursive: true });
  fs.writeFileSync(path.join(encrypted, "cipher.img"), "");
  assert.throws(() => openDocument(encrypted), /encrypted by criu; crimg cannot decrypt it/);
});

test("an archive without a checkpoint says so", () => {
  assert.throws(() => openDocument(file(tarOf({ a: "text" }))), /tar archive without a checkpoint/);
  assert.throws(
    () => openDocument(file(tarOf({ "config.dump": "{}", "spec.dump": "{}" }))),
    /container archive without images.*images-dir/,
  );
  assert.throws(
    () => openDocument(file(tarOf(ociLayout(tarOf({ "bin/sh": "" }))))),
    /OCI image without a checkpoint/,
  );
  assert.throws(
    () => openDocument(file(gzipSync(Buffer.from("text")))),
    /not a linux-cr stream, and no archive/,
  );
});

test.run();
