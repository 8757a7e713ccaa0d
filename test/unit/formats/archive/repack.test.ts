/** Edits of images and of pods: every digest up to the index or the manifest is that of what it names. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { applyPlan, openDocument, planEdits, validate } from "../../../../src/index.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import {
  containerdLayout,
  containerTar,
  ociLayout,
  setEntries,
  tarOf,
  write,
} from "../../../helpers/packages.js";
import { suite } from "../../../helpers/suite.js";
import { tar } from "../../../helpers/tar.js";

const test = suite("edits of images and pods");
test.after(cleanUp);

const SPEC = '{"hostname":"old","mounts":[{"source":"/var/lib/crimg-demo/x"}],"big":12345678901234567890}';
const LAYER = containerTar("logger", { "config.dump": '{"name":"web"}', "spec.dump": SPEC });

/** Moves the data of the program in an image; gives the new image. */
function moved(image: string, to: string): void {
  const document = openDocument(image);
  const plan = planEdits(document, [{ kind: "remap-path", text: "/var/lib/crimg-demo=/srv/demo" }]);
  assert.ok(plan.changes.some(({ image: name }) => name === "spec.dump"));
  applyPlan(document, plan, { to: "new", path: to }, { version: "0" });
  document.close();
  const after = openDocument(to);
  const files = after.checkpoint.files.all.map((file) => file.path ?? "");
  assert.ok(files.some((name) => name.startsWith("/srv/demo")));
  assert.not.ok(files.some((name) => name.startsWith("/var/lib/crimg-demo")));
  after.close();
}

function sha(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Checks that every blob has the name of its digest, and that all that is named is there, with its size. */
function assertLayout(root: string): { readonly layers: { readonly digest: string }[] } {
  const blobs = path.join(root, "blobs/sha256");
  const names = new Set(fs.readdirSync(blobs));
  for (const name of names) assert.is(sha(fs.readFileSync(path.join(blobs, name))), name);
  const named = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { digest, size } = value as { digest?: string; size?: number };
    if (digest !== undefined) {
      const file = path.join(blobs, digest.replace("sha256:", ""));
      assert.is(fs.statSync(file).size, size);
      named.add(path.basename(file));
      const bytes = fs.readFileSync(file);
      if (bytes[0] === 0x7b) walk(JSON.parse(bytes.toString("utf8")));
    }
    for (const each of Object.values(value)) walk(each);
  };
  const index = JSON.parse(fs.readFileSync(path.join(root, "index.json"), "utf8"));
  walk(index);
  assert.equal(named, names);
  const first = index.manifests[0].digest.replace("sha256:", "");
  return JSON.parse(fs.readFileSync(path.join(blobs, first), "utf8"));
}

for (const [compression, layer] of [
  ["plain", LAYER],
  ["gzip", gzipSync(LAYER)],
] as const)
  test(`OCI image with a ${compression} layer: as a directory, and as an archive`, () => {
    const home = freshDirectory("oci");
    const files = ociLayout(layer, { "org.criu.checkpoint.container.name": "web" });
    const image = write(path.join(home, "dir"), files);
    const to = path.join(home, "new");
    moved(image, to);
    const manifest = assertLayout(to) as { layers: { digest: string }[]; config: { digest: string } };
    const read = (digest: string | undefined): Buffer =>
      fs.readFileSync(path.join(to, "blobs/sha256", digest?.replace("sha256:", "") ?? ""));
    const stored = read(manifest.layers[0]?.digest);
    const plain = compression === "gzip" ? gunzipSync(stored) : stored;
    const config = JSON.parse(read(manifest.config.digest).toString("utf8"));
    assert.equal(config.rootfs.diff_ids, [`sha256:${sha(plain)}`]);
    const archive = path.join(home, "image.tar");
    fs.writeFileSync(archive, tarOf(files));
    moved(archive, path.join(home, "new.tar"));
  });

test("containerd checkpoint: the images and the specification are blobs of their own", () => {
  const home = freshDirectory("containerd");
  const files = containerdLayout(tar(setEntries("logger")), SPEC, gzipSync(tar([])));
  const to = path.join(home, "new");
  moved(write(path.join(home, "dir"), files), to);
  assertLayout(to);
  const document = openDocument(to);
  const spec = document.family === "criu" ? document.packaged?.set.tree.open("spec.dump") : undefined;
  assert.is(spec?.read(0, spec.size).toString("utf8"), SPEC.replace("/var/lib/crimg-demo", "/srv/demo"));
  document.close();
});

test("another digest than the one that names it is a finding of validate", () => {
  const home = freshDirectory("digest");
  const files = ociLayout(LAYER);
  const image = write(path.join(home, "image"), files);
  const findings = (name: string): string[] => {
    const document = openDocument(name);
    const found = validate(document, { only: ["ARCHIVE_DIGEST"] }).findings;
    document.close();
    return found.map(({ id, expected, found: is }) => `${id} ${expected === is}`);
  };
  assert.equal(findings(image), []);
  const layer = path.join(image, `blobs/sha256/${sha(LAYER)}`);
  fs.writeFileSync(layer, Buffer.concat([LAYER, Buffer.alloc(512)]));
  assert.equal(findings(image), ["ARCHIVE_DIGEST false"]);
  const pod = (digest: string): string =>
    write(path.join(home, digest.slice(0, 8)), {
      "checkpoint-manifest.json": `{"containers":[{"name":"a","archive":"a.tar","sha256":"${digest}"}]}`,
      "pod-config.json": "{}",
      "a.tar": LAYER,
    });
  assert.equal(findings(pod(sha(LAYER))), []);
  assert.equal(findings(pod("0".repeat(64))), ["ARCHIVE_DIGEST false"]);
});

test("pod of CRI-O: the SHA-256 of an archive in the manifest, and no other byte of it", () => {
  const home = freshDirectory("pod");
  const text = (digest: string): string =>
    `{"version":1, "big":12345678901234567890, "containers":[{"name":"web","archive":"containers/a.tar","sha256":"${digest}"},\n{"name":"b","archive":"containers/b.tar","sha256":"other"}]}`;
  const pod = write(path.join(home, "pod"), {
    "checkpoint-manifest.json": text(sha(LAYER)),
    "pod-config.json": "{}",
    "containers/a.tar": LAYER,
    "containers/b.tar": LAYER,
  });
  const to = path.join(home, "new");
  const document = openDocument(`${pod}//web`);
  const { warnings } = planEdits(document, [{ kind: "remap-path", text: "/var/lib/crimg-demo=/srv/x" }]);
  assert.ok(warnings.some((each) => each.startsWith("RestorePod compares the working directory")));
  const plan = planEdits(document, [{ kind: "remap-path", text: "/var/lib/crimg-demo=/srv/demo" }]);
  applyPlan(document, plan, { to: "new", path: to }, { version: "0" });
  document.close();
  const archive = fs.readFileSync(path.join(to, "containers/a.tar"));
  assert.not.equal(sha(archive), sha(LAYER));
  assert.is(fs.readFileSync(path.join(to, "checkpoint-manifest.json"), "utf8"), text(sha(archive)));
  assert.ok(fs.readFileSync(path.join(to, "containers/b.tar")).equals(LAYER));
});

test.run();
