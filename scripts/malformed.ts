// Writes fixtures/malformed: images that CRIU would not write, a few bytes each. Run after a change of the table:
//
//   node --import tsx scripts/malformed.ts && BLESS=1 npm test test/hostile/malformed.test.ts
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const MALFORMED = fileURLToPath(new URL("../fixtures/malformed", import.meta.url));

const FS = "19435654 12394051";
const FILES = "19435654 38313056";
const PIPES_DATA = "19435654 09374556";
const PSTREE = "19435654 30302750";
const IPCNS_MSG = "19435654 37374555";
const GHOST_FILE = "19435654 05365852";
const UTSNS = "19435654 03324754";
const SECCOMP = "19435654 49304164";

/** File name → bytes in hexadecimal. The comment behind a file says what is wrong with it. */
export const CASES: Readonly<Record<string, string>> = {
  "empty.img": "", // nothing at all
  "half-magic.img": "1943", // the first word is cut off
  "head-only.img": "19435654", // the second word is cut off
  "unknown-magic.img": "19435654 efbeadde", // no kind has this magic
  "no-magic.img": "00000000 00000000", // zeros
  "half-size.img": `${FS} 0600`, // the size word is cut off
  "short-record.img": `${FS} 06000000 080e10`, // the record is cut off
  "size-4-gib.img": `${FS} ffffffff 080e100f1812`, // the record claims all of 4 GiB
  "length-4-gib.img": `${UTSNS} 07000000 0affffffff0f61`, // a string claims 4 GiB
  "length-past-record.img": `${UTSNS} 04000000 0a056161 120162`, // a string goes on into the next record
  "payload-4-gib.img": `${PIPES_DATA} 08000000 080110ffffffff0f 616263`, // a pipe claims 4 GiB of data
  "payload-cut.img": `${PIPES_DATA} 04000000 08011005 616263`, // a pipe claims two bytes more than there are
  "padding-cut.img": `${IPCNS_MSG} 14000000 0a0e0801100118012001280130013801 10091801 04000000 08011003 616263`, // the padding of a message is missing
  "messages-missing.img": `${IPCNS_MSG} 18000000 0a0e0801100118012001280130013801 100918ffffffff0f`, // a queue claims 2^32-1 messages
  "required-missing.img": `${FS} 02000000 080e`, // fs_entry without root_id
  "varint-too-long.img": `${FS} 0f000000 08808080808080808080808001 100f`, // eleven bytes
  "varint-too-large.img": `${FS} 0d000000 08ffffffffffffffffff7f 100f`, // more than 64 bits
  "group.img": `${FS} 05000000 080e100f 1b`, // a group, which CRIU never uses
  "field-0.img": `${FS} 06000000 080e100f 0001`, // field number 0
  "wire-type-7.img": `${FS} 06000000 080e100f 1f01`, // no such wire type
  "wrong-wire-type.img": `${FS} 07000000 080e100f 1a0161`, // umask as text
  "duplicate.img": `${FS} 06000000 0801080e100f`, // cwd_id twice
  "out-of-order.img": `${FS} 06000000 1812100f080e`, // fields by falling number
  "long-varint.img": `${FS} 06000000 088e8000100f`, // a varint longer than needed
  "unknown-field.img": `${FS} 0b000000 080e100f1812 fa06026869`, // field 111
  "unknown-first.img": `${FS} 0b000000 fa06026869 080e100f1812`, // field 111 in front
  "unknown-enum.img": `${FILES} 04000000 08631001`, // a file of type 99
  "packed.img": `${PSTREE} 0c000000 0801100018012001 2a020102`, // threads packed
  "big-endian.img": "54564319 51403912 00000006 080e100f1812", // from a machine like s390x
  "old.img": "12394051 06000000 080e100f1812", // from criu before 1.6
  "empty-records.img": `${SECCOMP} 00000000 00000000`, // two empty messages
  "not-utf8.img": `${UTSNS} 07000000 0a0261ff120162`, // a host name that is no text
  "escapes.img": `${UTSNS} 0f000000 0a0a1b5d303b787807e280ae120162`, // a host name that would command a terminal
  "ghost-directory.img": `${GHOST_FILE} 08000000 0800100018ed8301 ff`, // a directory with a byte behind it
};

export function malformedBytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(MALFORMED, { recursive: true, force: true });
  mkdirSync(MALFORMED, { recursive: true });
  for (const [name, hex] of Object.entries(CASES)) writeFileSync(join(MALFORMED, name), malformedBytes(hex));
}
