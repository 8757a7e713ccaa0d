import fs from "node:fs";
import { IMAGES } from "../../../formats/criu/images.js";
import { MM_ENTRY } from "../../../formats/criu/tables/mm.js";
import type { RegFileEntry } from "../../../formats/criu/tables/regfile.js";
import { buildIdWords, readBuildId } from "../../../formats/elf/build-id.js";
import { globMatcher } from "../../../io/glob.js";
import { resolveInRoot } from "../../../io/rooted-path.js";
import { FileSource } from "../../../io/source.js";
import { S_IFMT } from "../../../linux/files.js";
import { O_APPEND, O_WRONLY } from "../../../linux/open-flags.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";
import { type FoundFile, regFiles } from "../reg-files.js";

const VMA_OF_FILE = 0x40 | 0x80;
const VMA_OF_MEMFD = 0x4000;

/** `--accept-file GLOB`: what the restore checks becomes what the file is now. */
export const acceptFile: EditKind<string, Draft> = {
  name: "accept-file",
  syntax: "GLOB",
  summary: "take size, mode and build id of these files from the files as they now are under --root",
  parse: parsePattern,
  lookedFor: (glob) => `no open or mapped file that is there has a path that matches ${glob}`,
  plan(edits, draft) {
    for (const { edit, args } of edits) {
      const matches = globMatcher(args);
      for (const file of regFiles(draft))
        if (file.value.ext !== true && matches(file.value.name)) acceptAsItIs(draft, edit, file);
    }
  },
};

/** Reads a pattern; a bad one is told at once. Errors: USAGE. */
export function parsePattern(text: string): string {
  globMatcher(text);
  return text;
}

/** Sets the checks of one file that the image holds to what the file is now; a file that is not there is warned of. */
export function acceptAsItIs(draft: Draft, edit: Edit, file: FoundFile): void {
  const { value } = file;
  if (deletedFiles(draft).has(value.id)) return; // it comes out of the set, whatever lies at its path now
  if (value.size === undefined && value.mode === undefined && value.build_id.length === 0) {
    draft.matched(edit);
    return;
  }
  const root = draft.options.root ?? "/";
  const onDisk = resolveInRoot(root, value.name);
  const stat = onDisk === undefined ? undefined : fs.statSync(onDisk, { throwIfNoEntry: false });
  if (onDisk === undefined || stat === undefined) {
    draft.leave(edit, at(file, value.name, `there is no such file under ${root}`));
    draft.warnings.add(`${value.name} is not there under ${root}, so there is nothing to accept`);
    return;
  }
  if (value.mode !== undefined && (value.mode & S_IFMT) !== (stat.mode & S_IFMT)) {
    draft.leave(edit, at(file, value.name, "a file of another type now"));
    draft.warnings.add(`${value.name} is a file of another type now; the program cannot go on with it`);
    return;
  }
  draft.matched(edit);
  if (value.size !== undefined && stat.isFile()) {
    warnOfContents(draft, value, BigInt(stat.size));
    set(draft, edit, file, "size", BigInt(stat.size));
  }
  if (value.mode !== undefined) set(draft, edit, file, "mode", stat.mode);
  if (value.build_id.length > 0 && stat.isFile()) acceptBuildId(draft, edit, file, onDisk);
}

function acceptBuildId(draft: Draft, edit: Edit, file: FoundFile, onDisk: string): void {
  const source = new FileSource(onDisk);
  try {
    const id = readBuildId(source);
    const words = id === undefined ? [] : buildIdWords(id, file.image.header?.byteOrder ?? "little-endian");
    const isOther =
      words.length !== file.value.build_id.length || words.some((word, i) => word !== file.value.build_id[i]);
    if (isOther && mappedFiles(draft).has(file.value.id))
      draft.warnings.add(
        `${file.value.name} is mapped and is another build now: the restored program will jump to addresses of the old one and most likely crash`,
      );
    if (isOther) set(draft, edit, file, "build_id", id === undefined ? undefined : words);
  } finally {
    source.close();
  }
}

/** Accepting a size never makes the contents right; only for an append-only log does that not matter. */
function warnOfContents(draft: Draft, value: RegFileEntry, size: bigint): void {
  if (value.size === size) return;
  const isLog =
    (value.flags & (O_WRONLY | O_APPEND)) !== 0 &&
    ((value.flags & O_APPEND) !== 0 || value.pos === value.size);
  if (isLog)
    draft.notes.add(`${value.name} is a log that the program only appends to; it goes on at ${value.pos}`);
  else
    draft.warnings.add(
      `${value.name} had ${value.size} bytes and has ${size}: the program goes on at offset ${value.pos} of contents it does not know`,
    );
}

/** Ids of files that were gone at the checkpoint. */
function deletedFiles(draft: Draft): ReadonlySet<number> {
  return draft.once(
    "deleted files",
    () => new Set(draft.set.records(IMAGES.REMAP_FPATH).map(({ value }) => value.orig_id)),
  );
}

/** Ids of files that some mapping shows. */
function mappedFiles(draft: Draft): ReadonlySet<number> {
  return draft.once("mapped files", () => {
    const ids = new Set<number>();
    draft.eachMessage(MM_ENTRY, ({ value }) => {
      for (const { status, shmid } of value.vmas)
        if ((status & VMA_OF_FILE) !== 0 && (status & VMA_OF_MEMFD) === 0) ids.add(Number(shmid));
    });
    return ids;
  });
}

function set(draft: Draft, edit: Edit, file: FoundFile, field: string, value: unknown): void {
  draft.change(edit, file.image, file.record, [...file.path, field], value);
}

function at({ image, record, path }: FoundFile, value: string, why: string) {
  return { image: image.fileName, record: record.index, field: [...path, "name"].join("."), value, why };
}
