import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { ConcatSource } from "../../io/concat.js";
import { sha256 } from "../../io/digest.js";
import { UnsupportedError } from "../../io/errors.js";
import { chunksOfPieces } from "../../io/piece-stream.js";
import { type ByteSource, MemorySource } from "../../io/source.js";
import { SpoolSource } from "../../io/spool.js";
import { type Codec, codecOf, unpacked } from "./codecs.js";
import { DirectoryTree } from "./directory-tree.js";
import { anyWith } from "./oci.js";
import { FORMS, type Package, type PackagedSet, type Within } from "./package.js";
import { type Renewed, renewedLayout } from "./renew-layout.js";
import { renewedManifest } from "./renew-pod.js";
import { SourceTree } from "./source-tree.js";
import { rewrittenTar } from "./tar/rewrite.js";
import { TarTree } from "./tar/tree.js";
import type { FileTree, TreeChanges } from "./tree.js";

const IMAGES = "checkpoint";
const SPEC = "spec.dump";

/** What is written for a package in which files of a set are others: a file, or a directory with other files. */
export type Repacked =
  | { readonly to: "file"; readonly content: ByteSource | Iterable<Buffer> }
  | { readonly to: "directory"; readonly from: DirectoryTree; readonly changes: TreeChanges };

/**
 * A package with other files in one of its sets; what was not changed stays as it is, byte by byte. What holds digests of
 * what was, gets new ones: the manifests of an image, the manifest of a pod.
 * Errors: EDIT as `rewrittenTar`; UNSUPPORTED for a form that is only read; FormatError.
 */
export function repacked(found: Package, set: PackagedSet, changes: TreeChanges): Repacked {
  let [tree, changed]: [FileTree, TreeChanges] = [set.tree, changes];
  for (const within of set.within ?? []) [tree, changed] = [within.tree, outside(within, tree, changed)];
  const { file, form, name } = found;
  if (file !== undefined && tree instanceof TarTree)
    return { to: "file", content: archiveBytes(tree, file, changed) };
  if (file === undefined && tree instanceof DirectoryTree)
    return { to: "directory", from: tree, changes: changed };
  throw readOnly(form, name);
}

function readOnly(form: keyof typeof FORMS, name: string): UnsupportedError {
  const { title, maker } = FORMS[form];
  return new UnsupportedError(
    `a ${title} (${maker}) is read only; take the set out: crimg convert ${name} DIR`,
    { file: name },
  );
}

/** What changes in the tree that holds the archive of a set, when files in that archive change. */
function outside(within: Within, inner: FileTree, changes: TreeChanges): TreeChanges {
  const { tree, file, as } = within;
  if (as === "containerd") return renewedLayout(tree, containerdBlobs(within, inner, changes));
  const renewed = remade(tree, file, inner, changes);
  return as === "layer"
    ? renewedLayout(tree, new Map([[file, renewed]]))
    : renewedManifest(tree, file, renewed.content);
}

/** The blobs of a containerd checkpoint that hold the changed files: the archive of the images, and the specification. */
function containerdBlobs(
  { tree, file, spec }: Within,
  inner: FileTree,
  changes: TreeChanges,
): Map<string, Renewed> {
  const prefix = `${IMAGES}/`;
  const images = inner instanceof SourceTree ? inner.directories.get(IMAGES) : undefined;
  const within: [string, ByteSource | null][] = [];
  const blobs = new Map<string, Renewed>();
  for (const [path, content] of changes)
    if (path.startsWith(prefix)) within.push([path.slice(prefix.length), content]);
    else if (path === SPEC && spec !== undefined && content !== null)
      blobs.set(spec, { content: wrappedSpec(tree, spec, content), diffId: undefined });
    else throw readOnly("containerd", tree.name);
  if (images !== undefined && within.length > 0) blobs.set(file, remade(tree, file, images, new Map(within)));
  return blobs;
}

function wrappedSpec(tree: FileTree, file: string, content: ByteSource): ByteSource {
  const old = tree.open(file) as ByteSource;
  return new MemorySource(anyWith(old, content.read(0, content.size)), old.name);
}

/** An archive in a file of a tree with other members. Its digest stands before it, so it is made before it is written. */
function remade(tree: FileTree, file: string, inner: FileTree, changes: TreeChanges): Renewed {
  const source = tree.open(file);
  if (source === undefined || !(inner instanceof TarTree)) throw readOnly("oci", tree.name);
  const plain = createHash("sha256");
  const made = archiveBytes(inner, source, changes, (chunk) => void plain.update(chunk));
  if (!(Symbol.iterator in made)) return { content: made, diffId: sha256(made) };
  const content = new SpoolSource(made, source.name, tmpdir());
  return { content, diffId: plain.digest("hex") };
}

/** The bytes of an archive, compressed as `file` is, which holds it; `onPlain` gets those before the compression. */
function archiveBytes(
  tree: TarTree,
  file: ByteSource,
  changes: TreeChanges,
  onPlain?: (chunk: Buffer) => void,
): ByteSource | Iterable<Buffer> {
  const { source } = tree;
  const pieces = rewrittenTar(tree, changes);
  const codec = codecOf(file);
  if (codec === undefined) return new ConcatSource(file.name, pieces);
  assertOnce(file, codec);
  const chunks = chunksOfPieces(pieces, source, codec.chunks(file));
  return codec.compress(onPlain === undefined ? chunks : passing(chunks, onPlain), file.name);
}

function* passing(chunks: Iterable<Buffer>, to: (chunk: Buffer) => void): Generator<Buffer> {
  for (const chunk of chunks) {
    to(chunk);
    yield chunk;
  }
}

/** Errors: UNSUPPORTED for what is compressed in what is compressed. */
function assertOnce(file: ByteSource, codec: Codec): void {
  const inside = unpacked(file, codec);
  try {
    if (codecOf(inside) === undefined) return;
    throw new UnsupportedError("an archive that is compressed twice is read only; decompress it once", {
      file: file.name,
    });
  } finally {
    inside.close();
  }
}
