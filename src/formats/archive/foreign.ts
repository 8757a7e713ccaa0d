import type { ByteSource } from "../../io/source.js";
import { type FileTree, hasFile } from "./tree.js";

/** A file that is known and cannot be read, and what to do with it. */
export interface Foreign {
  readonly what: string;
  readonly next: string;
}

interface KnownFile extends Foreign {
  readonly offset: number;
  /** Bytes at `offset`, as latin1 text or a test. */
  readonly magic: string | ((head: Buffer) => boolean);
}

interface KnownDirectory extends Foreign {
  /** A file that only such a directory has, and how it begins. */
  readonly file: string;
  readonly magic?: string;
}

const VOLATILITY = "it holds a whole machine; volatility3 reads it";
const PGP = "decrypt it, and pipe the archive: gpg -d FILE | crimg show -";

/** By the first bytes: sources are named with each. */
const FILES: readonly KnownFile[] = [
  {
    what: "a file encrypted with age",
    next: "decrypt it, and pipe the archive: age -d -i KEY FILE | crimg show -",
    offset: 0,
    magic: "age-encryption.org/v1", // C2SP age.md
  },
  {
    what: "a file encrypted with age",
    next: "decrypt it, and pipe the archive: age -d -i KEY FILE | crimg show -",
    offset: 0,
    magic: "-----BEGIN AGE ENCRYPTED FILE-----",
  },
  {
    what: "a file encrypted with openssl enc",
    next: "decrypt it, and pipe the archive: openssl enc -d -CIPHER -pbkdf2 -in FILE | crimg show -",
    offset: 0,
    magic: "Salted__", // openssl-enc(1)
  },
  { what: "an OpenPGP message", next: PGP, offset: 0, magic: "-----BEGIN PGP MESSAGE-----" },
  { what: "an OpenPGP message", next: PGP, offset: 0, magic: isEncryptedPgp },
  {
    what: "a DMTCP checkpoint",
    next: "restart it with dmtcp_restart; crimg reads CRIU sets and linux-cr streams",
    offset: 0,
    magic: "DMTCP_CHECKPOINT_IMAGE_v", // dmtcp, include/procmapsarea.h
  },
  {
    what: "a Firecracker snapshot",
    next: "restore it with the firecracker of its version; it has no stable layout",
    offset: 0,
    magic: (head) =>
      [0x0710198486640000n, 0x07101984aaaa0000n].includes(head.readBigUInt64LE() & 0xffffffffffff0000n),
  },
  {
    what: "a gVisor checkpoint",
    next: "restore it with runsc restore",
    offset: 0,
    magic: "gVisorSF", // gvisor, pkg/state/statefile
  },
  { what: "a QEMU migration stream", next: VOLATILITY, offset: 0, magic: "QEVM" },
  { what: "a LiME memory dump", next: VOLATILITY, offset: 0, magic: "EMiL" },
  { what: "an AVML memory dump", next: VOLATILITY, offset: 0, magic: "AVML" },
  {
    what: "an ELF core dump",
    next: "open it with gdb PROGRAM FILE; crimg reads CRIU sets and linux-cr streams",
    offset: 0,
    magic: isElfCore,
  },
];

/** By a file in them. */
const DIRECTORIES: readonly KnownDirectory[] = [
  {
    what: "a CRIU set encrypted by criu",
    next: "crimg cannot decrypt it: restore it with the criu that has its private key",
    file: "cipher.img",
  },
  {
    what: "a gVisor checkpoint",
    next: "restore it with runsc restore",
    file: "checkpoint.img",
    magic: "gVisorSF",
  },
  { what: "a gVisor file system checkpoint", next: "restore it with runsc", file: "fscheckpoint.pb" },
];

const HEAD_BYTES = 64;

/** What a file is by its first bytes; undefined for an unknown one. */
export function foreignFile(source: ByteSource): Foreign | undefined {
  const head = Buffer.alloc(HEAD_BYTES);
  source.read(0, Math.min(HEAD_BYTES, source.size)).copy(head);
  return FILES.find(({ offset, magic }) =>
    typeof magic === "string"
      ? head.toString("latin1", offset, offset + magic.length) === magic
      : magic(head),
  );
}

/** What a directory is by its files; undefined for an unknown one. */
export function foreignTree(tree: FileTree): Foreign | undefined {
  return DIRECTORIES.find(({ file, magic }) => {
    if (!hasFile(tree, file)) return false;
    const source = tree.open(file);
    if (magic === undefined || source === undefined) return true;
    return source.size >= magic.length && source.read(0, magic.length).toString("latin1") === magic;
  });
}

/** RFC 9580: a packet with tag 1 or 3, an encrypted session key, of version 3 to 6, with a length that fits one. */
function isEncryptedPgp(head: Buffer): boolean {
  const [tag = 0, length = 0, version = 0] = head;
  const kind = (tag & 0x40) !== 0 ? tag & 0x3f : (tag >> 2) & 0x0f;
  if ((tag & 0x80) === 0 || (kind !== 1 && kind !== 3)) return false;
  const isOld = (tag & 0x40) === 0;
  const at = isOld ? 1 + (1 << (tag & 3)) : length < 192 ? 2 : 3;
  const found = at === 2 ? version : (head[at] ?? 0);
  return kind === 1 ? found === 3 || found === 6 : found >= 4 && found <= 6;
}

/** elf(5): e_type 4 is ET_CORE. */
function isElfCore(head: Buffer): boolean {
  if (head.toString("latin1", 0, 4) !== "\x7fELF") return false;
  return (head[5] === 2 ? head.readUInt16BE(16) : head.readUInt16LE(16)) === 4;
}
