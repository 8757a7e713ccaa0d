import type { Cause } from "../cause.js";

/** Sockets whose peer, address or state cannot be restored. */
export const SOCKET_CAUSES: readonly Cause[] = [
  {
    id: "TCP_ESTABLISHED",
    match: /Connected TCP socket, consider using/,
    during: "dump",
    what: "a task has an established TCP connection",
    why: "criu dumps connections only on request, since it must block packets of the peer until the restore",
    mends: [
      { command: "criu dump -t {root} -D NEWDIR --tcp-established", effect: "keep the connection" },
      { command: "criu dump -t {root} -D NEWDIR --tcp-close", effect: "close it at the restore" },
    ],
  },
  {
    id: "TCP_ESTABLISHED",
    match: /Connected TCP socket in image/,
    during: "restore",
    what: "the set holds an established TCP connection",
    why: "criu restores connections only with --tcp-established, or closed with --tcp-close",
    mends: [
      { command: "{restore}", effect: "restore with the options that the images need" },
      { command: "{restore} -- --tcp-close", effect: "restore with the connection closed" },
    ],
  },
  {
    id: "TCP_CLOSE",
    match: /Need to set the --tcp-close options/,
    what: "the set was dumped with --tcp-close",
    why: "the state of its connections was not saved, so they can only be restored closed, with the same option",
    mends: [{ command: "{restore}", effect: "restore with the options that the images need" }],
  },
  {
    id: "TCP_IN_FLIGHT",
    match: /In-flight connection(?:s| \(l\))/,
    during: "dump",
    what: "a listening socket has connections that were not accepted yet",
    why: "the kernel has no interface to save them",
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
    what: "cannot restore a TCP connection: {error}",
    why: "its local address must be an address of this host, and its pair of addresses and ports must be free",
    mends: [
      { command: "crimg show {image} sockets", effect: "show the connections" },
      { command: "{restore} -- --tcp-close", effect: "restore with the connections closed" },
    ],
  },
  {
    id: "PORT_TAKEN",
    match: /Can't bind inet socket \(id (?<file_id>\d+)\): Address already in use/,
    during: "restore",
    what: "the address and port are already in use on this host",
    why: "two sockets cannot be bound to the same port",
    mends: [
      {
        edit: "--tcp-listen-remap OLDPORT:NEWPORT",
        effect: "listen on another port",
      },
      { command: "ss -ltnup", effect: "find the process that uses it" },
    ],
  },
  {
    id: "ADDRESS_MISSING",
    match: /Can't bind inet socket \(id (?<file_id>\d+)\): Cannot assign requested address/,
    during: "restore",
    what: "the address of a socket is not available on this host",
    why: "a socket can be bound only to an address of the host",
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
    what: "criu cannot block the packets of a TCP connection",
    why: "it uses iptables by default, which is missing or does not work",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --tcp-established --network-lock nftables",
        effect: "use nftables",
      },
      {
        command: "criu dump -t {root} -D NEWDIR --tcp-established --network-lock skip",
        effect: "do not block packets, if both ends of every connection are in the process tree",
      },
    ],
  },
  {
    id: "UNIX_PEER_OUTSIDE",
    match: /External socket is used\. Consider using/,
    during: "dump",
    what: "a unix socket is connected to an external process",
    why: "criu cannot restore the other end",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --ext-unix-sk",
        effect: "omit the other end (only for datagram sockets with a path)",
      },
      { effect: "dump a process tree with both ends: from their common ancestor" },
    ],
  },
  {
    id: "UNIX_PEER_OUTSIDE",
    match: /(?:Can't dump half of stream unix connection|Can't dump name-less external socket)/,
    during: "dump",
    what: "a unix stream socket is connected to an external process",
    why: "a connection can be restored only with both ends, or passed in with --external unix[INODE]",
    mends: [{ effect: "dump a process tree with both ends: from their common ancestor" }],
  },
  {
    id: "UNIX_PEER_OUTSIDE",
    match: /External socket found in image/,
    during: "restore",
    what: "a unix socket was connected to an external process",
    why: "criu reconnects it only with --ext-unix-sk",
    mends: [{ command: "{restore}", effect: "restore with the options that the images need" }],
  },
  {
    id: "UNIX_PEER_GONE",
    match: /Can't connect (?<inode>\d+) socket: (?<error>.+)/,
    during: "restore",
    what: "cannot connect the unix socket with inode {inode} to its external peer: {error}",
    why: "the service must be running with the same path",
    mends: [
      { command: "crimg show {image} sockets", effect: "show the path of the peer" },
      { effect: "start that service first, or remap the path with crimg edit --remap-path" },
    ],
  },
  {
    id: "UNIX_PATH",
    match:
      /(?:ghost: )?Can't bind (?:on socket )?id (?<id>0x[0-9a-f]+) ino (?<inode>\d+) addr (?<path>.*): (?<error>.+)/,
    during: "restore",
    what: "cannot bind the unix socket {path}: {error}",
    why: "its directory must exist, and the path must be free or an old socket",
    mends: [
      {
        edit: "--remap-path {path}=NEWPATH",
        effect: "use another path",
      },
    ],
  },
  {
    id: "SOCKET_OPTION",
    match: /Can't get (?<level>\d+):(?<name>\d+) opt: (?<error>.+)/,
    during: "dump",
    what: "criu cannot read the socket option {level}:{name}: {error}",
    why: "this kernel no longer has the option: criu up to 4.1 cannot dump inet sockets on Linux 6.16 and later",
    mends: [{ effect: "use criu 4.2 or later" }],
  },
  {
    id: "SOCKET_UNSUPPORTED",
    match:
      /(?:Unsupported proto (?<protocol>\d+)|GODEBUG=multipathtcp=0|Can't dump \d+ inet socket|Sockets \(family \d+ proto \d+\) are not collected)/,
    during: "dump",
    what: "a socket has a family or protocol that criu does not support",
    why: "criu supports TCP, UDP, raw, unix, netlink and packet sockets, but not MPTCP",
    mends: [{ effect: "close the socket; for Go programs set GODEBUG=multipathtcp=0" }],
  },
];
