/** User and group ids, capabilities and securebits of threads; seccomp filters have a folder of their own. */

import { RECORDS } from "../../../formats/linux-cr/records.js";
import { wordBytes } from "../../../io/words.js";
import { encodeCredentials } from "../../../model/linux-cr/credentials.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { Status } from "../proc/status.js";

/** CRED of these ids and capabilities, written once for all tasks that have the same. Gives its number. */
export function writeCredentials(context: CheckpointContext, status: Status, securebits: number): number {
  const { writer } = context;
  const { uids, gids, groups, inheritable, permitted, effective, bounding } = status;
  const key = [...uids, ...gids, groups, inheritable, permitted, effective, bounding, securebits].join(" ");
  return context.ref("CRED", key, () => {
    const groupinfo_ref = context.ref("GROUPINFO", groups.join(" "), () => {
      const sorted = [...groups].sort((a, b) => a - b);
      writer.record(RECORDS.GROUPINFO, {}, wordBytes("u32", sorted, "group id"));
    });
    const user_ref = context.ref("USER", uids[0], () => {
      const ns = context.ref("USER_NS", "root", () => writer.record(RECORDS.USER_NS));
      writer.record(RECORDS.USER, { uid: uids[0], userns_ref: ns });
    });
    const [uid, euid, suid, fsuid] = uids;
    const [gid, egid, sgid, fsgid] = gids;
    const credentials = { ...status, uid, euid, suid, fsuid, gid, egid, sgid, fsgid, securebits };
    writer.record(RECORDS.CRED, { ...encodeCredentials(credentials), user_ref, groupinfo_ref });
  });
}
