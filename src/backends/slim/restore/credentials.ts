import { readStatus } from "../proc/status.js";
import { SYS } from "../sys/abi-x64.js";
import type { ImageCredentials, ImageThread } from "./image-task.js";
import type { Workbench } from "./work-area.js";

const PR_SET_DUMPABLE = 4;
const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_DROP = 24;
const PR_SET_SECUREBITS = 28;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const CAPABILITIES = 41n;

/** Ids, groups and capabilities of a thread, credentials(7): what it loses on the way must not be needed any more. */
export function setCredentials(
  bench: Workbench,
  { credentials, extra }: ImageThread,
  dumpable: number,
): void {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups } = credentials;
  const caps = capabilityMasks(credentials);
  const now = readStatus(`${bench.tracee.pid}/task/${bench.tracee.tid}`);
  const same = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();
  const changesIds = !same(now.uids, [uid, euid, suid, fsuid]);
  if (changesIds)
    bench.call("keep capabilities over a change of ids", SYS.prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (!same(now.groups, groups)) {
    const list = Buffer.alloc(groups.length * 4);
    for (const [i, group] of groups.entries()) list.writeUInt32LE(group, i * 4);
    bench.call("set its groups", SYS.setgroups, groups.length, bench.put(list));
  }
  if (!same(now.gids, [gid, egid, sgid, fsgid])) {
    bench.call("set its group ids", SYS.setresgid, gid, egid, sgid);
    // setfsgid(2) and setfsuid(2) give the old id, also when they refuse.
    bench.attempt(SYS.setfsgid, fsgid);
  }
  for (let capability = 0n; capability < CAPABILITIES; capability++)
    if ((now.bounding & ~caps.bounding & (1n << capability)) !== 0n)
      bench.call("drop a capability for good", SYS.prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
  if (changesIds) {
    bench.call("set its user ids", SYS.setresuid, uid, euid, suid);
    bench.attempt(SYS.setfsuid, fsuid);
    bench.call("keep capabilities no more", SYS.prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0);
  }
  const { securebits } = credentials.cap_s;
  if (securebits !== 0) bench.call("set its secure bits", SYS.prctl, PR_SET_SECUREBITS, securebits, 0, 0, 0);
  const header = Buffer.alloc(8);
  header.writeUInt32LE(LINUX_CAPABILITY_VERSION_3, 0);
  const data = Buffer.alloc(24);
  for (const half of [0, 1]) {
    const part = (mask: bigint): number => Number((mask >> BigInt(half * 32)) & 0xffff_ffffn);
    data.writeUInt32LE(part(caps.effective), half * 12);
    data.writeUInt32LE(part(caps.permitted), half * 12 + 4);
    data.writeUInt32LE(part(caps.inheritable), half * 12 + 8);
  }
  bench.call("set its capabilities", SYS.capset, bench.put(header), bench.put(data, 8));
  for (let capability = 0n; capability < CAPABILITIES; capability++)
    if (((extra?.cap_ambient ?? 0n) & (1n << capability)) !== 0n)
      bench.call(
        "raise an ambient capability",
        SYS.prctl,
        PR_CAP_AMBIENT,
        PR_CAP_AMBIENT_RAISE,
        capability,
        0,
        0,
      );
  if (extra?.no_new_privs === 1)
    bench.call("give up new privileges", SYS.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (dumpable <= 1)
    bench.call("say whether it may be dumped", SYS.prctl, PR_SET_DUMPABLE, dumpable, 0, 0, 0);
}

function capabilityMasks({
  cap_s: caps,
}: ImageCredentials): Record<"inheritable" | "permitted" | "effective" | "bounding", bigint> {
  const mask = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low);
  return {
    inheritable: mask(caps.cap_i_0, caps.cap_i_1),
    permitted: mask(caps.cap_p_0, caps.cap_p_1),
    effective: mask(caps.cap_e_0, caps.cap_e_1),
    bounding: mask(caps.cap_b_0, caps.cap_b_1),
  };
}
