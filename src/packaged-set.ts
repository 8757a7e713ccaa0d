import fs from "node:fs";
import { DirectoryTree } from "./formats/archive/directory-tree.js";
import { type Foreign, foreignFile, foreignTree } from "./formats/archive/foreign.js";
import { decompressedFile, packageInDirectory, packageInFile } from "./formats/archive/open.js";
import type { Package, PackagedSet } from "./formats/archive/package.js";
import { joined } from "./formats/archive/tree.js";
import { CrimgError, UnsupportedError, UsageError } from "./io/errors.js";
import type { FileSet } from "./io/file-set.js";
import { type ByteSource, FileSource } from "./io/source.js";
import type { Packaged } from "./model/document.js";

/** What stands between the name of an archive and the path in it. */
const SEPARATOR = "//";

/** The name of an image: of a file or directory, or of an archive with a path in it. */
export interface ImageName {
  readonly file: string;
  /** Empty for the file or directory itself. */
  readonly path: string;
}

/** Splits `ARCHIVE//PATH`; a name under which there is something is taken as it is. */
export function splitName(image: string): ImageName {
  const whole = { file: image, path: "" };
  if (exists(image)) return whole;
  for (let at = image.indexOf(SEPARATOR, 1); at > 0; at = image.indexOf(SEPARATOR, at + 1)) {
    const file = image.slice(0, at);
    if (exists(file)) return { file, path: image.slice(at + SEPARATOR.length).replace(/\/+$/, "") };
  }
  return whole;
}

function exists(file: string): boolean {
  try {
    fs.statSync(file);
    return true;
  } catch {
    return false; // among others ENOTDIR, for a path in an archive
  }
}

/** A set of a package as files. */
export interface OpenedSet {
  readonly files: FileSet;
  readonly packaged: Packaged;
}

/**
 * The set of a package with that path, or the only one. Errors: USAGE when there are several and none is named; MISSING for
 * a path that no set has.
 */
export function setOfPackage(found: Package, path: string, name: string): OpenedSet {
  const set = chosen(found, path);
  return {
    files: set.tree.set(set.images, name),
    packaged: { package: found, set, isDirectory: false },
  };
}

function chosen(found: Package, path: string): PackagedSet {
  const { sets, name } = found;
  const [only] = sets;
  if (path === "" && sets.length === 1 && only !== undefined) return only;
  const named =
    sets.find((set) => set.path === path && path !== "") ?? sets.find((set) => set.images === path);
  if (named !== undefined) return named;
  const names = sets.map((set) => `${name}${SEPARATOR}${set.path || set.images}`).slice(0, 10);
  const list =
    names.length < sets.length
      ? `${names.join(", ")} and ${sets.length - names.length} more`
      : names.join(", ");
  if (path === "")
    throw new UsageError(`${sets.length} image sets in this archive; name one: ${list}`, { file: name });
  throw new CrimgError("MISSING", `no image set ${JSON.stringify(path)} in it (expected ${list})`, {
    file: name,
  });
}

/**
 * A member by the name `ARCHIVE//PATH`: PATH is that of the member, or of an image within a set. Undefined for any other
 * name. Errors: MISSING for a path that is not there; FormatError of a damaged archive.
 */
export function memberNamed(image: string): ByteSource | undefined {
  const { file, path } = splitName(image);
  if (path === "") return undefined;
  const found = fs.statSync(file).isDirectory()
    ? packageIn(file)
    : packageOrBytes(new FileSource(file)).found;
  for (const { path: inside, tree, images } of found?.sets ?? []) {
    const prefix = inside === "" ? "" : `${inside}/`;
    if (!path.startsWith(prefix)) continue;
    const rest = path.slice(prefix.length);
    const member = tree.open(joined(images, rest)) ?? tree.open(rest);
    if (member !== undefined) return member;
  }
  throw new CrimgError("MISSING", `no member ${JSON.stringify(path)} in it`, { file });
}

/** The package in a file, or its decompressed bytes if they are none. Errors: FormatError. */
export function packageOrBytes(source: ByteSource): { readonly found?: Package; readonly bytes: ByteSource } {
  const bytes = decompressedFile(source);
  const found = packageInFile(bytes);
  return found === undefined ? { bytes } : { found: { ...found, file: source }, bytes };
}

/** The package in a directory; undefined for any other, plain image sets included. Errors: UNSUPPORTED for foreign ones. */
export function packageIn(directory: string): Package | undefined {
  const foreign = foreignTree(new DirectoryTree(directory));
  if (foreign !== undefined) throw foreignError(foreign, directory);
  return packageInDirectory(directory);
}

/** Names what a file is that crimg knows and does not read. Errors: UNSUPPORTED. */
export function refuseForeign(bytes: ByteSource, file: string): void {
  const foreign = foreignFile(bytes);
  if (foreign !== undefined) throw foreignError(foreign, file);
}

function foreignError({ what, next }: Foreign, file: string): UnsupportedError {
  return new UnsupportedError(`${what}; ${next}`, { file });
}
