/**
 * An IP address of an image as text. One word is IPv4, four are IPv6; each word holds four address bytes in network
 * order, read in the byte order of the dumping machine (little-endian here; inet_sk_entry.src_addr).
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

function formatV4(word: number): string {
  return [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff).join(".");
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
