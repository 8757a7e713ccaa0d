import fs from "node:fs";
import { readBuildId } from "../../../../formats/elf/build-id.js";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { globMatcher } from "../../../../io/glob.js";
import { fsPath, resolveInRoot } from "../../../../io/rooted-path.js";
import { FileSource } from "../../../../io/source.js";
import { S_IFMT } from "../../../../linux/files.js";
import type { Parsed } from "../../kind.js";
import type { Edit } from "../../plan.js";
import { pathOf, type StreamFile, streamFiles } from "../descriptors.js";
import type { StreamDraft } from "../draft.js";

/** Bits of FILE_IDENTITY.flags: what is stored. */
const HAS = { mode: 1, inode: 2, size: 4, mtime: 8 } as const;

/** FILE_IDENTITY becomes what the file is now under the root. */
export function planAcceptFile(edits: readonly Parsed<string>[], draft: StreamDraft): void {
  for (const { edit, args } of edits) eachNamed(draft, args, (file) => acceptInStream(draft, edit, file));
}

/** FILE_IDENTITY goes: whatever is at the path counts. */
export function planNoFileCheck(edits: readonly Parsed<string>[], draft: StreamDraft): void {
  for (const { edit, args } of edits) eachNamed(draft, args, (file) => dropIdentity(draft, edit, file));
}

function eachNamed(draft: StreamDraft, glob: string, visit: (file: StreamFile) => void): void {
  const matches = globMatcher(glob);
  for (const file of streamFiles(draft)) {
    const path = pathOf(draft, file);
    if (path !== undefined && matches(path)) visit(file);
  }
}

export function dropIdentity(draft: StreamDraft, edit: Edit, file: StreamFile): void {
  draft.matched(edit);
  const identity = draft.reader.index(file.part, RECORDS.FILE_IDENTITY);
  if (identity !== undefined) draft.drop(edit, identity);
}

/** Sets what the stream knows of one file to what it is now; one that is not there is warned of. */
export function acceptInStream(draft: StreamDraft, edit: Edit, file: StreamFile): void {
  const path = pathOf(draft, file) as string;
  // A deleted file comes out of the image, whatever lies at its path now.
  if (draft.reader.index(file.part, RECORDS.FILE_UNLINKED) !== undefined) return;
  const index = draft.reader.index(file.part, RECORDS.FILE_IDENTITY);
  draft.matched(edit);
  if (index === undefined || draft.isDropped(index)) return;
  const root = draft.options.root ?? "/";
  const onDisk = resolveInRoot(root, path);
  const stat =
    onDisk === undefined ? undefined : fs.statSync(fsPath(onDisk), { bigint: true, throwIfNoEntry: false });
  const refuse = (why: string): void => {
    draft.leave(edit, { image: draft.name, record: index, field: "", value: path, why });
    draft.warnings.add(`${path} under ${root} cannot be accepted: ${why}`);
  };
  if (onDisk === undefined || stat === undefined) {
    refuse("there is no such file");
    return;
  }
  const { flags, mode, size } = draft.value(index, RECORDS.FILE_IDENTITY);
  if ((flags & HAS.mode) !== 0 && (mode & S_IFMT) !== (Number(stat.mode) & S_IFMT)) {
    refuse("a file of another type now, with which the program cannot go on");
    return;
  }
  if ((flags & HAS.size) !== 0 && stat.isFile() && size !== stat.size)
    draft.warnings.add(
      `${path} had ${size} bytes and has ${stat.size}: the program goes on in contents it may not know`,
    );
  const set = (bit: number, field: string, value: unknown): void => {
    if ((flags & bit) !== 0) draft.change(edit, index, field, value);
  };
  set(HAS.mode, "mode", Number(stat.mode));
  set(HAS.inode, "dev", stat.dev);
  set(HAS.inode, "ino", stat.ino);
  set(HAS.size, "size", stat.size);
  set(HAS.mtime, "mtime_sec", stat.mtimeNs / 1_000_000_000n);
  set(HAS.mtime, "mtime_nsec", Number(stat.mtimeNs % 1_000_000_000n));
  if (draft.payload(index).length > 0 && stat.isFile()) acceptBuildId(draft, edit, index, path, onDisk);
}

function acceptBuildId(draft: StreamDraft, edit: Edit, index: number, path: string, onDisk: string): void {
  const source = new FileSource(onDisk);
  try {
    const id = readBuildId(source) ?? Buffer.alloc(0);
    if (!id.equals(draft.payload(index)))
      draft.warnings.add(
        `${path} is another build now: a program that maps it will jump to addresses of the old one and most likely crash`,
      );
    draft.setPayload(edit, index, id, "payload");
  } finally {
    source.close();
  }
}
