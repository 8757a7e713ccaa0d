import { bytesToText, type GrepHit, hex } from "../index.js";
import { type Line, styled } from "./line.js";
import type { Style } from "./style.js";

/** `[1000] logger 7ffd1000 rw-p [stack] environment  pages-1.img+0x2fb8: HOME=/`: a match with its place. */
export function grepLine(hit: GrepHit, image: string | undefined, style: Style): Line {
  const { before, match, after, encoding, file, fileOffset, compressed, level = 0 } = hit;
  const where = [
    file === undefined ? "" : `${file}+${hex(fileOffset ?? 0)}`,
    compressed === undefined ? "" : " (compressed)",
    level === 0 ? "" : ` of parent set ${level}`,
  ].join("");
  const head = image === undefined ? "" : styled`${style("path", image)}: `;
  const text = (bytes: Buffer): string => shownText(bytes, encoding);
  const gap = (part: Buffer): string => (encoding === "bytes" && part.length > 0 ? " " : "");
  const context = styled`${text(before)}${gap(before)}${style("error", text(match))}${gap(after)}${text(after)}`;
  return styled`${head}${placeText(hit, style)}  ${style("faint", where)}: ${context}`;
}

function placeText(hit: GrepHit, style: Style): Line {
  const { pid, comm, address, permissions, name, area, alsoAt, segment, offset, message } = hit;
  const others = alsoAt === undefined ? "" : ` and ${alsoAt.length} more mappings`;
  if (pid !== undefined) {
    const what = [address?.toString(16) ?? "", permissions, name, area].filter(Boolean).join(" ");
    return styled`${style("address", `[${pid}]`)} ${style("name", comm ?? "")} ${what}${others}`;
  }
  const which = segment === undefined ? "" : ` segment ${segment}`;
  const part = message === undefined ? "" : ` message ${message}`;
  const at = offset ?? address;
  return styled`${hit.in}${which} ${style("name", name)}${part}${at === undefined ? "" : ` +${hex(at)}`}`;
}

/** Text of an encoding; for patterns that are bytes, hexadecimal. */
export function shownText(bytes: Buffer, encoding: GrepHit["encoding"]): string {
  if (encoding === "bytes") return bytes.toString("hex").replace(/(..)(?=.)/g, "$1 ");
  return encoding === "utf-16le" ? bytes.toString("utf16le") : bytesToText(bytes);
}

/** The same as one object of JSON. */
export function grepJson({ before, match, after, encoding, ...place }: GrepHit, image: string): object {
  return {
    image,
    ...place,
    address: place.address === undefined ? undefined : hex(place.address),
    alsoAt: place.alsoAt?.map(({ pid, address }) => ({ pid, address: hex(address) })),
    encoding,
    length: match.length,
    before: shownText(before, encoding),
    match: shownText(match, encoding),
    after: shownText(after, encoding),
  };
}
