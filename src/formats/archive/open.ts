import { FormatError, UnsupportedError } from "../../io/errors.js";
import { MAX_ARCHIVE_DEPTH, MAX_OCI_MANIFESTS } from "../../io/limits.js";
import { type ByteSource, MemorySource } from "../../io/source.js";
import { codecOf, unpacked } from "./codecs.js";
import { criuStreamFiles, isCriuStream } from "./criu-stream.js";
import { DirectoryTree } from "./directory-tree.js";
import { type Json, listAt, readJson, textAt } from "./json.js";
import {
  CONTAINERD,
  dockerImages,
  type Image,
  isDockerArchive,
  isOciLayout,
  ociImages,
  valueOfAny,
} from "./oci.js";
import type { Form, Package, PackagedSet, Within } from "./package.js";
import { SourceTree } from "./source-tree.js";
import { isTar } from "./tar/read.js";
import { TarTree } from "./tar/tree.js";
import { type FileTree, hasDirectory, hasFile, joined } from "./tree.js";

/** Files of a set that every one has one of. */
const SET_FILES = ["inventory.img", "pstree.img"];
const IMAGES = "checkpoint";
const PRE_DUMP = "pre-checkpoint";
const CONTAINER_FILES = ["config.dump", "spec.dump"];
/** Files beside the images of a set that tell who made it. */
const MARKS: readonly (readonly [file: string, form: Form])[] = [
  ["manifest.yaml", "snapshot"],
  ["process_state.json", "cedana"],
  ["descriptors.json", "docker"],
];
const POD_MANIFEST = "checkpoint-manifest.json";
const OLD_POD_FILES = ["pod.options", "pod.dump"];
const NO_ANNOTATIONS: ReadonlyMap<string, string> = new Map();
/** More than is read to tell what a file is. */
const HEAD_BYTES = 64 * 1024;

/** The bytes of a file, decompressed if they are compressed. */
export function decompressedFile(source: ByteSource): ByteSource {
  let inner = source;
  for (let depth = 0; ; depth++) {
    const codec = codecOf(inner);
    if (codec === undefined) return inner;
    if (depth === MAX_ARCHIVE_DEPTH)
      throw new FormatError("INVALID", `compressed more than ${MAX_ARCHIVE_DEPTH} times`, {
        file: source.name,
      });
    const decompressed = unpacked(inner, codec);
    decompressed.has(0, HEAD_BYTES); // the size of a small one is known from now on
    inner = decompressed;
  }
}

/**
 * The package in a file: a tar archive or a CRIU stream, whose bytes are decompressed already. Undefined for anything
 * else. Errors: FormatError of a damaged archive.
 */
export function packageInFile(source: ByteSource, name = source.name, depth = 0): Package | undefined {
  if (depth > MAX_ARCHIVE_DEPTH)
    throw new FormatError("INVALID", `archives in one another, more than ${MAX_ARCHIVE_DEPTH} deep`, {
      file: name,
    });
  if (isTar(source)) return packageInTar(new TarTree(source, name), depth);
  return isCriuStream(source) ? streamPackage([source], name) : undefined;
}

/** The package in a directory on disk; undefined for a directory without one, and for a plain set. */
export function packageInDirectory(directory: string): Package | undefined {
  const tree = new DirectoryTree(directory);
  return packageInTree(tree, 0) ?? shardsPackage(tree);
}

function packageInTar(tree: TarTree, depth: number): Package {
  const found = packageInTree(tree, depth) ?? severalSets(tree);
  const doubts = tree.duplicates.map(
    ({ path, first, last }) =>
      `${tree.name} has two members ${path}, at offsets 0x${first.start.toString(16)} and 0x${last.start.toString(16)}; the last is read, as tar does`,
  );
  return { ...found, doubts: [...doubts, ...found.doubts] };
}

function packageInTree(tree: FileTree, depth: number): Package | undefined {
  if (isOciLayout(tree)) return imagePackage(tree, "oci", ociImages(tree));
  if (isDockerArchive(tree)) return imagePackage(tree, "oci", dockerImages(tree));
  if (hasFile(tree, POD_MANIFEST)) return podPackage(tree, depth);
  if (OLD_POD_FILES.some((file) => hasFile(tree, file))) return oldPodPackage(tree);
  const set = setAt(tree, "");
  return set === undefined ? undefined : packageOf(tree, [set]);
}

function packageOf(tree: FileTree, sets: readonly PackagedSet[], form = sets[0]?.form ?? "sets"): Package {
  return { form, name: tree.name, sets, tree, doubts: [], close: () => tree.close() };
}

/** The set, or container, in a directory of a tree; undefined if there is none. */
function setAt(tree: FileTree, base: string): PackagedSet | undefined {
  const set = { path: "", tree, base, annotations: NO_ANNOTATIONS };
  const images = joined(base, IMAGES);
  if (isSet(tree, images)) return { ...set, form: "container", images };
  if (isSet(tree, base)) {
    const mark = MARKS.find(([file]) => hasFile(tree, joined(base, file)));
    return { ...set, form: mark?.[1] ?? "sets", images: base };
  }
  const preDump = joined(base, PRE_DUMP);
  if (hasDirectory(tree, preDump)) return { ...set, form: "pre-checkpoint", images: preDump };
  if (CONTAINER_FILES.every((file) => hasFile(tree, joined(base, file))))
    throw new FormatError(
      "MISSING",
      "container archive without images: no checkpoint/inventory.img (runc puts them elsewhere if /etc/criu/runc.conf sets images-dir)",
      { file: tree.name },
    );
  return undefined;
}

function isSet(tree: FileTree, directory: string): boolean {
  const entries = tree.list(directory);
  return entries !== undefined && SET_FILES.some((file) => entries.has(file));
}

/** The sets in the directories of an archive. Errors: FormatError INVALID if there are none. */
function severalSets(tree: TarTree): Package {
  const sets: PackagedSet[] = [];
  for (const directory of tree.directories()) {
    if (!isSet(tree, directory)) continue;
    const isImages = directory.endsWith(`/${IMAGES}`);
    const base = isImages ? directory.slice(0, -IMAGES.length - 1) : directory;
    const set = setAt(tree, base);
    if (set !== undefined) sets.push({ ...set, path: base });
  }
  if (sets.length === 0)
    throw new FormatError(
      "INVALID",
      "tar archive without a checkpoint (no inventory.img or pstree.img in it)",
      {
        file: tree.name,
      },
    );
  return packageOf(tree, sets, "sets");
}

/** Errors: FormatError INVALID for images without a checkpoint. */
function imagePackage(tree: FileTree, form: Form, images: readonly Image[]): Package {
  const sets = images.flatMap((image) => setsOfImage(tree, image));
  if (sets.length === 0)
    throw new FormatError(
      "INVALID",
      "OCI image without a checkpoint (no layer has checkpoint/inventory.img)",
      {
        file: tree.name,
      },
    );
  return packageOf(tree, withPaths(sets), sets[0]?.form === "containerd" ? "containerd" : form);
}

function setsOfImage(tree: FileTree, { name, annotations, blobs }: Image): PackagedSet[] {
  const images = blobs.find(({ mediaType }) => mediaType === CONTAINERD.images);
  if (images?.blob !== undefined) {
    const path = name ?? "";
    const spec = blobs.find(({ mediaType }) => mediaType === CONTAINERD.spec)?.path;
    const within: Within = { tree, file: images.path, as: "containerd", spec };
    const parts = containerdParts(tree, images.blob, blobs);
    return [{ path, form: "containerd", ...parts, annotations, within: [within] }];
  }
  for (const { blob, path: file } of blobs) {
    if (blob === undefined || blob.size === 0) continue;
    const layer = decompressedFile(blob);
    const found = isTar(layer)
      ? setAt(new TarTree(layer, `${tree.name}//${shortName(blob, tree)}`), "")
      : undefined;
    const within: Within = { tree, file, as: "layer" };
    if (found !== undefined)
      return [{ ...found, path: name ?? "", form: "oci", annotations, within: [within] }];
  }
  return [];
}

/** A layer without the name of the archive that it is in. */
function shortName({ name }: ByteSource, { name: outer }: FileTree): string {
  return name.startsWith(outer) ? name.slice(outer.length).replace(/^\/+/, "") : name;
}

/** A containerd checkpoint as the files of a container archive. */
function containerdParts(
  { name }: FileTree,
  images: ByteSource,
  blobs: Image["blobs"],
): Pick<PackagedSet, "tree" | "base" | "images"> {
  const files = new Map<string, ByteSource>();
  for (const { mediaType, blob } of blobs) {
    if (blob === undefined) continue;
    if (mediaType === CONTAINERD.spec) files.set("spec.dump", new MemorySource(valueOfAny(blob), blob.name));
    if (/image\.layer\.|image\.rootfs\./.test(mediaType)) files.set("rootfs-diff.tar", blob);
  }
  const inner = new TarTree(decompressedFile(images), name);
  return { tree: new SourceTree(name, files, new Map([[IMAGES, inner]])), base: "", images: IMAGES };
}

/** Kubernetes, KEP-5823: the manifest of CRI-O or containerd names an archive for each container. */
function podPackage(tree: FileTree, depth: number): Package {
  const manifest: Json = readJson(tree.open(POD_MANIFEST) as ByteSource);
  const containers = listAt(manifest, "containers");
  if (containers.length > MAX_OCI_MANIFESTS)
    throw new FormatError("TOO_LARGE", `pod of more than ${MAX_OCI_MANIFESTS} containers`, {
      file: tree.name,
    });
  const sets = containers.flatMap((container): PackagedSet[] => {
    const archive = textAt(container, "archive") ?? "";
    const source = tree.open(archive);
    if (source === undefined)
      throw new FormatError("MISSING", `missing archive ${JSON.stringify(archive)} of a container`, {
        file: `${tree.name}/${POD_MANIFEST}`,
      });
    const inner = packageInFile(decompressedFile(source), source.name, depth + 1);
    const path = textAt(container, "name") ?? textAt(container, "id") ?? archive;
    const within: Within = { tree, file: archive, as: "pod" };
    return (inner?.sets ?? []).map((set) => ({ ...set, path, within: [...(set.within ?? []), within] }));
  });
  if (sets.length === 0)
    throw new FormatError("INVALID", "pod checkpoint without containers", {
      file: `${tree.name}/${POD_MANIFEST}`,
    });
  return packageOf(tree, withPaths(sets), "pod");
}

/** A container in each directory beside the files of the pod. */
function oldPodPackage(tree: FileTree): Package {
  const names = [...(tree.list("") ?? [])]
    .filter(([, { type }]) => type === "a directory")
    .map(([name]) => name);
  const sets = names.sort().flatMap((name): PackagedSet[] => {
    const set = setAt(tree, name);
    return set === undefined ? [] : [{ ...set, path: name }];
  });
  if (sets.length === 0)
    throw new FormatError("INVALID", "pod archive without containers", { file: tree.name });
  return packageOf(tree, withPaths(sets), "old-pod");
}

/** Names of containers are anything: a path that stands twice, or is not plain, gets a number. A set alone needs none. */
function withPaths(sets: readonly PackagedSet[]): PackagedSet[] {
  if (sets.length === 1) return sets.map((set) => ({ ...set, path: "" }));
  const taken = new Set<string>();
  return sets.map((set, i) => {
    const isPlain = set.path !== "" && !taken.has(set.path);
    const path = isPlain ? set.path : `${i + 1}`;
    taken.add(path);
    return { ...set, path };
  });
}

function shardsPackage(tree: DirectoryTree): Package | undefined {
  const names = [...(tree.list("") ?? [])]
    .filter(([, { type }]) => type === "a regular file")
    .map(([name]) => name);
  if (names.length === 0 || names.length > MAX_SHARDS) return undefined;
  const shards: ByteSource[] = [];
  for (const name of names.sort()) {
    const source = decompressedFile(tree.open(name) as ByteSource);
    if (source.size === 0 || !isCriuStream(source)) return undefined;
    shards.push(source);
  }
  return streamPackage(shards, tree.name);
}

/** criu-image-streamer takes a descriptor for each; a directory of more files is something else. */
const MAX_SHARDS = 64;

function streamPackage(shards: readonly ByteSource[], name: string): Package {
  const tree = new SourceTree(name, criuStreamFiles(shards, name));
  if (!isSet(tree, "")) throw new UnsupportedError("CRIU stream without inventory.img", { file: name });
  const set: PackagedSet = {
    path: "",
    form: "stream",
    tree,
    base: "",
    images: "",
    annotations: NO_ANNOTATIONS,
  };
  return packageOf(tree, [set], "stream");
}
