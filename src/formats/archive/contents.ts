import { MAX_LISTED_CHANGES } from "../../io/limits.js";
import type { ByteSource } from "../../io/source.js";
import { isFar } from "../../io/unpacked-source.js";
import { DELETED, ROOT_DIFF } from "./engine-files.js";
import { readJson, textsAt } from "./json.js";
import { decompressedFile } from "./open.js";
import type { PackagedSet } from "./package.js";
import type { TarMember } from "./tar/member.js";
import { readTar } from "./tar/read.js";
import { joined } from "./tree.js";

const VOLUMES = "volumes";
const SHARED_MEMORY = "devshm-checkpoint.tar";
const TAR_SUFFIX = ".tar";
/** Of a layer: a deleted file, and a directory of which nothing below is kept (OCI image specification, layer.md). */
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** A file of the root file system that is not as in the image of the container. */
export interface RootChange {
  readonly change: "changed" | "deleted" | "replaced";
  readonly path: string;
  /** What stands in the archive; undefined for a deleted file. */
  readonly member?: TarMember | undefined;
}

/** The changed and new files of the root file system, and the deleted ones. Errors: FormatError. */
export function* rootChanges(set: PackagedSet): Generator<RootChange> {
  const diff = rootDiff(set);
  for (const member of diff === undefined ? [] : membersOf(diff)) yield changeOf(member);
  for (const path of rootDeletions(set)) yield { change: "deleted", path };
}

/** The deleted files of the root file system that a list names; whiteouts of a layer are among its changes. */
export function rootDeletions({ tree, base }: PackagedSet): string[] {
  const deleted = tree.open(joined(base, DELETED));
  return deleted === undefined ? [] : textsAt([readJson(deleted)], "0");
}

/** The archive with the changed files of the root file system, still compressed if it is; undefined without one. */
export function rootDiff({ tree, base }: PackagedSet): ByteSource | undefined {
  return tree.open(joined(base, ROOT_DIFF));
}

/** Whether its members can be listed without decompressing the archive once more. */
export function hasNearRootDiff(set: PackagedSet): boolean {
  const diff = rootDiff(set);
  return diff === undefined || !isFar(diff);
}

function changeOf(member: TarMember): RootChange {
  const cut = member.path.lastIndexOf("/") + 1;
  const [directory, base] = [member.path.slice(0, cut), member.path.slice(cut)];
  const at = (path: string): string => `/${path.replace(/^\/+/, "")}`;
  if (base === OPAQUE) return { change: "replaced", path: at(directory) };
  if (base.startsWith(WHITEOUT))
    return { change: "deleted", path: at(directory + base.slice(WHITEOUT.length)) };
  return { change: "changed", path: at(member.path), member };
}

/** A volume, or the shared memory, that was stored with the container. */
export interface StoredVolume {
  /** Of a named volume; undefined for /dev/shm. */
  readonly name: string | undefined;
  readonly source: ByteSource;
}

/** The stored volumes by name, and /dev/shm. */
export function storedVolumes({ tree, base }: PackagedSet): StoredVolume[] {
  const directory = joined(base, VOLUMES);
  const names = [...(tree.list(directory)?.keys() ?? [])].filter((name) => name.endsWith(TAR_SUFFIX)).sort();
  const volumes = names.flatMap((name): StoredVolume[] => {
    const source = tree.open(joined(directory, name));
    return source === undefined ? [] : [{ name: name.slice(0, -TAR_SUFFIX.length), source }];
  });
  const shared = tree.open(joined(base, SHARED_MEMORY));
  return shared === undefined ? volumes : [...volumes, { name: undefined, source: shared }];
}

/** The members of an archive in an archive, at most as many as are listed. Errors: FormatError. */
export function* membersOf(source: ByteSource): Generator<TarMember> {
  const tar = decompressedFile(source);
  let count = 0;
  try {
    for (const member of readTar(tar)) {
      if (++count > MAX_LISTED_CHANGES) return;
      if (member.path !== "") yield member;
    }
  } finally {
    if (tar !== source) tar.close();
  }
}
