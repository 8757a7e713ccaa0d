import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileNameOf, HEAD_MAGICS } from "../../../src/formats/criu/detect.js";
import { tableOf } from "../../../src/formats/criu/image.js";
import type { ImageKind } from "../../../src/formats/criu/image-kind.js";
import { CriuImageSet } from "../../../src/formats/criu/image-set.js";
import { DirectoryFileSet } from "../../../src/io/file-set.js";
import { encodeMessage } from "../../../src/schema/encode.js";
import type { AnyValue, MessageTable } from "../../../src/schema/message.js";
import { FIXTURES } from "../../unit/ops/validate/damaged-set.js";

/** An input that is small beside what it makes a careless program do. */
export interface HostileInput {
  readonly name: string;
  /** Writes it below a fresh directory and gives the path for the command line. */
  readonly make: (directory: string) => string;
  /** The file of a set that is hostile. */
  readonly image?: string;
  /** Commands that were the worst before they were mended: those run always, the rest by turns. */
  readonly worst: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** A real set in which images are replaced by large ones. */
export class HostileSet {
  readonly path: string;

  constructor(fixture: string, directory: string) {
    this.path = join(directory, fixture);
    cpSync(join(FIXTURES, fixture), this.path, { recursive: true });
  }

  /** The fields of a record of the real set, to be changed a little. */
  sample(kind: ImageKind, id: number | undefined, index: number): Fields {
    const set = new CriuImageSet(new DirectoryFileSet(this.path));
    const value = set.records(kind, id)[index]?.value;
    set.close();
    if (value === undefined) throw new Error(`${kind.name} has no record ${index}`);
    return value as Fields;
  }

  /** Replaces an image by one of so many records, each with the bytes that follow it. */
  image(
    kind: ImageKind,
    id: number | undefined,
    count: number,
    record: (index: number) => Fields,
    payload: (index: number) => Buffer = () => NOTHING,
  ): this {
    const head = kind.head === "none" ? [] : [HEAD_MAGICS[kind.head]];
    const parts = [...head, kind.magic ?? 0].map(u32);
    for (let i = 0; i < count; i++) {
      const message = encodeMessage(
        tableOf(kind, i) as MessageTable,
        complete(tableOf(kind, i), record(i)) as never,
      );
      parts.push(u32(message.length), message, payload(i));
    }
    return this.file(fileNameOf(kind, id).replace("%s", "dump"), Buffer.concat(parts));
  }

  file(name: string, bytes: Buffer): this {
    writeFileSync(join(this.path, name), bytes);
    return this;
  }
}

const NOTHING = Buffer.alloc(0);

/** The encoder wants a list for each repeated field. */
function complete(table: MessageTable, fields: Fields): AnyValue {
  const lists = Object.entries(table.fields).filter(([, field]) => field.label === "repeated");
  return { ...Object.fromEntries(lists.map(([name]) => [name, []])), ...fields };
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** A list of `count` of what `item` gives. */
export function listOf<T>(count: number, item: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => item(i));
}
