import { FormatError } from "../../io/errors.js";
import { MAX_OCI_MANIFESTS } from "../../io/limits.js";
import type { ByteSource } from "../../io/source.js";
import { decodeMessage } from "../../schema/decode.js";
import { encodeMessage } from "../../schema/encode.js";
import { message, optional } from "../../schema/message.js";
import { type Json, listAt, readJson, textAt, textMapAt } from "./json.js";
import { type FileTree, hasFile } from "./tree.js";

/** Files of an image layout, OCI image specification 1.1. */
export const INDEX_FILE = "index.json";
/** The file of a `docker save` archive that lists its images. */
export const DOCKER_MANIFEST = "manifest.json";

/** Media types of the blobs of a containerd checkpoint (containerd, images/mediatypes.go). */
export const CONTAINERD = {
  images: "application/vnd.containerd.container.criu.checkpoint.criu.tar",
  preDump: "application/vnd.containerd.container.criu.checkpoint.predump.tar",
  spec: "application/vnd.containerd.container.checkpoint.config.v1+proto",
} as const;

/** google.protobuf.Any, which wraps the specification of the container. */
const ANY = message("google.protobuf.Any", "A message of a named type", {
  type_url: optional(1, "string"),
  value: optional(2, "bytes"),
});

/** A layer or another blob that a manifest or index names. */
export interface Descriptor {
  readonly mediaType: string;
  /** Where it is in the tree. */
  readonly path: string;
  readonly blob: ByteSource | undefined;
}

/** What one manifest, or an index of a containerd checkpoint, holds. */
export interface Image {
  readonly name: string | undefined;
  readonly annotations: ReadonlyMap<string, string>;
  readonly blobs: readonly Descriptor[];
}

/** Whether a tree is an OCI image layout. */
export function isOciLayout(tree: FileTree): boolean {
  return hasFile(tree, INDEX_FILE) && tree.list("blobs/sha256") !== undefined;
}

/** The images of an OCI layout: each manifest, and each index of a containerd checkpoint. Errors: FormatError. */
export function ociImages(tree: FileTree): Image[] {
  const index = tree.open(INDEX_FILE);
  return index === undefined ? [] : imagesIn(tree, readJson(index), [], new Set());
}

/** `seen` has the blobs that were read: digests are not believed, so an index could name itself. */
function imagesIn(
  tree: FileTree,
  index: Json,
  outer: readonly [string, string][],
  seen: Set<string>,
): Image[] {
  const annotations = [...outer, ...textMapAt(index, "annotations")];
  const manifests = listAt(index, "manifests");
  if (manifests.some((each) => textAt(each, "mediaType") === CONTAINERD.images))
    return [imageOf(tree, manifests, annotations)];
  return manifests.flatMap((each) => {
    const blob = blobOf(tree, each);
    if (
      blob === undefined ||
      seen.has(blob.name) ||
      !/\b(index|manifest)\b/.test(textAt(each, "mediaType") ?? "manifest")
    )
      return [];
    seen.add(blob.name);
    if (seen.size > MAX_OCI_MANIFESTS)
      throw new FormatError("TOO_LARGE", `OCI layout of more than ${MAX_OCI_MANIFESTS} manifests`, {
        file: tree.name,
      });
    const content = readJson(blob);
    const inner: [string, string][] = [...annotations, ...textMapAt(each, "annotations")];
    if (listAt(content, "manifests").length > 0) return imagesIn(tree, content, inner, seen);
    return [imageOf(tree, listAt(content, "layers"), [...inner, ...textMapAt(content, "annotations")])];
  });
}

function imageOf(tree: FileTree, blobs: readonly Json[], annotations: readonly [string, string][]): Image {
  const known = new Map(annotations);
  return {
    name: known.get("org.opencontainers.image.ref.name"),
    annotations: known,
    blobs: blobs.map((each) => ({
      mediaType: textAt(each, "mediaType") ?? "",
      path: blobPath(tree, each),
      blob: blobOf(tree, each),
    })),
  };
}

/** The blob that a descriptor names by its digest; undefined if it is missing. Errors: FormatError for another digest. */
function blobOf(tree: FileTree, descriptor: Json): ByteSource | undefined {
  return tree.open(blobPath(tree, descriptor));
}

/** Where the blob of a descriptor is in an image layout. Errors: FormatError for another digest than SHA-256. */
export function blobPath(tree: FileTree, descriptor: Json): string {
  const digest = textAt(descriptor, "digest") ?? "";
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex === undefined)
    throw new FormatError(
      "INVALID",
      `invalid digest ${JSON.stringify(digest)} (expected sha256: and 64 digits)`,
      {
        file: tree.name,
      },
    );
  return `blobs/sha256/${hex}`;
}

/** Whether a tree is what `docker save` or `podman save --format docker-archive` writes. */
export function isDockerArchive(tree: FileTree): boolean {
  return (
    hasFile(tree, DOCKER_MANIFEST) &&
    listAt([readJson(tree.open(DOCKER_MANIFEST) as ByteSource)], "0").length > 0
  );
}

/** The images of a `docker save` archive, which have no annotations. Errors: FormatError. */
export function dockerImages(tree: FileTree): Image[] {
  return listAt([readJson(tree.open(DOCKER_MANIFEST) as ByteSource)], "0").map((image) => ({
    name: textOf(listAt(image, "RepoTags")[0]),
    annotations: new Map(),
    blobs: listAt(image, "Layers").map((path) => ({
      mediaType: "layer",
      path: textOf(path) ?? "",
      blob: typeof path === "string" ? tree.open(path) : undefined,
    })),
  }));
}

function textOf(value: Json): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The value of a protobuf Any. Errors: FormatError. */
export function valueOfAny(source: ByteSource): Buffer {
  const { value } = decodeMessage(ANY, source.read(0, source.size), { file: source.name, offset: 0 });
  return Buffer.from(value ?? Buffer.alloc(0));
}

/** A protobuf Any with another value. Errors: FormatError. */
export function anyWith(source: ByteSource, value: Buffer): Buffer {
  const any = decodeMessage(ANY, source.read(0, source.size), { file: source.name, offset: 0 });
  return encodeMessage(ANY, { ...any, value });
}
