import path from "node:path";
import { FormatError } from "../../io/errors.js";
import type { FileSet } from "../../io/file-set.js";
import { MAX_LINKED_BYTES } from "../../io/limits.js";
import type { MessageTable, Value } from "../../schema/message.js";
import { fileNameOf, kindOfFileName } from "./detect.js";
import { CriuImage, type ImageRecord } from "./image.js";
import type { ImageKind } from "./image-kind.js";
import { IMAGES } from "./images.js";

/** A file of the set. `kind` is undefined for other files (logs, files of container engines). */
export interface SetFile {
  readonly name: string;
  readonly kind: ImageKind | undefined;
  readonly id: number | undefined;
}

/** A set of CRIU images: opens images by kind and id, each at most once. */
export class CriuImageSet {
  readonly files: readonly SetFile[];
  readonly #images = new Map<string, CriuImage>();
  protected readonly links = new Links();

  constructor(readonly fileSet: FileSet) {
    const regular = fileSet.names().map(setFile);
    // A symbolic link in place of an image is not a missing image: reading it is an error.
    const others = [...(fileSet.irregular?.().keys() ?? [])].map(setFile);
    this.files = [...regular, ...others.filter(({ kind }) => kind !== undefined)].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  }

  get name(): string {
    return this.fileSet.name;
  }

  /** Ids for which an image of that kind exists, ascending. */
  ids(kind: ImageKind): number[] {
    return this.files
      .filter((file) => file.kind === kind && file.id !== undefined)
      .map((file) => file.id as number)
      .sort((a, b) => a - b);
  }

  /** The image of that kind and id; undefined if missing. Errors: FormatError for one of another kind. */
  image<M extends MessageTable>(kind: ImageKind<M>, id?: number): CriuImage<Value<M>> | undefined {
    const image = this.imageNamed(fileNameOf(kind, id)) as CriuImage<Value<M>> | undefined;
    const found = image?.kind;
    if (found !== undefined && found.magic !== kind.magic)
      throw new FormatError("INVALID", `invalid magic ${found.name} (expected ${kind.name})`, {
        file: image?.source.name,
        offset: 0,
      });
    return image;
  }

  /** The image in the file of that name; undefined if there is no such file. */
  imageNamed(fileName: string): CriuImage | undefined {
    let image = this.#images.get(fileName);
    if (image === undefined) {
      const source = this.fileSet.open(fileName);
      if (source === undefined) return undefined;
      image = new CriuImage(source, fileName);
      this.links.count(image);
      this.#images.set(fileName, image);
    }
    return image;
  }

  /** Decoded records of the image; empty if the file does not exist, as in criu. */
  records<M extends MessageTable>(kind: ImageKind<M>, id?: number): readonly ImageRecord<Value<M>>[] {
    return this.image(kind, id)?.records() ?? [];
  }

  /** What `make` gives for each record, which is not kept. None when the file does not exist. */
  map<M extends MessageTable, T>(
    kind: ImageKind<M>,
    id: number | undefined,
    make: (record: ImageRecord<Value<M>>) => T,
  ): T[] {
    const made: T[] = [];
    for (const record of this.image(kind, id)?.heldRecords() ?? []) made.push(make(record));
    return made;
  }

  /** The only record of the image; undefined without the file. Errors: FormatError for a file without records. */
  first<M extends MessageTable>(kind: ImageKind<M>, id?: number): Value<M> | undefined {
    const image = this.image(kind, id);
    if (image === undefined) return undefined;
    const value = this.firstIfAny(kind, id);
    if (value !== undefined) return value;
    throw new FormatError("TRUNCATED", `no records (expected a ${kind.entries[0]?.message.name})`, {
      file: image.source.name,
    });
  }

  /** Like `first`, but undefined for a file without records too. */
  firstIfAny<M extends MessageTable>(kind: ImageKind<M>, id?: number): Value<M> | undefined {
    for (const { value } of this.image(kind, id)?.readRecords() ?? []) return value;
    return undefined;
  }

  /** Like `first`, but decodes only part of the message. */
  firstPart<M extends MessageTable>(kind: ImageKind, id: number | undefined, table: M): Value<M> | undefined {
    const image = this.image(kind, id);
    for (const record of image?.readParts(table) ?? []) return record.value;
    return image && (this.first(kind, id) as Value<M>);
  }

  /** Like `first`, for a required image. Errors: FormatError MISSING without it. */
  required<M extends MessageTable>(kind: ImageKind<M>, id?: number): Value<M> {
    const value = this.first(kind, id);
    if (value === undefined)
      throw new FormatError("MISSING", "missing required image", {
        file: path.join(this.name, fileNameOf(kind, id)),
      });
    return value;
  }

  /** Stops reading an image that is too large to hold: throws the error, or records it if damage is tolerated. */
  refuse(_fileName: string, _record: number, error: FormatError): void {
    throw error;
  }

  /** The set that the `parent` link of an incremental checkpoint points to. */
  parent(): CriuImageSet | undefined {
    const files = this.fileSet.parent();
    return files === undefined ? undefined : new CriuImageSet(files);
  }

  close(): void {
    this.fileSet.close();
  }
}

/** Names that images of a set share: a small file under many names would cost as if it were a large set. */
class Links {
  readonly #known = new Set<string>();
  #bytes = 0;

  /** Errors: FormatError TOO_LARGE when further names of files are those of too many bytes of records. */
  count({ kind, source }: CriuImage): void {
    if (kind === undefined || source.linked === undefined) return;
    if (!this.#known.has(source.linked)) this.#known.add(source.linked);
    else this.#bytes += source.size;
    if (this.#bytes > MAX_LINKED_BYTES)
      throw new FormatError(
        "TOO_LARGE",
        `too large: images that are hard links of one another are read up to ${MAX_LINKED_BYTES} bytes`,
        { file: source.name },
      );
  }
}

function setFile(name: string): SetFile {
  const found = kindOfFileName(name);
  return { name, kind: found?.kind, id: found?.id };
}

/** Whether the files look like a CRIU image set: it has an inventory or a process tree. */
export function isCriuSet(files: FileSet): boolean {
  const names = new Set([...files.names(), ...(files.irregular?.().keys() ?? [])]);
  return names.has(IMAGES.INVENTORY.file) || names.has(IMAGES.PSTREE.file);
}
