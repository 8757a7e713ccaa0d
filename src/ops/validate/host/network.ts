import { IMAGES } from "../../../formats/criu/images.js";
import type { OpenFile } from "../../../model/open-file.js";
import { formatAddress, parseAddress } from "../../../schema/ip-address.js";
import type { ImageContext } from "../context.js";
import { holders } from "../descriptors.js";
import type { Place, Rule } from "../finding.js";
import { restoresNamespace } from "../namespaces.js";
import { filesByType } from "../references/source.js";
import { type HostContext, isForCriu, type SetHostContext } from "./context.js";
import type { HostSocket } from "./host.js";
import { makesNamespace } from "./image-facts.js";

/** inventory_entry.network_lock_method */
const IPTABLES = 0;
const NFTABLES = 1;
/** The program of each method, which criu starts; other methods need none. */
export const NETWORK_TOOLS: ReadonlyMap<number, string> = new Map([
  [IPTABLES, "iptables-restore"],
  [NFTABLES, "nft"],
]);
const V4_MAPPED = 0xffff_0000;

/** Rules about addresses, ports and interfaces of this host. They hold for sets that live in its network namespace. */
export const hostNetworkRules: readonly Rule<HostContext>[] = [
  {
    id: "PORT_TAKEN",
    level: "error",
    about: "The ports of the set's sockets are free, unless a network namespace comes back with it.",
    fix: "End the program that has the port, or take another with crimg edit --tcp-listen-remap OLD:NEW.",
    *check(context) {
      if (makesNamespace(context.image, "net")) return;
      const ends = [...localEnds(context.image)];
      const taken = ends.length === 0 ? [] : context.host.sockets();
      for (const end of ends) {
        const rival = taken.find((socket) => excludes(socket, end));
        if (rival === undefined) continue;
        yield {
          at: placeOf(context, end.file),
          what: "the port is taken",
          expected: `${end.file.socket?.local} free`,
          found: `${rival.protocol} ${formatAddress(rival.address)}:${rival.port}${rival.isListening ? ", listening" : ""}`,
          fix:
            end.isListening && end.protocol === "TCP"
              ? context.image.editCommand("--tcp-listen-remap", `${end.port}:NEWPORT`)
              : undefined,
          level: end.mayShare ? "warning" : "error",
        };
      }
    },
  },
  {
    id: "ADDRESS_MISSING",
    level: "error",
    about: "The local addresses of the set's sockets are those of an interface here.",
    fix: "Move the sockets with crimg edit --remap-address OLD=NEW, or add the address to an interface: ip address add.",
    *check(context) {
      if (makesNamespace(context.image, "net")) return;
      const ends = [...localEnds(context.image)];
      if (ends.length === 0) return;
      const known = new Set(
        [...context.host.addresses()].map((address) => keyOf(parseAddress(address) ?? [])),
      );
      const told = new Set<string>();
      for (const end of ends) {
        const key = keyOf(end.address);
        if (isAny(end.address) || isLoopback(end.address) || known.has(key) || told.has(key)) continue;
        if (end.mayBeForeign) continue;
        told.add(key);
        const address = formatAddress(end.address);
        const isBound = end.isIpv6 && isForCriu(context);
        yield {
          at: placeOf(context, end.file),
          what: isBound
            ? "no interface has the address; criu binds the socket to it, and nobody reaches it"
            : "no interface has the address",
          level: isBound ? "warning" : "error",
          expected: address,
          found: "none",
          fix: context.image.editCommand("--remap-address", `${address.replace("::ffff:", "")}=NEW`),
        };
      }
    },
  },
  {
    id: "INTERFACE_MISSING",
    level: "error",
    about: "Interfaces that sockets are bound to are there.",
    fix: "Make the interface before the restore.",
    *check(context) {
      if (makesNamespace(context.image, "net")) return;
      const known = context.host.interfaces();
      for (const file of context.image.share(filesByType).get("INETSK") ?? [])
        for (const name of [file.socket?.options.device, file.record.ifname as string | undefined])
          if (name !== undefined && name !== "" && !known.has(name))
            yield {
              at: placeOf(context, file),
              what: "the interface is missing",
              expected: name,
              found: "none",
            };
    },
  },
];

/** Those that look at what only a CRIU set says. */
export const setNetworkRules: readonly Rule<SetHostContext>[] = [
  {
    id: "NETWORK_LOCK",
    level: "error",
    about: "The tool that stops connections during a restore is installed.",
    fix: "Install it, or restore with --network-lock nftables or skip.",
    *check({ image, host }) {
      if (host.criu === undefined) return;
      const connected = image.checkpoint.files.all.filter(({ socket }) => socket?.connected === true);
      if (connected.length === 0 || restoresNamespace(image, "net")) return;
      const method = image.set.first(IMAGES.INVENTORY)?.network_lock_method ?? IPTABLES;
      const tool = NETWORK_TOOLS.get(method);
      if (tool !== undefined && !host.hasProgram(tool))
        yield {
          at: { image: IMAGES.INVENTORY.file, record: 0, field: "network_lock_method" },
          what: `${connected.length} TCP connections are stopped with a tool that is not installed`,
          expected: tool,
          found: "none",
          fix: `crimg restore ${image.quotedName} -- --network-lock ${host.hasProgram("nft") ? "nftables" : "skip"}`,
        };
    },
  },
];

function placeOf({ image }: HostContext, file: OpenFile): Place {
  const held = image.share(holders).get(file);
  return { ...file.origin, pid: held?.pid, fd: held?.descriptor.fd };
}

/** The local end of an inet socket that restore binds. */
interface LocalEnd {
  readonly file: OpenFile;
  readonly protocol: "TCP" | "UDP" | undefined;
  /** Words as images hold them, one or four. */
  readonly address: readonly number[];
  readonly port: number;
  readonly remotePort: number;
  readonly isListening: boolean;
  /** SO_REUSEPORT */
  readonly mayShare: boolean;
  /** criu sets IP_FREEBIND while it binds these, criu/sk-inet.c. */
  readonly isIpv6: boolean;
  /** IP_FREEBIND: the address need not be one of this host. */
  readonly mayBeForeign: boolean;
}

function* localEnds({ checkpoint }: ImageContext): Generator<LocalEnd> {
  for (const file of checkpoint.files.all) {
    const { socket } = file;
    if (socket?.inet === undefined) continue;
    const { protocol, state, inet, options } = socket;
    yield {
      file,
      protocol: protocol === "TCP" || protocol === "UDP" ? protocol : undefined,
      address: inet.local.address,
      port: inet.local.port,
      remotePort: inet.remote.port,
      isListening: state === "LISTEN",
      mayShare: options.switches.SO_REUSEPORT === true,
      isIpv6: inet.local.address.length > 1,
      mayBeForeign: options.switches.IP_FREEBIND === true,
    };
  }
}

/** Whether a socket of the host keeps the stored one from its address. */
function excludes(host: HostSocket, end: LocalEnd): boolean {
  if (host.port !== end.port || end.port === 0 || host.protocol !== end.protocol) return false;
  const isSame = keyOf(host.address) === keyOf(end.address);
  if (!isSame && !isAny(host.address) && !isAny(end.address)) return false;
  if (end.protocol === "UDP") return true;
  if (end.isListening) return host.isListening;
  return !host.isListening && !host.isDying && isSame && host.remotePort === end.remotePort;
}

/** An address for comparison: IPv4 in IPv6 is IPv4. */
function keyOf(words: readonly number[]): string {
  const isMapped = words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === V4_MAPPED;
  return (isMapped ? words.slice(3) : words).join(".");
}

function isAny(words: readonly number[]): boolean {
  return words.every((word) => word === 0);
}

/** 127.0.0.0/8, which every host has. */
function isLoopback(words: readonly number[]): boolean {
  const key = keyOf(words).split(".");
  return key.length === 1 && (Number(key[0]) & 0xff) === 127;
}
