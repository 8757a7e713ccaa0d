import fs from "node:fs";
import path from "node:path";
import { EngineFileSet, pathIn } from "../../../formats/archive/engine-files.js";
import { type Repacked, repacked } from "../../../formats/archive/repack.js";
import { chunksOf } from "../../../io/digest.js";
import { EditError, UnsupportedError, UsageError } from "../../../io/errors.js";
import { tryLock } from "../../../io/file-lock.js";
import type { FileSet } from "../../../io/file-set.js";
import { createFile } from "../../../io/new-file.js";
import type { ByteSource } from "../../../io/source.js";
import { FileSource } from "../../../io/source.js";
import { writeSource } from "../../../io/write-file.js";
import type { CriuDocument, Packaged } from "../../../model/document.js";
import type { EditTarget, ImageFiles, WrittenImage } from "../image-files.js";
import { type EditLog, readLog } from "../log.js";
import type { LogEntry } from "../log-entry.js";
import { assertFree, stampAt } from "../target-file.js";
import { copyTree } from "./copy-tree.js";
import { assertOfSet } from "./set-files.js";

/** The files of a set, and of one in a package also those that describe the container. */
export function filesOfSet({ set: { fileSet }, packaged }: CriuDocument): FileSet {
  return packaged === undefined || packaged.isDirectory ? fileSet : new EngineFileSet(fileSet, packaged.set);
}

/** The files of a set in an archive; the log is a member beside the images, which engines and criu pass over. */
export class PackagedFiles implements ImageFiles {
  readonly files: FileSet;

  constructor(
    document: CriuDocument,
    private readonly packaged: Packaged,
  ) {
    this.files = filesOfSet(document);
  }

  get log(): EditLog {
    return readLog(this.files);
  }

  nameIn(_target: EditTarget, name: string): string {
    return name;
  }

  assertUndoable(entries: readonly LogEntry[]): void {
    assertOfSet(entries, this.files.name);
  }

  /** The archive is one file: a new one takes its name at once, so that nothing is left to recover. */
  write(changed: ReadonlyMap<string, ByteSource | null>, target: EditTarget): WrittenImage {
    const made = this.#repacked(changed);
    if (target.to === "new") this.#writeNew(made, target);
    else if (changed.size > 0) this.#replace(made);
    const { name } = this.packaged.package;
    return { path: target.to === "new" ? target.path : name, copied: undefined };
  }

  /** The bytes of the archive with other files. Errors: UNSUPPORTED for a directory. */
  bytes(changed: ReadonlyMap<string, ByteSource | null>): Iterable<Buffer> {
    const made = this.#repacked(changed);
    if (made.to === "directory")
      throw new UnsupportedError("the directory of an engine is not one file", { file: this.files.name });
    return Symbol.iterator in made.content ? made.content : chunksOf(made.content);
  }

  #repacked(changed: ReadonlyMap<string, ByteSource | null>): Repacked {
    const { package: found, set } = this.packaged;
    return repacked(found, set, new Map([...changed].map(([name, content]) => [pathIn(set, name), content])));
  }

  #writeNew(made: Repacked, { path: to, copy = false }: EditTarget & { readonly to: "new" }): void {
    if (to === "") throw new UsageError("the new file has no name");
    if (made.to === "directory") {
      copyTree(made.from, to, made.changes, { copy });
      return;
    }
    assertFree(to);
    const { file } = this.packaged.package;
    const from = file instanceof FileSource ? file.path : undefined;
    const write = (temporary: string): void => {
      writeSource(temporary, made.content, { from, sync: true });
      this.#assertUnchanged();
    };
    createFile(to, write, { isNew: true });
  }

  #replace(made: Repacked): void {
    const { file, name } = this.packaged.package;
    if (made.to === "directory")
      throw new UnsupportedError(
        `the directory of an engine is not edited in place; write a new one with -o, or edit the images alone: crimg edit ${path.join(name, this.packaged.set.images)}`,
        { file: name },
      );
    if (!(file instanceof FileSource))
      throw new UnsupportedError(
        "this archive comes through a pipe, so there is no file to change; use -o FILE",
        {
          file: name,
        },
      );
    const real = fs.realpathSync(file.path);
    const held = fs.openSync(real, "r");
    try {
      if (tryLock(held) === "theirs")
        throw new EditError("another crimg edit of this archive is in progress; try again later", {
          file: name,
        });
      createFile(real, (temporary, beside) => {
        const old = beside.at(path.basename(real));
        writeSource(temporary, made.content, { like: old, sync: true });
        this.#assertUnchanged(old);
      });
    } finally {
      fs.closeSync(held);
    }
  }

  /** `at`: a path to the archive, in the directory that is written to. */
  #assertUnchanged(at?: string): void {
    const { file, name } = this.packaged.package;
    if (file instanceof FileSource && stampAt(at ?? file.path) !== file.stamp)
      throw new EditError("the archive was changed by another program meanwhile; nothing was done", {
        file: name,
      });
  }
}
