import fs from "node:fs";
import path from "node:path";
import type { Piece } from "../../../io/concat.js";
import { piecesOf } from "../../../io/piece-stream.js";
import { type ByteSource, MemorySource } from "../../../io/source.js";
import { DirectoryTree } from "../directory-tree.js";
import { type FileTree, joined } from "../tree.js";
import { BLOCK_BYTES } from "./header.js";
import { TarTree } from "./tree.js";
import { type NewMember, paddingBytes, ustarHeader } from "./write.js";

/** A member with its bytes; a directory and a link have none. */
export interface PackedMember extends Omit<NewMember, "size"> {
  readonly content?: ByteSource | undefined;
}

/** The bytes of a new archive. Errors: EDIT for names that are too long. */
export function packedTar(members: Iterable<PackedMember>): Piece[] {
  const pieces: Piece[] = [];
  for (const { content, ...member } of members) {
    const size = content?.size ?? 0;
    pieces.push(ustarHeader({ ...member, size }));
    if (content !== undefined) pieces.push(...piecesOf(content), { zeros: paddingBytes(size) });
  }
  return [...pieces, { zeros: 2 * BLOCK_BYTES }];
}

/** A private regular file of root, for members that are made. */
export function madeFile(name: string, text: string): PackedMember {
  const content = new MemorySource(Buffer.from(text), name);
  return { path: name, type: "a regular file", mode: 0o600, uid: 0, gid: 0, mtime: 0, content };
}

/** All below a directory of a tree as members, `to` in place of its path; without what `skips`. */
export function* membersBelow(
  tree: FileTree,
  from: string,
  to: string,
  skips: (path: string) => boolean = () => false,
): Generator<PackedMember> {
  const names = [...(tree.list(from) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { type }] of names) {
    const [inside, made] = [joined(from, name), joined(to, name)];
    if (skips(inside)) continue;
    if (type === "a directory") {
      yield { ...headOf(tree, inside), path: made, type, mode: 0o700 };
      yield* membersBelow(tree, inside, made, skips);
    } else if (type === "a regular file" || type === "a hard link")
      yield { ...headOf(tree, inside), path: made, type: "a regular file", content: tree.open(inside) };
    else if (type === "a symbolic link") yield { ...headOf(tree, inside), path: made, type };
  }
}

type Head = Pick<PackedMember, "mode" | "uid" | "gid" | "mtime" | "target">;

/** Mode, owner and time as they are in the tree; of what has none, those of a private file of root. */
function headOf(tree: FileTree, file: string): Head {
  if (tree instanceof TarTree) {
    const { mode, uid, gid, mtime, target } = tree.member(file) ?? UNKNOWN;
    return { mode, uid, gid, mtime, target };
  }
  if (!(tree instanceof DirectoryTree)) return UNKNOWN;
  const full = path.join(tree.directory, file);
  const stat = fs.lstatSync(full);
  return {
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    mtime: Math.floor(stat.mtimeMs / 1000),
    target: stat.isSymbolicLink() ? fs.readlinkSync(full) : undefined,
  };
}

const UNKNOWN: Head = { mode: 0o600, uid: 0, gid: 0, mtime: 0, target: undefined };
