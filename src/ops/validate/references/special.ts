import { IMAGES } from "../../../formats/criu/images.js";
import type { AnyValue } from "../../../schema/message.js";
import type { SetContext } from "../context.js";
import { COPY_FILE, type Target } from "./target.js";

/** Bits of vma_entry.status. */
const AREA = { file: 0x40 | 0x80, anonShared: 0x100, sysv: 0x400, socket: 0x800, memfd: 0x4000 } as const;

/** What `vma_entry.shmid` names, by the bits of `status`. */
export function isMapped(what: "file" | "memfd" | "socket" | "sysv" | "shared"): (vma: AnyValue) => boolean {
  return (vma) => {
    const status = vma.status as number;
    if ((status & AREA.memfd) !== 0) return what === "memfd";
    if ((status & AREA.socket) !== 0) return what === "socket";
    if ((status & AREA.sysv) !== 0) return what === "sysv";
    if ((status & AREA.file) !== 0) return what === "file";
    return what === "shared" && (status & AREA.anonShared) !== 0;
  };
}

/** How a deleted file was kept; very old sets mark a ghost by the highest bit of the id. */
export function isRemap(what: "link" | "ghost" | "process"): (remap: AnyValue) => boolean {
  return (remap) => {
    const type = remap.remap_type ?? ((remap.remap_id as number) >= 0x8000_0000 ? 1 : 0);
    return type === { link: 0, ghost: 1, process: 2 }[what];
  };
}

/** A TCP connection whose state the set must hold. */
export function isConnectedTcp(socket: AnyValue, { set }: SetContext): boolean {
  const { proto, type, dst_port } = socket;
  return proto === 6 && type === 1 && dst_port !== 0 && set.first(IMAGES.INVENTORY)?.tcp_close !== true;
}

/** Whether a mount namespace was dumped. */
export function hasMounts(_owner: AnyValue, { set }: SetContext): boolean {
  return set.files.some(({ kind }) => kind === IMAGES.MNTS);
}

/** A device in the namespace image that `peer_nsid` names; without that image it is outside. */
export const peerDevice: Target = {
  name: (key) => `a device with index ${key} in its namespace's ${IMAGES.NETDEV.file}`,
  index: ({ set }) => {
    return ({ key, owner }) => {
      const namespace = owner.peer_nsid as number;
      if (set.image(IMAGES.NETDEV, namespace) === undefined) return true;
      return set.records(IMAGES.NETDEV, namespace).some(({ value }) => BigInt(value.ifindex) === key);
    };
  },
};

/** A file of no known kind that carries the number in its name. */
export const pluginImage: Target = {
  fix: COPY_FILE,
  name: (key) => `an image of the plugin with number ${key} in its name`,
  index: ({ set }) => {
    const others = set.files.filter(({ kind }) => kind === undefined).map(({ name }) => name);
    const numbers = new Set(others.flatMap((name) => name.match(/\d+/g) ?? []));
    return ({ key }) => numbers.has(String(key));
  },
};
