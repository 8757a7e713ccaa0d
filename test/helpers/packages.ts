/** Packages of checkpoints made of real images: those of the fixtures, and the archive that Podman made. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { codecOf, unpacked } from "../../src/formats/archive/codecs.js";
import { FileSource } from "../../src/io/source.js";
import { type Entry, tar } from "./tar.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures", import.meta.url));

/** A checkpoint of a container by Podman, with a volume; see fixtures/README.md. */
export const TICKER = join(FIXTURES, "archives/ticker.tar.zst");

/** The same, decompressed. */
export function tickerTar(): Buffer {
  const source = new FileSource(TICKER);
  const codec = codecOf(source);
  if (codec === undefined) throw new Error("not compressed");
  const bytes = unpacked(source, codec);
  bytes.fillAll();
  const all = bytes.read(0, bytes.size);
  bytes.close();
  return all;
}

/** The image set of a fixture as members below `prefix`. */
export function setEntries(fixture: string, prefix = ""): Entry[] {
  const directory = join(FIXTURES, "criu", fixture);
  return readdirSync(directory)
    .sort()
    .map((name) => ({ name: `${prefix}${name}`, content: readFileSync(join(directory, name)) }));
}

/** A container archive of a fixture as CRI-O and containerd write it, with these files beside the images. */
export function containerTar(fixture: string, files: Readonly<Record<string, string>> = {}): Buffer {
  const others = Object.entries(files).map(([name, content]) => ({ name, content }));
  return tar([...others, { name: "checkpoint/", type: "5" }, ...setEntries(fixture, "checkpoint/")]);
}

/** Writes files below a directory; gives the directory. */
export function write(directory: string, files: Readonly<Record<string, string | Buffer>>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

/** An OCI layout of one manifest with one layer, as files by name. */
export function ociLayout(
  layer: Buffer,
  annotations: Readonly<Record<string, string>> = {},
  mediaType = "application/vnd.oci.image.layer.v1.tar",
): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  const blob = (content: Buffer, type: string) => ({ mediaType: type, ...stored(files, content) });
  const manifest = {
    schemaVersion: 2,
    config: blob(
      Buffer.from(JSON.stringify({ rootfs: { type: "layers", diff_ids: [diffId(layer)] } })),
      "application/vnd.oci.image.config.v1+json",
    ),
    layers: [blob(layer, mediaType)],
    annotations,
  };
  return withIndex(
    files,
    blob(Buffer.from(JSON.stringify(manifest)), "application/vnd.oci.image.manifest.v1+json"),
  );
}

/** Digest of a layer before its compression. */
function diffId(layer: Buffer): string {
  const plain = layer[0] === 0x1f ? gunzipSync(layer) : layer;
  return `sha256:${createHash("sha256").update(plain).digest("hex")}`;
}

/** An OCI layout of a containerd checkpoint. */
export function containerdLayout(images: Buffer, spec: string, layer: Buffer): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  const blob = (content: Buffer, type: string) => ({ mediaType: type, ...stored(files, content) });
  const kind = "application/vnd.containerd.container";
  const index = {
    schemaVersion: 2,
    manifests: [
      blob(images, `${kind}.criu.checkpoint.criu.tar`),
      blob(
        any("types.containerd.io/opencontainers/runtime-spec/1/Spec", Buffer.from(spec)),
        `${kind}.checkpoint.config.v1+proto`,
      ),
      blob(layer, "application/vnd.oci.image.layer.v1.tar+gzip"),
    ],
    annotations: { "io.containerd.checkpoint.runtime": "io.containerd.runc.v2" },
  };
  return withIndex(
    files,
    blob(Buffer.from(JSON.stringify(index)), "application/vnd.oci.image.index.v1+json"),
  );
}

function withIndex(files: Record<string, Buffer>, manifest: object): Record<string, Buffer> {
  return {
    ...files,
    "oci-layout": Buffer.from('{"imageLayoutVersion":"1.0.0"}'),
    "index.json": Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [manifest] })),
  };
}

function stored(files: Record<string, Buffer>, content: Buffer): { digest: string; size: number } {
  const hex = createHash("sha256").update(content).digest("hex");
  files[`blobs/sha256/${hex}`] = content;
  return { digest: `sha256:${hex}`, size: content.length };
}

/** google.protobuf.Any. */
function any(url: string, value: Buffer): Buffer {
  return Buffer.concat([field(1, Buffer.from(url)), field(2, value)]);
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | 2), varint(bytes.length), bytes]);
}

export function varint(value: number): Buffer {
  const out: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...out, left]);
    out.push((left % 128) | 128);
  }
}

/** Files as shards of criu-image-streamer: pieces of `chunk` bytes, one shard after another in turn. */
export function shards(files: Readonly<Record<string, Buffer>>, count: number, chunk = 4096): Buffer[] {
  const out: Buffer[][] = Array.from({ length: count }, () => []);
  let seq = 0;
  const put = (body: Buffer, data: Buffer = Buffer.alloc(0)): void => {
    const marker = Buffer.concat([Buffer.of(0x08), varint(seq), body]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(marker.length);
    out[seq++ % count]?.push(length, marker, data);
  };
  for (const [name, content] of Object.entries(files)) {
    put(field(2, Buffer.from(name)));
    for (let at = 0; at < content.length; at += chunk) {
      const data = content.subarray(at, at + chunk);
      put(Buffer.concat([Buffer.of(0x18), varint(data.length)]), data);
    }
    put(Buffer.of(0x20, 1));
  }
  put(Buffer.of(0x28, 1));
  return out.map((parts) => Buffer.concat(parts));
}

/** An archive of these files. */
export function tarOf(files: Readonly<Record<string, string | Buffer>>): Buffer {
  return tar(Object.entries(files).map(([name, content]) => ({ name, content })));
}
