import type { Note } from "../../formats/elf/core-file.js";
import type { Thread } from "../../model/checkpoint.js";
import { type StructField, WORD_BYTES } from "../../schema/struct.js";
import { writeGivenFields } from "../../schema/struct-writer.js";
import type { CoreArchitecture, Layout } from "./architectures.js";

/** The general registers of a thread as its status has them; those that the image does not have are 0. */
export function generalRegisters(architecture: CoreArchitecture, thread: Thread): Buffer {
  const { general, byteOrder } = architecture;
  return encodeFirst(general, thread, byteOrder) ?? Buffer.alloc((general[0] as Layout)[0].size);
}

/** The other sets of a thread, as far as the image has them. */
export function* registerNotes({ sets, byteOrder }: CoreArchitecture, thread: Thread): Generator<Note> {
  for (const { owner, type, layouts } of sets) {
    const content = encodeFirst(layouts, thread, byteOrder);
    if (content !== undefined) yield { owner, type, content };
  }
}

function encodeFirst(
  layouts: readonly Layout[],
  { registers, otherRegisters }: Thread,
  byteOrder: CoreArchitecture["byteOrder"],
): Buffer | undefined {
  for (const [table, prefix] of layouts) {
    let isThere = false;
    const stored = (name: string, { type }: StructField): bigint | number => {
      const value = otherRegisters.get(prefix + name) ?? (prefix === "" ? registers.get(name) : undefined);
      isThere ||= value !== undefined;
      const bits = BigInt.asUintN(WORD_BYTES[type as "u32" | "u64"] * 8, value ?? 0n);
      return type === "u64" ? bits : Number(bits);
    };
    const fields = Object.entries(table.fields).map(([name, field]) => [
      name,
      field.count === undefined
        ? stored(name, field)
        : Array.from({ length: field.count }, (_, i) => stored(`${name}${i}`, field)),
    ]);
    if (isThere) return writeGivenFields(table, Object.fromEntries(fields), byteOrder);
  }
  return undefined;
}
