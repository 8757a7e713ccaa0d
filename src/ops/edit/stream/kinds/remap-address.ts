import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { IPPROTO_TCP, TCP_ESTABLISHED } from "../../../../linux/sockets.js";
import { formatAddress } from "../../../../schema/ip-address.js";
import type { Parsed } from "../../kind.js";
import type { AddressRule } from "../../kinds/remap-address.js";
import type { StreamDraft } from "../draft.js";
import { inetSockets } from "../inet.js";
import { leaveInStream } from "../lookalikes.js";
import { structValueAt } from "../struct-path.js";

/** sockaddr_in: family, port, address. */
const SIN_ADDR = 4;
/** ::ffff:0:0/96, the head of an IPv4 address in an IPv6 socket. */
const MAPPED = Buffer.from("00000000000000000000ffff", "hex");

const WORDS = ["daddr", "rcv_saddr", "saddr"] as const;
const SOCKET_ADDRESSES = ["laddr", "raddr"] as const;
const V6_ADDRESSES = ["inet6.saddr", "inet6.rcv_saddr", "inet6.daddr"] as const;

/** Addresses of internet sockets, in all places where a socket keeps them. */
export function planRemapAddress(edits: readonly Parsed<AddressRule>[], draft: StreamDraft): void {
  for (const { index, socket } of inetSockets(draft))
    for (const parsed of edits)
      if (remapSocket(draft, parsed, index)) {
        warnOfConnection(draft, index, socket);
        break;
      }
  for (const { edit, args } of edits) {
    const text = formatAddress(args.from);
    draft.replaced.set(text, edit);
    leaveInStream(draft, edit, text, (kind) => kind === RECORDS.SOCKET_INET);
  }
}

function remapSocket(draft: StreamDraft, { edit, args }: Parsed<AddressRule>, index: number): boolean {
  const [from, to] = [bytesOf(args.from), bytesOf(args.to)];
  const shown = { before: formatAddress(args.from), after: formatAddress(args.to) };
  const fields = draft.fields(index);
  let hit = false;
  const change = (field: string, value: unknown): void => {
    draft.change(edit, index, field, value, shown);
    hit = true;
  };
  if (from.length === 4) {
    for (const field of WORDS) if (fields[field] === wordOf(draft, from)) change(field, wordOf(draft, to));
    for (const field of SOCKET_ADDRESSES) {
      const address = fields[field] as Buffer;
      if (address.subarray(SIN_ADDR, SIN_ADDR + 4).equals(from))
        change(field, Buffer.concat([address.subarray(0, SIN_ADDR), to, address.subarray(SIN_ADDR + 4)]));
    }
  }
  for (const field of V6_ADDRESSES) {
    const address = structValueAt(fields, field) as Buffer | undefined;
    const head = from.length === 4 ? MAPPED : Buffer.alloc(0);
    if (address?.equals(Buffer.concat([head, from])) === true) change(field, Buffer.concat([head, to]));
  }
  return hit;
}

/** The bytes of an address in network order. */
function bytesOf(words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) bytes.writeUInt32LE(word, i * 4);
  return bytes;
}

/** What four bytes read as in a u32 field of the image. */
function wordOf({ image }: StreamDraft, bytes: Buffer): number {
  return image.byteOrder === "big-endian" ? bytes.readUInt32BE() : bytes.readUInt32LE();
}

function warnOfConnection(draft: StreamDraft, index: number, socket: number): void {
  const { sock } = draft.value(socket, RECORDS.SOCKET);
  const { raddr } = draft.value(index, RECORDS.SOCKET_INET);
  if (sock.protocol !== IPPROTO_TCP || sock.state !== TCP_ESTABLISHED) return;
  draft.warnings.add(
    `the TCP connection at port ${raddr.readUInt16BE(2)} of its peer is established: it goes on only if the peer's side is changed as well`,
  );
}
