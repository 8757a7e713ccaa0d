import { IMAGES } from "../../../formats/criu/images.js";
import type { InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import { shellCommand } from "../../../io/shell.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import { formatAddress, parseAddress } from "../../../schema/ip-address.js";
import { holders } from "../descriptors.js";
import type { Place, Rule } from "../finding.js";
import { restoresNamespace } from "../namespaces.js";
import { inetSockets } from "../set/inet-sockets.js";
import type { HostContext } from "./context.js";
import type { HostSocket } from "./host.js";

const TCP = 6;
const UDP = 17;
const LISTEN = 10;
/** inventory_entry.network_lock_method */
const IPTABLES = 0;
const NFTABLES = 1;
const V4_MAPPED = 0xffff_0000;

/** Rules about addresses, ports and interfaces of this host. They hold for sets that live in its network namespace. */
export const hostNetworkRules: readonly Rule<HostContext>[] = [
  {
    id: "PORT_TAKEN",
    level: "error",
    about: "The ports of the set's sockets are free, unless a network namespace comes back with it.",
    mend: "End the program that has the port, or take another with crimg edit --tcp-listen-remap OLD:NEW.",
    *check(context) {
      if (restoresNamespace(context.set, "net")) return;
      const taken = context.host.sockets();
      for (const { file, entry } of inetSockets(context.set)) {
        const rival = taken.find((socket) => excludes(socket, entry));
        if (rival === undefined) continue;
        const isListener = entry.proto === TCP && entry.state === LISTEN;
        yield {
          at: placeOf(context, file),
          what: "the port is taken",
          expected: `${file.socket?.local} free`,
          found: `${rival.protocol} ${formatAddress(rival.address)}:${rival.port}${rival.isListening ? ", listening" : ""}`,
          fix: isListener
            ? context.set.editCommand("--tcp-listen-remap", `${entry.src_port}:NEWPORT`)
            : undefined,
          level: entry.opts.so_reuseport === true ? "warning" : "error",
        };
      }
    },
  },
  {
    id: "ADDRESS_MISSING",
    level: "error",
    about: "The local addresses of the set's sockets are those of an interface here.",
    mend: "Add the address to an interface, or move the sockets with crimg edit --remap-address OLD=NEW.",
    *check(context) {
      if (restoresNamespace(context.set, "net")) return;
      const known = new Set(
        [...context.host.addresses()].map((address) => keyOf(parseAddress(address) ?? [])),
      );
      const told = new Set<string>();
      for (const { file, entry } of inetSockets(context.set)) {
        const key = keyOf(entry.src_addr);
        if (isAny(entry.src_addr) || isLoopback(entry.src_addr) || known.has(key) || told.has(key)) continue;
        if (entry.ip_opts?.freebind === true) continue;
        told.add(key);
        const address = formatAddress(entry.src_addr);
        yield {
          at: placeOf(context, file),
          what: "no interface has the address",
          expected: address,
          found: "none",
          fix: shellCommand(["ip", "address", "add", address.replace("::ffff:", ""), "dev", "lo"]),
        };
      }
    },
  },
  {
    id: "INTERFACE_MISSING",
    level: "error",
    about: "Interfaces that sockets are bound to are there.",
    mend: "Make the interface before the restore.",
    *check(context) {
      if (restoresNamespace(context.set, "net")) return;
      const known = context.host.interfaces();
      for (const { file, entry } of inetSockets(context.set))
        for (const name of [entry.opts.so_bound_dev, entry.ifname])
          if (name !== undefined && name !== "" && !known.has(name))
            yield {
              at: placeOf(context, file),
              what: "the interface is missing",
              expected: name,
              found: "none",
            };
    },
  },
  {
    id: "NETWORK_LOCK",
    level: "error",
    about: "The tool that stops connections during a restore is installed.",
    mend: "Install it, or restore with --network-lock nftables or skip.",
    *check({ set, host }) {
      const connected = set.checkpoint.files.all.filter(({ socket }) => socket?.connected === true);
      if (connected.length === 0 || restoresNamespace(set, "net")) return;
      const method = set.set.first(IMAGES.INVENTORY)?.network_lock_method ?? IPTABLES;
      const tool = method === IPTABLES ? "iptables-restore" : method === NFTABLES ? "nft" : undefined;
      if (tool !== undefined && !host.hasProgram(tool))
        yield {
          at: { image: IMAGES.INVENTORY.file, record: 0, field: "network_lock_method" },
          what: `${connected.length} TCP connections are stopped with a tool that is not installed`,
          expected: tool,
          found: "none",
          fix: `crimg restore ${set.quotedName} -- --network-lock ${host.hasProgram("nft") ? "nftables" : "skip"}`,
        };
    },
  },
];

function placeOf({ set }: HostContext, file: OpenFile): Place {
  const held = set.share(holders).get(file);
  return { ...file.origin, pid: held?.pid, fd: held?.descriptor.fd };
}

/** Whether a socket of the host keeps the stored one from its address. */
function excludes(host: HostSocket, entry: InetSkEntry): boolean {
  if (host.port !== entry.src_port || entry.src_port === 0) return false;
  if (host.protocol !== (entry.proto === TCP ? "TCP" : entry.proto === UDP ? "UDP" : undefined)) return false;
  const isSame = keyOf(host.address) === keyOf(entry.src_addr);
  if (!isSame && !isAny(host.address) && !isAny(entry.src_addr)) return false;
  if (entry.proto === UDP) return true;
  if (entry.state === LISTEN) return host.isListening;
  return !host.isListening && isSame && host.remotePort === entry.dst_port;
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
