import { IMAGES } from "../../../formats/criu/images.js";
import type { CredsEntry } from "../../../formats/criu/tables/creds.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FormatError } from "../../../io/errors.js";
import { wordBytes } from "../../../io/words.js";
import type { Context } from "./context.js";
import type { LiveThread } from "./source-task.js";

/** SECURITY.sectype of credentials. */
const SECTYPE_CRED = 4;

/** CRED, where its ids are new, and TASK_CREDS. CRIU stores one set of credentials, which is the real one. */
export function writeCreds(context: Context, thread: LiveThread): void {
  const creds = credsOf(context, thread);
  if (creds.lsm_sockcreate !== undefined)
    context.losses.add(
      thread.label,
      `the security label of its new sockets (${creds.lsm_sockcreate})`,
      "a stream holds the label of the task alone",
    );
  context.cred = writeCred(context, creds);
  context.writer.record(RECORDS.TASK_CREDS, { cred_ref: context.cred, ecred_ref: context.cred });
}

/** Old sets keep the credentials in an image of their own. */
export function credsOf({ set }: Context, { tc, process, tid }: LiveThread): CredsEntry {
  const creds = tc.creds ?? set.first(IMAGES.CREDS, process.pid);
  if (creds === undefined)
    throw new FormatError("MISSING", "missing: credentials of the thread", {
      file: set.image(IMAGES.CORE, tid)?.source.name,
      path: "[0].thread_core.creds",
    });
  return creds;
}

function writeCred(context: Context, creds: CredsEntry): number {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, secbits, lsm_profile: label } = creds;
  const ids = { uid, suid, euid, fsuid, gid, sgid, egid, fsgid };
  const capabilities = {
    ...halves("i", creds.cap_inh),
    ...halves("p", creds.cap_prm),
    ...halves("e", creds.cap_eff),
    ...halves("b", creds.cap_bnd),
    securebits: secbits,
    padding: 0,
  };
  const groups = [...new Set(creds.groups)].sort((a, b) => a - b);
  const key = JSON.stringify([ids, capabilities, groups, label]);
  return context.ref("CRED", key, () => {
    const groupinfo_ref = writeGroups(context, groups);
    const user_ref = writeUser(context, uid);
    const sec_ref = label === undefined ? 0 : writeLabel(context, label);
    context.writer.record(RECORDS.CRED, { ...ids, user_ref, groupinfo_ref, sec_ref, cap_s: capabilities });
  });
}

function halves(set: "i" | "p" | "e" | "b", words: readonly number[]): Record<string, number> {
  return { [`cap_${set}_0`]: words[0] ?? 0, [`cap_${set}_1`]: words[1] ?? 0 };
}

function writeGroups(context: Context, groups: readonly number[]): number {
  return context.ref("GROUPINFO", groups.join(), () => {
    context.writer.record(RECORDS.GROUPINFO, {}, wordBytes("u32", groups, "group id"));
  });
}

/** All users are of one user namespace, that of the root task: criu dumps no nested ones. */
function writeUser(context: Context, uid: number): number {
  return context.ref("USER", uid, () => {
    const userns_ref = context.ref("USER_NS", "root", () => context.writer.record(RECORDS.USER_NS));
    context.writer.record(RECORDS.USER, { uid, userns_ref });
  });
}

/** Gives the hidden number by which others name the label. */
function writeLabel(context: Context, label: string): number {
  const { objref: ptrref } = context.hidden("SECURITY_PTR", label);
  context.ref("SECURITY", label, () => {
    context.writer.record(RECORDS.SECURITY, { ptrref, sectype: SECTYPE_CRED });
    context.writer.text(RECORDS.STRING, label);
  });
  return ptrref;
}
