import { LINUX_CAPABILITY_VERSION_3, SECBIT_NO_SETUID_FIXUP } from "../../../linux/capabilities.js";
import {
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_LOWER,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_GET_SECUREBITS,
  PR_SET_DUMPABLE,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_SECUREBITS,
} from "../../../linux/prctl.js";
import type { Credentials } from "../../../model/credentials.js";
import { readStatus, type Status } from "../proc/status.js";
import type { Appliers } from "../restore/context.js";
import type { RemoteTask } from "../restore/remote-task.js";
import { SYS } from "../sys/abi-x64.js";
import { setDeathSignal } from "../tasks/apply-thread.js";
import type { ImageThread } from "../tasks/image.js";
import type { CredentialStep } from "./plan.js";

export const CREDENTIALS: Appliers<CredentialStep> = {
  credentials(context, { task, thread }) {
    const { process } = context.task(task);
    const { mm } = context.image.memory(process.objects?.mm_objref ?? 0);
    const remote = context.remote(task, thread.tid);
    setCredentials(remote, thread, mm.dumpable ?? 1);
    setDeathSignal(remote, thread);
  },
};

const CAPABILITIES = 41n;

/**
 * Ids, groups and capabilities of a thread, credentials(7). A value that is right already is not set, since setting it may
 * need privileges; no step needs what an earlier one takes away.
 */
function setCredentials(remote: RemoteTask, { credentials }: ImageThread, dumpable: number): void {
  const now = readStatus(`${remote.tracee.pid}/task/${remote.tracee.tid}`);
  const bits = remote.call("read its secure bits", SYS.prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
  const changesIds =
    !isSame(now.uids, idsOf(credentials, "uid")) || !isSame(now.gids, idsOf(credentials, "gid"));
  const setBits = (wanted: number): void => {
    remote.call("set its secure bits", SYS.prctl, PR_SET_SECUREBITS, wanted, 0, 0, 0);
  };
  if (changesIds) setBits(bits | SECBIT_NO_SETUID_FIXUP);
  // While the bounding set still has them.
  if (now.inheritable !== credentials.inheritable)
    setCapabilities(remote, {
      effective: now.permitted,
      permitted: now.permitted,
      inheritable: credentials.inheritable,
    });
  for (const capability of capabilitiesIn(credentials.ambient & ~now.ambient))
    remote.call(
      "raise an ambient capability",
      SYS.prctl,
      PR_CAP_AMBIENT,
      PR_CAP_AMBIENT_RAISE,
      capability,
      0,
      0,
    );
  for (const capability of capabilitiesIn(now.bounding & ~credentials.bounding))
    remote.call("drop a capability from its bounding set", SYS.prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
  setIds(remote, credentials, now);
  const { securebits } = credentials;
  if (securebits !== (changesIds ? bits | SECBIT_NO_SETUID_FIXUP : bits)) setBits(securebits);
  setCapabilities(remote, credentials);
  for (const capability of capabilitiesIn(now.ambient & ~credentials.ambient))
    remote.call(
      "lower an ambient capability",
      SYS.prctl,
      PR_CAP_AMBIENT,
      PR_CAP_AMBIENT_LOWER,
      capability,
      0,
      0,
    );
  if (credentials.noNewPrivs) remote.call("set no_new_privs", SYS.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (dumpable <= 1) remote.call("set its dumpable flag", SYS.prctl, PR_SET_DUMPABLE, dumpable, 0, 0, 0);
}

/** Groups before users: root may choose them. */
function setIds(remote: RemoteTask, credentials: Credentials, now: Status): void {
  const { groups, fsuid, fsgid, uid, euid, suid, gid, egid, sgid } = credentials;
  if (!isSame(now.groups, groups)) {
    const list = Buffer.alloc(groups.length * 4);
    for (const [i, group] of groups.entries()) list.writeUInt32LE(group, i * 4);
    remote.call("set its groups", SYS.setgroups, groups.length, remote.put(list));
  }
  if (!isSame(now.gids, idsOf(credentials, "gid"))) {
    remote.call("set its group ids", SYS.setresgid, gid, egid, sgid);
    // setfsgid(2) and setfsuid(2) give the old id, also when they refuse.
    remote.attempt(SYS.setfsgid, fsgid);
  }
  if (isSame(now.uids, idsOf(credentials, "uid"))) return;
  remote.call("set its user ids", SYS.setresuid, uid, euid, suid);
  remote.attempt(SYS.setfsuid, fsuid);
}

type Masks = Readonly<Record<"inheritable" | "permitted" | "effective", bigint>>;

/** capset(2). */
function setCapabilities(remote: RemoteTask, { effective, permitted, inheritable }: Masks): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(LINUX_CAPABILITY_VERSION_3, 0);
  const data = Buffer.alloc(24);
  for (const half of [0, 1]) {
    const part = (mask: bigint): number => Number((mask >> BigInt(half * 32)) & 0xffff_ffffn);
    data.writeUInt32LE(part(effective), half * 12);
    data.writeUInt32LE(part(permitted), half * 12 + 4);
    data.writeUInt32LE(part(inheritable), half * 12 + 8);
  }
  remote.call("set its capabilities", SYS.capset, remote.put(header), remote.put(data, 8));
}

function capabilitiesIn(mask: bigint): bigint[] {
  const found: bigint[] = [];
  for (let capability = 0n; capability < CAPABILITIES; capability++)
    if ((mask & (1n << capability)) !== 0n) found.push(capability);
  return found;
}

/** Real, effective, saved, of the file system, as /proc/PID/status has them. */
function idsOf(credentials: Credentials, which: "uid" | "gid"): number[] {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid } = credentials;
  return which === "uid" ? [uid, euid, suid, fsuid] : [gid, egid, sgid, fsgid];
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.join() === b.join();
}
