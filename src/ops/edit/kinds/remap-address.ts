import { IMAGES } from "../../../formats/criu/images.js";
import { SK_PROTO, SK_STATE } from "../../../formats/criu/names.js";
import { INET_SK_ENTRY, type InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import { UsageError } from "../../../io/errors.js";
import { formatAddress, parseAddress } from "../../../schema/ip-address.js";
import type { Field } from "../../../schema/message.js";
import type { Draft } from "../draft.js";
import type { EditKind, Parsed } from "../kind.js";
import { leaveLookalikes } from "../lookalikes.js";

/** Words of an address as little-endian images hold them, one or four. */
export interface AddressRule {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** ::ffff:0:0/96, the head of an IPv4 address in an IPv6 socket. */
const MAPPED = [0, 0, 0xffff0000];

const ESTABLISHED = SK_STATE.values.get("ESTABLISHED");
const TCP = SK_PROTO.values.get("TCP");

/** `--remap-address OLD=NEW`: addresses of sockets and tunnels, IPv4 also where it is mapped into IPv6. */
export const remapAddress: EditKind<AddressRule, Draft> = {
  name: "remap-address",
  syntax: "OLD=NEW",
  summary: "put IP address NEW in place of OLD; IPv4 also as ::ffff:OLD; 0.0.0.0 and :: stay",
  parse: parseAddressRule,
  lookedFor: ({ from }) => `no socket or tunnel of the set has the address ${formatAddress(from)}`,
  plan(edits, draft) {
    draft.eachField(holdsAddress, (found) => {
      const words = found.owner[found.name] as number[];
      const bigEndian = found.image.header?.byteOrder === "big-endian";
      for (const { edit, args } of edits) {
        const fresh = replaced(words, args, bigEndian);
        if (fresh === undefined) continue;
        if (found.table === INET_SK_ENTRY)
          warnOfConnection(draft, found.owner as unknown as InetSkEntry, edits, bigEndian);
        draft.change(edit, found.image, found.record, found.path, fresh);
        break;
      }
    });
    for (const { edit, args } of edits) {
      const text = formatAddress(args.from);
      draft.replaced.set(text, edit);
      leaveLookalikes(draft, edit, text, holdsAddress);
    }
    noteRawImages(draft, edits);
  },
};

function holdsAddress(field: Field): boolean {
  return field.holds === "ip-address";
}

function parseAddressRule(text: string): AddressRule {
  const [old = "", fresh = "", ...more] = text.split("=");
  const from = parseAddress(old);
  const to = parseAddress(fresh);
  if (from === undefined || to === undefined || more.length > 0)
    throw new UsageError(`${JSON.stringify(text)} is not OLD=NEW with two IP addresses`);
  if (from.every((word) => word === 0))
    throw new UsageError(
      `${old} stands for every address of the host and is never changed; name a real address`,
    );
  if (from.length !== to.length)
    throw new UsageError(`${old} and ${fresh} are not of one family, and a socket cannot change its own`);
  return { from, to };
}

/** The words after the rule; undefined when it does not match. Some ancient sets keep IPv4 in four words. */
function replaced(words: readonly number[], rule: AddressRule, bigEndian: boolean): number[] | undefined {
  const from = rule.from.map((word) => inOrder(word, bigEndian));
  const to = rule.to.map((word) => inOrder(word, bigEndian));
  if (equal(words, from)) return to;
  if (from.length === 4) return undefined;
  const head = MAPPED.map((word) => inOrder(word, bigEndian));
  if (equal(words, [...head, from[0] as number])) return [...head, to[0] as number];
  if (words.length === 4 && equal(words, [from[0] as number, 0, 0, 0])) return [to[0] as number, 0, 0, 0];
  return undefined;
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

/** A word as an image of that byte order holds it. */
function inOrder(word: number, bigEndian: boolean): number {
  if (!bigEndian) return word;
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(word);
  return bytes.readUInt32BE();
}

/** A connection lives only if the other end hears of the new address too; inside the set it does. */
function warnOfConnection(
  draft: Draft,
  socket: InetSkEntry,
  edits: readonly Parsed<AddressRule>[],
  bigEndian: boolean,
): void {
  if (socket.proto !== TCP || socket.state !== ESTABLISHED) return;
  const peers = draft.once("connections before the addresses were changed", () => connections(draft));
  const original = peers.get(socket.id);
  if (original === undefined || [...peers.values()].some((other) => other.key === original.peerKey)) return;
  const moves = (words: readonly number[]): boolean =>
    edits.some(({ args }) => replaced(words, args, bigEndian) !== undefined);
  if (moves(original.src) || moves(original.dst))
    draft.warnings.add(
      `the TCP connection ${original.text} is established with a peer outside the set, which knows the old address only: it will hang unless the peer's side is changed as well (criu restore --tcp-close ends it instead)`,
    );
}

interface Connection {
  readonly src: readonly number[];
  readonly dst: readonly number[];
  readonly key: string;
  readonly peerKey: string;
  readonly text: string;
}

function connections(draft: Draft): Map<number, Connection> {
  const all = new Map<number, Connection>();
  draft.eachMessage(INET_SK_ENTRY, ({ value }) => {
    if (value.proto !== TCP || value.state !== ESTABLISHED) return;
    const local = `${formatAddress(value.src_addr)}:${value.src_port}`;
    const remote = `${formatAddress(value.dst_addr)}:${value.dst_port}`;
    all.set(value.id, {
      src: [...value.src_addr],
      dst: [...value.dst_addr],
      key: `${local} ${remote}`,
      peerKey: `${remote} ${local}`,
      text: `${local} -> ${remote}`,
    });
  });
  return all;
}

const RAW_NETWORK = [
  IMAGES.IFADDR,
  IMAGES.ROUTE,
  IMAGES.ROUTE6,
  IMAGES.RULE,
  IMAGES.IPTABLES,
  IMAGES.IP6TABLES,
  IMAGES.NFTABLES,
  IMAGES.NETNF_CT,
  IMAGES.NETNF_EXP,
];

/** Interfaces, routes and rules are stored in the formats of other tools. */
function noteRawImages(draft: Draft, edits: readonly Parsed<AddressRule>[]): void {
  for (const { edit, args } of edits) {
    const needle = Buffer.concat(
      args.from.map((word) => {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32LE(word);
        return bytes;
      }),
    );
    for (const kind of RAW_NETWORK)
      for (const id of draft.set.ids(kind)) {
        const name = kind.file.replace("%u", String(id));
        const source = draft.files.open(name);
        const at = source?.read(0, Math.min(source.size, MAX_NETWORK_IMAGE_BYTES)).indexOf(needle) ?? -1;
        if (at !== -1)
          draft.leave(edit, {
            image: name,
            record: undefined,
            field: `0x${at.toString(16)}`,
            value: formatAddress(args.from),
            why: `${kind.doc}: crimg does not edit this`,
          });
      }
  }
}

/** What netlink dumps and rule sets take is far below. */
const MAX_NETWORK_IMAGE_BYTES = 64 * 1024 * 1024;
