import type { CredsEntry } from "../../formats/criu/tables/creds.js";
import { type Credentials, maskOf, switchOf, wordsOf } from "../credentials.js";
import type { Origin } from "../origin.js";

/** criu looks at no more than two words of a set of capabilities. */
export function decodeCredentials(entry: CredsEntry, origin: Origin): Credentials {
  return {
    uid: entry.uid,
    gid: entry.gid,
    euid: entry.euid,
    egid: entry.egid,
    suid: entry.suid,
    sgid: entry.sgid,
    fsuid: entry.fsuid,
    fsgid: entry.fsgid,
    groups: entry.groups,
    inheritable: maskOf(entry.cap_inh),
    permitted: maskOf(entry.cap_prm),
    effective: maskOf(entry.cap_eff),
    bounding: maskOf(entry.cap_bnd),
    ambient: maskOf(entry.cap_amb),
    securebits: entry.secbits,
    noNewPrivs: switchOf(entry.no_new_privs ?? 0),
    lsmProfile: entry.lsm_profile,
    origin,
  };
}

export function encodeCredentials(credentials: Credentials): CredsEntry {
  const { uid, gid, euid, egid, suid, sgid, fsuid, fsgid, groups, noNewPrivs, lsmProfile } = credentials;
  return {
    ...{ uid, gid, euid, egid, suid, sgid, fsuid, fsgid },
    groups: [...groups],
    cap_inh: wordsOf(credentials.inheritable),
    cap_prm: wordsOf(credentials.permitted),
    cap_eff: wordsOf(credentials.effective),
    cap_bnd: wordsOf(credentials.bounding),
    cap_amb: wordsOf(credentials.ambient),
    secbits: credentials.securebits,
    ...(lsmProfile === undefined ? {} : { lsm_profile: lsmProfile }),
    ...(noNewPrivs === false ? {} : { no_new_privs: Number(noNewPrivs) }),
  };
}
