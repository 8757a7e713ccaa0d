import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { type Credentials, maskOf, switchOf, wordsOf } from "../credentials.js";
import type { StreamReader } from "./reader.js";

/** The effective credentials, which decide what the task may do; undefined for a number that no CRED has. */
export function decodeCredentials(reader: StreamReader, part: Part): Credentials | undefined {
  const refs = reader.find(part, RECORDS.TASK_CREDS)?.value;
  const object = refs === undefined ? undefined : reader.object(refs.ecred_ref, "CRED");
  if (object === undefined) return undefined;
  const { index, value: cred } = reader.get(object, RECORDS.CRED);
  const { uid, gid, euid, egid, suid, sgid, fsuid, fsgid, cap_s: caps } = cred;
  const groups = reader.object(cred.groupinfo_ref, "GROUPINFO");
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  return {
    ...{ uid, gid, euid, egid, suid, sgid, fsuid, fsgid },
    groups:
      groups === undefined
        ? []
        : reader.image.numbers(reader.get(groups, RECORDS.GROUPINFO).index).map((gid) => gid >>> 0),
    inheritable: maskOf([caps.cap_i_0, caps.cap_i_1]),
    permitted: maskOf([caps.cap_p_0, caps.cap_p_1]),
    effective: maskOf([caps.cap_e_0, caps.cap_e_1]),
    bounding: maskOf([caps.cap_b_0, caps.cap_b_1]),
    ambient: extra?.cap_ambient ?? 0n,
    securebits: caps.securebits,
    noNewPrivs: switchOf(extra?.no_new_privs ?? 0),
    lsmProfile: labelOf(reader, cred.sec_ref ?? 0),
    origin: reader.origin(index),
  };
}

/** Labels are named by the number of a hidden object, which the SECURITY record repeats. */
function labelOf(reader: StreamReader, ptrref: number): string | undefined {
  if (ptrref === 0) return undefined;
  for (const part of reader.objects("SECURITY"))
    if (reader.get(part, RECORDS.SECURITY).value.ptrref === ptrref) return reader.text(part, RECORDS.STRING);
  return undefined;
}

/** The fields of CRED that name no other object. */
export function encodeCredentials(
  credentials: Omit<Credentials, "groups" | "ambient" | "noNewPrivs" | "lsmProfile" | "origin">,
): Omit<RecordValue<typeof RECORDS.CRED>, "user_ref" | "groupinfo_ref" | "sec_ref"> {
  const { uid, gid, euid, egid, suid, sgid, fsuid, fsgid, securebits } = credentials;
  const [cap_i_0, cap_i_1] = wordsOf(credentials.inheritable);
  const [cap_p_0, cap_p_1] = wordsOf(credentials.permitted);
  const [cap_e_0, cap_e_1] = wordsOf(credentials.effective);
  const [cap_b_0, cap_b_1] = wordsOf(credentials.bounding);
  return {
    ...{ uid, gid, euid, egid, suid, sgid, fsuid, fsgid },
    cap_s: {
      ...{ cap_i_0, cap_i_1, cap_p_0, cap_p_1, cap_e_0, cap_e_1, cap_b_0, cap_b_1 },
      ...{ securebits, padding: 0 },
    },
  };
}

/** Place of the name of the security module among the BUFFERs before the first task: behind those of the kernel. */
const LSM_NAME = 3;
export const NO_LSM = "lsm_none";

/** The security module that was active: `apparmor`, `selinux`; undefined for none. */
export function decodeSecurityModule(reader: StreamReader): string | undefined {
  const { head } = reader.tree;
  const index = head === undefined ? undefined : reader.index(head, RECORDS.BUFFER, LSM_NAME);
  const name = index === undefined ? NO_LSM : reader.image.text(index);
  return name === NO_LSM || name === "" ? undefined : name;
}
