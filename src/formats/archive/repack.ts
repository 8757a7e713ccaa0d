import { ConcatSource } from "../../io/concat.js";
import { UnsupportedError } from "../../io/errors.js";
import { chunksOfPieces } from "../../io/piece-stream.js";
import type { ByteSource } from "../../io/source.js";
import { type Codec, codecOf, unpacked } from "./codecs.js";
import { DirectoryTree } from "./directory-tree.js";
import { FORMS, type Package, type PackagedSet } from "./package.js";
import { rewrittenTar } from "./tar/rewrite.js";
import { TarTree } from "./tar/tree.js";
import type { TreeChanges } from "./tree.js";

/** What is written for a package in which files of a set are others: a file, or a directory with other files. */
export type Repacked =
  | { readonly to: "file"; readonly content: ByteSource | Iterable<Buffer> }
  | { readonly to: "directory"; readonly from: DirectoryTree; readonly changes: TreeChanges };

/**
 * A package with other files in one of its sets; what was not changed stays as it is, byte by byte.
 * Errors: EDIT as `rewrittenTar`; UNSUPPORTED for a form that is only read.
 */
export function repacked(
  { file, form, name }: Package,
  { tree }: PackagedSet,
  changes: TreeChanges,
): Repacked {
  if (file !== undefined && tree instanceof TarTree)
    return { to: "file", content: archiveBytes(tree, file, changes) };
  if (file === undefined && tree instanceof DirectoryTree) return { to: "directory", from: tree, changes };
  throw new UnsupportedError(
    `a ${FORMS[form].title} (${FORMS[form].maker}) is read only; take the set out: crimg convert ${name} DIR`,
    { file: name },
  );
}

/** The bytes of an archive, compressed as `file` is, which holds it. */
export function archiveBytes(
  tree: TarTree,
  file: ByteSource,
  changes: TreeChanges,
): ByteSource | Iterable<Buffer> {
  const { source } = tree;
  const pieces = rewrittenTar(tree, changes);
  const codec = codecOf(file);
  if (codec === undefined) return new ConcatSource(file.name, pieces);
  assertOnce(file, codec);
  return codec.compress(chunksOfPieces(pieces, source, codec.chunks(file)), file.name);
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
