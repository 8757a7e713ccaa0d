import type { Cause } from "../cause.js";

/** Sockets whose other end, address or state cannot be had. */
export const SOCKET_CAUSES: readonly Cause[] = [
  {
    id: "TCP_ESTABLISHED",
    match: /Connected TCP socket, consider using/,
    during: "dump",
    what: "a task has an established TCP connection",
    why: "criu takes connections only when it is told to, since it must stop the peer's packets until the restore",
    mends: [
      { command: "criu dump -t {root} -D NEWDIR --tcp-established", effect: "keep the connection" },
      { command: "criu dump -t {root} -D NEWDIR --tcp-close", effect: "let it be closed at the restore" },
    ],
  },
  {
    id: "TCP_ESTABLISHED",
    match: /Connected TCP socket in image/,
    during: "restore",
    what: "the set holds an established TCP connection",
    why: "criu brings connections back only with --tcp-established, or closed with --tcp-close",
    mends: [
      { command: "{restore}", effect: "restore with the options that the images need" },
      { command: "{restore} -- --tcp-close", effect: "restore with the connection closed" },
    ],
  },
  {
    id: "TCP_CLOSE",
    match: /Need to set the --tcp-close options/,
    what: "the set was dumped with --tcp-close",
    why: "the state of its connections was not kept, so they can only come back closed, with the same option",
    mends: [{ command: "{restore}", effect: "restore with the options that the images need" }],
  },
  {
    id: "TCP_IN_FLIGHT",
    match: /In-flight connection(?:s| \(l\))/,
    during: "dump",
    what: "a listening socket has connections that nobody accepted yet",
    why: "the kernel does not hand them out",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --skip-in-flight",
        effect: "drop them; the clients connect again",
      },
    ],
  },
  {
    id: "TCP_CONNECT",
    match: /Can't connect inet socket back: (?<error>.+)/,
    during: "restore",
    what: "a TCP connection cannot be set up again: {error}",
    why: "its local address must be one of this host's, and its pair of addresses and ports must be free",
    mends: [
      { command: "crimg show {image} sockets", effect: "see the connections" },
      { command: "{restore} -- --tcp-close", effect: "restore with the connections closed" },
    ],
  },
  {
    id: "PORT_TAKEN",
    match: /Can't bind inet socket \(id (?<file_id>\d+)\): Address already in use/,
    during: "restore",
    what: "another socket of this host has the address and port already",
    why: "two sockets cannot be bound to one port",
    mends: [
      {
        edit: "--tcp-listen-remap OLDPORT:NEWPORT",
        effect: "listen on another port",
      },
      { command: "ss -ltnup", effect: "find who has it" },
    ],
  },
  {
    id: "ADDRESS_MISSING",
    match: /Can't bind inet socket \(id (?<file_id>\d+)\): Cannot assign requested address/,
    during: "restore",
    what: "this host does not have the address that a socket was bound to",
    why: "a socket can only be bound to an address of the host",
    mends: [
      {
        edit: "--remap-address OLD=NEW",
        effect: "use an address of this host",
      },
      { effect: "add the address to an interface: ip address add ADDRESS dev INTERFACE" },
    ],
  },
  {
    id: "NETWORK_LOCK",
    match:
      /(?:Iptables configuration failed|ip6?tables(?:-restore)?: not found|Locking (?:network|connection) failed|Failed to lock TCP connection)/,
    what: "criu could not stop the packets of a TCP connection",
    why: "by default it does so with iptables, which is not there or does not work",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --tcp-established --network-lock nftables",
        effect: "use nftables",
      },
      {
        command: "criu dump -t {root} -D NEWDIR --tcp-established --network-lock skip",
        effect: "stop nothing, where both ends of every connection are in the tree",
      },
    ],
  },
  {
    id: "UNIX_PEER_OUTSIDE",
    match: /External socket is used\. Consider using/,
    during: "dump",
    what: "a unix socket is connected to a process outside of the tree",
    why: "criu cannot bring the other end back",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --ext-unix-sk",
        effect: "leave the other end out: works for datagram sockets with a path",
      },
      { effect: "dump the tree that holds both ends: start from their common ancestor" },
    ],
  },
  {
    id: "UNIX_PEER_OUTSIDE",
    match: /(?:Can't dump half of stream unix connection|Can't dump name-less external socket)/,
    during: "dump",
    what: "a unix stream socket is connected to a process outside of the tree",
    why: "a connection can only come back with both its ends, or be handed over with --external unix[INODE]",
    mends: [{ effect: "dump the tree that holds both ends: start from their common ancestor" }],
  },
  {
    id: "UNIX_PEER_OUTSIDE",
    match: /External socket found in image/,
    during: "restore",
    what: "a unix socket was connected to a process outside of the tree",
    why: "criu connects it again only with --ext-unix-sk",
    mends: [{ command: "{restore}", effect: "restore with the options that the images need" }],
  },
  {
    id: "UNIX_PEER_GONE",
    match: /Can't connect (?<inode>\d+) socket: (?<error>.+)/,
    during: "restore",
    what: "the unix socket with inode {inode} cannot be connected to its peer outside of the tree: {error}",
    why: "the service that it talks to must be there under the same path",
    mends: [
      { command: "crimg show {image} sockets", effect: "see which path it is connected to" },
      { effect: "start that service first, or remap the path with crimg edit --remap-path" },
    ],
  },
  {
    id: "UNIX_PATH",
    match:
      /(?:ghost: )?Can't bind (?:on socket )?id (?<id>0x[0-9a-f]+) ino (?<inode>\d+) addr (?<path>.*): (?<error>.+)/,
    during: "restore",
    what: "the unix socket {path} cannot be bound: {error}",
    why: "its directory must be there, and nothing but an old socket may stand at the path",
    mends: [
      {
        edit: "--remap-path {path}=NEWPATH",
        effect: "bind it elsewhere",
      },
    ],
  },
  {
    id: "SOCKET_OPTION",
    match: /Can't get (?<level>\d+):(?<name>\d+) opt: (?<error>.+)/,
    during: "dump",
    what: "criu cannot read the socket option {level}:{name}: {error}",
    why: "this criu asks for an option that this kernel no longer gives: up to 4.1 it can dump no inet socket on Linux 6.16 and later",
    mends: [{ effect: "use criu 4.2 or later" }],
  },
  {
    id: "SOCKET_UNSUPPORTED",
    match:
      /(?:Unsupported proto (?<protocol>\d+)|GODEBUG=multipathtcp=0|Can't dump \d+ inet socket|Sockets \(family \d+ proto \d+\) are not collected)/,
    during: "dump",
    what: "a socket is of a family or protocol that criu cannot take",
    why: "only TCP, UDP, raw, unix, netlink and packet sockets can be brought back; MPTCP cannot",
    mends: [{ effect: "close the socket; for programs in Go set GODEBUG=multipathtcp=0" }],
  },
];
