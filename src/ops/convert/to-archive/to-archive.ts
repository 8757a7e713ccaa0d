import { CODECS, type Codec } from "../../../formats/archive/codecs.js";
import { containerFacts } from "../../../formats/archive/container.js";
import type { PackagedSet } from "../../../formats/archive/package.js";
import { membersBelow, type PackedMember, packedTar } from "../../../formats/archive/tar/pack.js";
import { hasFile, joined } from "../../../formats/archive/tree.js";
import { ConcatSource } from "../../../io/concat.js";
import { chunksOf } from "../../../io/digest.js";
import { UnsupportedError } from "../../../io/errors.js";
import type { FileSet } from "../../../io/file-set.js";
import type { ByteSource } from "../../../io/source.js";
import type { CriuDocument, Document } from "../../../model/document.js";
import { forCriO } from "./cri-o.js";
import { ociLayout } from "./oci.js";

/** Forms of archives that are made: the container archives of two engines, and an OCI image with one of them as its layer. */
export const ARCHIVE_FORMS = ["podman", "cri-o", "oci"] as const;
export type ArchiveForm = (typeof ARCHIVE_FORMS)[number];

/** How an archive that is made can be compressed. */
export const COMPRESSIONS = ["none", "gzip", "zstd"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** An archive that is ready to be written. */
export interface MadeArchive {
  readonly content: ByteSource | Iterable<Buffer>;
  /** What the engine will not restore, each a sentence. */
  readonly notes: readonly string[];
}

const IMAGES = "checkpoint";
const CONFIG = "config.dump";
const SPEC = "spec.dump";

/**
 * A set as an archive that an engine restores: its images with the files that stand beside them, or beside those of
 * `like`. Nothing is written. Errors: UNSUPPORTED for a stream, and where no such files are; FormatError; EDIT.
 */
export function archiveOf(
  document: Document,
  form: ArchiveForm,
  compression: Compression,
  like: Document = document,
): MadeArchive {
  if (document.family === "linux-cr" || like.family === "linux-cr")
    throw new UnsupportedError(
      "no container engine takes a linux-cr stream; convert it to a CRIU set first",
      {
        file: document.name,
      },
    );
  const container = containerOf(like);
  const facts = containerFacts(container);
  const others = membersBelow(container.tree, container.base, "", (path) => isNoPart(container, path));
  const made = form === "cri-o" ? forCriO(others, container, facts) : { members: others, notes: [] };
  const members = [...made.members, ...imagesOf(document.set.fileSet)];
  const tar = new ConcatSource(document.name, packedTar(members));
  const image = form === "oci" ? ociLayout(tar, facts, document.checkpoint.architecture) : tar;
  return { content: compressedBy(compression, image), notes: made.notes };
}

/** Errors: UNSUPPORTED for a set without the files of an engine. */
function containerOf({ packaged, name }: CriuDocument): PackagedSet {
  const set = packaged?.set;
  if (set !== undefined && [CONFIG, SPEC].every((file) => hasFile(set.tree, joined(set.base, file))))
    return set;
  throw new UnsupportedError(
    `no ${CONFIG} and ${SPEC} beside the images, without which no engine restores them; name the archive that they came from: --like ARCHIVE`,
    { file: name },
  );
}

function isNoPart({ images, base }: PackagedSet, path: string): boolean {
  return (
    path === images ||
    path === joined(base, IMAGES) ||
    path.slice(path.lastIndexOf("/") + 1).startsWith(".crimg-")
  );
}

function* imagesOf(files: FileSet): Generator<PackedMember> {
  const head = { uid: 0, gid: 0, mtime: 0 };
  yield { ...head, path: IMAGES, type: "a directory", mode: 0o700 };
  for (const name of files.names()) {
    const mtime = Math.floor((files.modified?.(name)?.getTime() ?? 0) / 1000);
    const content = files.open(name);
    yield { ...head, path: joined(IMAGES, name), type: "a regular file", mode: 0o600, mtime, content };
  }
}

function compressedBy(compression: Compression, source: ByteSource): MadeArchive["content"] {
  const codec: Codec | undefined = CODECS.find(({ name }) => name === compression);
  return codec === undefined ? source : codec.compress(chunksOf(source), source.name);
}
