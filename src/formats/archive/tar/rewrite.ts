import type { Piece } from "../../../io/concat.js";
import { EditError } from "../../../io/errors.js";
import { piecesOf } from "../../../io/piece-stream.js";
import type { ByteSource } from "../../../io/source.js";
import { UnpackedSource } from "../../../io/unpacked-source.js";
import { readStruct } from "../../../schema/struct-reader.js";
import type { TreeChanges } from "../tree.js";
import { BLOCK_BYTES, EXTENSIONS, TAR_HEADER } from "./header.js";
import type { TarMember } from "./member.js";
import { tarNumber } from "./numbers.js";
import type { TarTree } from "./tree.js";
import { newHeader, paddingBytes, withPaxSize, withSize } from "./write.js";

/** Bytes of the archive that others take the place of. */
interface Replaced {
  readonly start: number;
  readonly end: number;
  readonly by: readonly Piece[];
}

/**
 * The bytes of an archive with other contents of members, as pieces of the old one and new bytes between them. Of a changed
 * member the header gets its size and checksum; new members come last; all other members stay as they are, in their order.
 * Errors: EDIT for a member that is a link or sparse, and for an archive with two members of one path.
 */
export function rewrittenTar(tree: TarTree, changes: TreeChanges): Piece[] {
  const { source, end } = tree;
  const [double] = tree.duplicates;
  if (double !== undefined)
    throw new EditError(
      `two members ${JSON.stringify(double.path)}: it is not edited, since readers differ in which one counts`,
      { file: tree.name },
    );
  if (source instanceof UnpackedSource) source.reach(Number.POSITIVE_INFINITY); // its size is known from now on
  const replaced: Replaced[] = [];
  const added: Piece[] = [];
  for (const [path, content] of changes) {
    const member = tree.member(path);
    if (member !== undefined) replaced.push(replacedMember(tree, member, content));
    else if (content !== null) added.push(...newMember(tree, path, content));
  }
  replaced.push({ start: end, end, by: added });
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end: next, by } of replaced.sort((a, b) => a.start - b.start)) {
    pieces.push({ source, offset: at, size: start - at }, ...by);
    at = next;
  }
  return [...pieces, { source, offset: at, size: source.size - at }];
}

function replacedMember(tree: TarTree, member: TarMember, content: ByteSource | null): Replaced {
  const { path, type, start, data, stored, parts } = member;
  const end = data + stored + paddingBytes(stored);
  if (content === null) return { start, end, by: [] };
  if (type !== "a regular file" || parts !== undefined)
    throw new EditError(`the member is ${parts === undefined ? type : "sparse"}, and is not edited`, {
      file: `${tree.name}//${path}`,
    });
  const bytes = piecesOf(content);
  if (content.size === stored) return { start: data, end: data + stored, by: bytes };
  const padding = { zeros: paddingBytes(content.size) };
  return { start, end, by: [...sizedHeaders(tree, member, content.size), ...bytes, padding] };
}

/** All headers of a member, those that extend it too, with another size. Errors: EDIT when it stands elsewhere. */
function sizedHeaders(
  { source, name }: TarTree,
  { path, start, data, stored }: TarMember,
  size: number,
): Piece[] {
  const out: Piece[] = [];
  let isSized = false;
  for (let at = start; ; ) {
    const block = source.read(at, BLOCK_BYTES);
    const header = readStruct(TAR_HEADER, block, "little-endian");
    const told = tarNumber(header.size, "size", source.name, at);
    const end = at + BLOCK_BYTES;
    if (end === data) {
      const isOwn = told === stored;
      if (!isOwn && !isSized)
        throw new EditError("the size of the member stands in a header for all members, and is not edited", {
          file: `${name}//${path}`,
        });
      return [...out, isOwn ? withSize(block, size) : block];
    }
    const extension = source.read(end, told + paddingBytes(told));
    const isPax = String.fromCharCode(header.typeflag) === EXTENSIONS.pax;
    const records = isPax ? withPaxSize(extension.subarray(0, told), size) : undefined;
    isSized ||= records !== undefined;
    if (records === undefined) out.push(block, extension);
    else out.push(withSize(block, records.length), records, { zeros: paddingBytes(records.length) });
    at = end + extension.length;
  }
}

/** With owner and time of another file of its directory, or else of the first member. */
function newMember(tree: TarTree, path: string, content: ByteSource): Piece[] {
  const directory = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const { data } = tree.anyFile(directory) ?? { data: BLOCK_BYTES };
  const header = newHeader(tree.source.read(data - BLOCK_BYTES, BLOCK_BYTES), path, content.size);
  return [header, ...piecesOf(content), { zeros: paddingBytes(content.size) }];
}
