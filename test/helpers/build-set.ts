import { fileNameOf } from "../../src/formats/criu/detect.js";
import type { ImageKind } from "../../src/formats/criu/image-kind.js";
import { CriuImageSet } from "../../src/formats/criu/image-set.js";
import type { FileSet } from "../../src/io/file-set.js";
import { MemorySource } from "../../src/io/source.js";
import type { CriuDocument } from "../../src/model/document.js";
import { openFileSet } from "../../src/open.js";
import { encodeMessage } from "../../src/schema/encode.js";
import type { MessageTable, Value } from "../../src/schema/message.js";

const HEADS = { common: 0x54564319, service: 0x55105940 };

/** Builds image sets record by record, for states that a criu of today does not make. */
export class SetBuilder {
  readonly files = new Map<string, Buffer>();

  /** Adds an image of `kind` with these records, each with the bytes that follow it. */
  image<M extends MessageTable>(
    kind: ImageKind<M>,
    id: number | undefined,
    values: readonly Value<M>[],
    payloads: readonly Buffer[] = [],
  ): this {
    const words = kind.head === "none" ? [kind.magic ?? 0] : [HEADS[kind.head], kind.magic ?? 0];
    const parts = words.map(u32);
    for (const [i, value] of values.entries()) {
      const rule = kind.entries[Math.min(i, kind.entries.length - 1)];
      if (rule === undefined) throw new Error(`${kind.name} has no records`);
      const message = encodeMessage(rule.message, value as Value<M>);
      parts.push(u32(message.length), message, payloads[i] ?? Buffer.alloc(0));
    }
    this.files.set(fileNameOf(kind, id), Buffer.concat(parts));
    return this;
  }

  set(): CriuImageSet {
    return new CriuImageSet(memoryFiles(this.files));
  }

  document(): CriuDocument {
    return openFileSet(memoryFiles(this.files));
  }
}

/** Files that exist in memory only. */
export function memoryFiles(files: ReadonlyMap<string, Buffer>, name = "memory"): FileSet {
  return {
    name,
    names: () => [...files.keys()].sort(),
    open: (file) => {
      const bytes = files.get(file);
      return bytes === undefined ? undefined : new MemorySource(bytes, `${name}/${file}`);
    },
    parent: () => undefined,
    close: () => {},
  };
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
