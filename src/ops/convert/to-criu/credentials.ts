import type { CredsEntry } from "../../../formats/criu/tables/creds.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { ToCriu } from "./context.js";

/** What a thread may do: its own credentials, those that count. `label` is what messages call it. */
export function credentialsOf(context: ToCriu, task: Part, label: string): CredsEntry {
  const { reader, losses } = context;
  const { index, value: refs } = reader.get(task, RECORDS.TASK_CREDS);
  const object = reader.object(refs.ecred_ref, "CRED");
  if (object === undefined)
    throw reader.image.error(index, `there are no credentials with the number ${refs.ecred_ref}`);
  if (refs.ecred_ref !== refs.cred_ref)
    losses.add(
      label,
      "its real credentials, since it acts with other ones",
      "criu stores one set for each thread",
    );
  const { value: cred } = reader.get(object, RECORDS.CRED);
  const { cap_s: caps } = cred;
  const groups = reader.object(cred.groupinfo_ref, "GROUPINFO");
  const extra = reader.find(task, RECORDS.TASK_EXTRA)?.value;
  const profile = labelOf(context, cred.sec_ref ?? 0);
  return {
    uid: cred.uid,
    gid: cred.gid,
    euid: cred.euid,
    egid: cred.egid,
    suid: cred.suid,
    sgid: cred.sgid,
    fsuid: cred.fsuid,
    fsgid: cred.fsgid,
    cap_inh: [caps.cap_i_0, caps.cap_i_1],
    cap_prm: [caps.cap_p_0, caps.cap_p_1],
    cap_eff: [caps.cap_e_0, caps.cap_e_1],
    cap_bnd: [caps.cap_b_0, caps.cap_b_1],
    secbits: caps.securebits,
    groups:
      groups === undefined
        ? []
        : reader.image.numbers(reader.get(groups, RECORDS.GROUPINFO).index).map((gid) => gid >>> 0),
    ...(profile === undefined ? {} : { lsm_profile: profile }),
    ...(extra?.no_new_privs ? { no_new_privs: extra.no_new_privs } : {}),
    cap_amb: extra === undefined ? [] : halves(extra.cap_ambient),
  };
}

/** The text of a label: references name the hidden object that its record repeats. */
function labelOf({ reader }: ToCriu, ptrref: number): string | undefined {
  if (ptrref === 0) return undefined;
  for (const part of reader.objects("SECURITY"))
    if (reader.get(part, RECORDS.SECURITY).value.ptrref === ptrref) return reader.text(part, RECORDS.STRING);
  return undefined;
}

/** Two words, the low one first. */
function halves(mask: bigint): number[] {
  return [Number(BigInt.asUintN(32, mask)), Number(mask >> 32n)];
}
