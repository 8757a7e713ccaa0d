import { record } from "../record-kind.js";
import { ARM_HEADER_ARCH } from "../tables/arm.js";
import { HEADER, HEADER_0ABE2FE, HEADER_67CFEE9, OBJREF, SECURITY, TAIL } from "../tables/head.js";
import { PPC_HEADER_ARCH } from "../tables/powerpc.js";
import { S390_HEADER_ARCH } from "../tables/s390.js";
import { X86_HEADER_ARCH } from "../tables/x86.js";

/** Records that start and end an image, and carry data of others. */
export const STREAM_RECORDS = {
  HEADER: record(
    "HEADER",
    [[1, "0abe2fe"]],
    [
      { since: "0abe2fe", table: HEADER_0ABE2FE },
      { since: "67cfee9", table: HEADER_67CFEE9 },
      { since: "a272e68", table: HEADER },
    ],
    {
      doc: HEADER.doc,
      follows: "three BUFFERs of the sizes in its constants: release, version and machine; then HEADER_ARCH",
    },
  ),
  HEADER_ARCH: record(
    "HEADER_ARCH",
    [[2, "0abe2fe"]],
    [
      { arch: "x86", table: X86_HEADER_ARCH },
      { arch: "s390", table: S390_HEADER_ARCH },
      { arch: "powerpc", table: PPC_HEADER_ARCH },
      { arch: "arm", table: ARM_HEADER_ARCH },
    ],
    { doc: "Features of the processor of the image", follows: "CONTAINER" },
  ),
  CONTAINER: record("CONTAINER", [[3, "0abe2fe"]], [], {
    doc: "Starts the records about the whole container",
    follows: "since v19-rc1 a BUFFER of 11 bytes with the name of the security module, and LSM_INFO",
  }),
  BUFFER: record("BUFFER", [[4, "0abe2fe"]], [], {
    doc: "Bytes that belong to the record before",
    payload: "bytes",
  }),
  STRING: record("STRING", [[5, "0abe2fe"]], [], {
    doc: "Text with its NUL that belongs to the record before",
    payload: "text",
  }),
  OBJREF: record("OBJREF", [[6, "0abe2fe"]], [{ table: OBJREF }], {
    doc: OBJREF.doc,
    follows: "the records of the object; an OBJREF may precede any record",
  }),
  LSM_INFO: record("LSM_INFO", [[7, "d55d4c8"]], [], {
    doc: "Private data of the security module, at most 200 bytes",
    payload: "bytes",
  }),
  SECURITY: record("SECURITY", [[8, "d55d4c8"]], [{ table: SECURITY }], {
    doc: SECURITY.doc,
    follows: "STRING: the label",
  }),
  TAIL: record("TAIL", [[9001, "0abe2fe"]], [{ table: TAIL }], { doc: TAIL.doc }),
  ERROR: record("ERROR", [[9999, "0abe2fe"]], [], {
    doc: "The checkpoint failed here",
    payload: "text",
    follows: "STRING: a NUL, then the message",
  }),
} as const;
