import { message, optional, required, type Value } from "../../../schema/message.js";

export const BINFMT_MISC_ENTRY = message(
  "binfmt_misc_entry",
  "One registered binary format of binfmt_misc.",
  {
    name: required(1, "string", { doc: "name of its file in the binfmt_misc file system" }),
    enabled: required(2, "bool"),
    interpreter: required(3, "string", {
      doc: "absolute path of the program that runs such files",
      holds: "path",
    }),
    flags: optional(4, "string", { doc: "letters as in the register file, such as P, O, C, F" }),
    extension: optional(5, "string", { doc: "file name extension without the dot, for formats known by it" }),
    magic: optional(6, "string", { doc: "bytes to match, as hexadecimal text" }),
    mask: optional(7, "string", { doc: "mask of the magic, as hexadecimal text" }),
    offset: optional(8, "int32", { doc: "offset of the magic in the file, in bytes" }),
  },
);
export type BinfmtMiscEntry = Value<typeof BINFMT_MISC_ENTRY>;
