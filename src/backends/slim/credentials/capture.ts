/** User and group ids, capabilities and securebits of threads; seccomp filters have a folder of their own. */

import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { Status } from "../proc/status.js";

/** CRED of these ids and capabilities, written once for all tasks that have the same. Gives its number. */
export function writeCredentials(context: CheckpointContext, status: Status, securebits: number): number {
  const { writer } = context;
  const { uids, gids, groups, inheritable, permitted, effective, bounding } = status;
  const key = [...uids, ...gids, groups, inheritable, permitted, effective, bounding, securebits].join(" ");
  return context.ref("CRED", key, () => {
    const groupinfo = context.ref("GROUPINFO", groups.join(" "), () => {
      const bytes = Buffer.alloc(groups.length * 4);
      const sorted = [...groups].sort((a, b) => a - b);
      for (const [i, group] of sorted.entries()) bytes.writeUInt32LE(group, i * 4);
      writer.record(RECORDS.GROUPINFO, {}, bytes);
    });
    const user = context.ref("USER", uids[0], () => {
      const ns = context.ref("USER_NS", "root", () => writer.record(RECORDS.USER_NS));
      writer.record(RECORDS.USER, { uid: uids[0], userns_ref: ns });
    });
    const [uid, euid, suid, fsuid] = uids;
    const [gid, egid, sgid, fsgid] = gids;
    writer.record(RECORDS.CRED, {
      uid,
      euid,
      suid,
      fsuid,
      gid,
      egid,
      sgid,
      fsgid,
      user_ref: user,
      groupinfo_ref: groupinfo,
      cap_s: {
        cap_i_0: low(inheritable),
        cap_i_1: high(inheritable),
        cap_p_0: low(permitted),
        cap_p_1: high(permitted),
        cap_e_0: low(effective),
        cap_e_1: high(effective),
        cap_b_0: low(bounding),
        cap_b_1: high(bounding),
        securebits,
        padding: 0,
      },
    });
  });
}

function low(mask: bigint): number {
  return Number(mask & 0xffff_ffffn);
}

function high(mask: bigint): number {
  return Number(mask >> 32n);
}
