import { isIPv4, isIPv6 } from "node:net";

/**
 * An IP address of an image as text. One word is IPv4, four are IPv6; each word holds four address bytes in network
 * order, read in the byte order of the dumped machine (little-endian here; inet_sk_entry.src_addr).
 */
export function formatAddress(words: readonly number[]): string {
  if (words.length !== 4) return formatV4(words[0] ?? 0);
  const groups: number[] = [];
  for (const word of words)
    groups.push(((word & 0xff) << 8) | ((word >>> 8) & 0xff), ((word >>> 8) & 0xff00) | (word >>> 24));
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff0000)
    return `::ffff:${formatV4(words[3] as number)}`;
  return compress(groups);
}

/** The words of an address in any notation, one or four; undefined if not an IP address. */
export function parseAddress(text: string): number[] | undefined {
  if (isIPv4(text)) return [parseV4(text)];
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const dotted = text.lastIndexOf(".") === -1 ? "" : text.slice(text.lastIndexOf(":") + 1);
  const hex = dotted === "" ? text : text.slice(0, -dotted.length) + v4Groups(dotted);
  const [head = "", tail] = hex.split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: zeros }, () => 0), ...after];
  return [0, 2, 4, 6].map((i) => wordOf(groups[i] as number, groups[i + 1] as number));
}

function formatV4(word: number): string {
  return [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff).join(".");
}

function parseV4(text: string): number {
  const [a, b, c, d] = text.split(".").map(Number) as [number, number, number, number];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

/** `1.2.3.4` as the last two groups of an IPv6 address. */
function v4Groups(text: string): string {
  const [a, b, c, d] = text.split(".").map(Number) as [number, number, number, number];
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function groupsOf(part: string): number[] {
  return part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
}

/** Two groups of 16 bits in network order as one word. */
function wordOf(high: number, low: number): number {
  return ((high >>> 8) | ((high & 0xff) << 8) | ((low >>> 8) << 16) | ((low & 0xff) << 24)) >>> 0;
}

/** RFC 5952: the longest run of two or more zero groups becomes `::`. */
function compress(groups: readonly number[]): string {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (best.length < 2) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}
