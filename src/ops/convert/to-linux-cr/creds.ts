import { IMAGES } from "../../../formats/criu/images.js";
import type { CredsEntry } from "../../../formats/criu/tables/creds.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FormatError } from "../../../io/errors.js";
import { wordBytes } from "../../../io/words.js";
import type { Credentials } from "../../../model/credentials.js";
import { decodeCredentials } from "../../../model/criu/credentials.js";
import { encodeCredentials } from "../../../model/linux-cr/credentials.js";
import type { Context } from "./context.js";
import type { LiveThread } from "./source-task.js";

/** SECURITY.sectype of credentials. */
const SECTYPE_CRED = 4;

/** CRED, where its ids are new, and TASK_CREDS. CRIU stores one set of credentials, which is the real one. */
export function writeCreds(context: Context, thread: LiveThread): void {
  const { lsm_sockcreate: label } = credsOf(context, thread);
  if (label !== undefined)
    context.losses.add(
      thread.label,
      `the security label of its new sockets (${label})`,
      "a stream holds the label of the task alone",
    );
  context.cred = writeCred(context, credentialsOf(context, thread));
  context.writer.record(RECORDS.TASK_CREDS, { cred_ref: context.cred, ecred_ref: context.cred });
}

export function credentialsOf(context: Context, thread: LiveThread): Credentials {
  return decodeCredentials(credsOf(context, thread), { image: "", record: 0 });
}

/** Old sets keep the credentials in an image of their own. */
function credsOf({ set }: Context, { tc, process, tid }: LiveThread): CredsEntry {
  const creds = tc.creds ?? set.first(IMAGES.CREDS, process.pid);
  if (creds === undefined)
    throw new FormatError("MISSING", "missing: credentials of the thread", {
      file: set.image(IMAGES.CORE, tid)?.source.name,
      path: "[0].thread_core.creds",
    });
  return creds;
}

function writeCred(context: Context, credentials: Credentials): number {
  const { uid, lsmProfile: label } = credentials;
  const groups = [...new Set(credentials.groups)].sort((a, b) => a - b);
  const fields = encodeCredentials(credentials);
  return context.ref("CRED", JSON.stringify([fields, groups, label]), () => {
    const groupinfo_ref = writeGroups(context, groups);
    const user_ref = writeUser(context, uid);
    const sec_ref = label === undefined ? 0 : writeLabel(context, label);
    context.writer.record(RECORDS.CRED, { ...fields, user_ref, groupinfo_ref, sec_ref });
  });
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
