import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { isSince } from "../../formats/linux-cr/revisions.js";
import { SIGACTION, SIGINFO, SIGINFO_0ABE2FE } from "../../formats/linux-cr/tables/signals.js";
import { SIGKILL, SIGSTOP } from "../../linux/signals.js";
import type { Credentials, PendingSignal, SignalAction, Thread, ThreadAddresses } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import { controlGroupsOf, threadExtras } from "./extras.js";
import type { StreamReader } from "./reader.js";
import { registersOf } from "./registers.js";

/** One TASK with all that is its own; undefined parts are those of a zombie. */
export function linuxCrThread(reader: StreamReader, part: Part, tid: number): Thread {
  const { value: task, index } = reader.get(part, RECORDS.TASK);
  const { seccomp, schedule, rseq, ambient, noNewPrivs } = threadExtras(reader, part);
  const credentials = lazy(() => credentialsOf(reader, part, { ambient, noNewPrivs }));
  const registers = lazy(() => registersOf(reader, part));
  return {
    tid,
    comm: reader.text(part, RECORDS.STRING) ?? "",
    get credentials() {
      return credentials();
    },
    get registers() {
      return registers();
    },
    get blocked() {
      const found = reader.find(part, RECORDS.SIGNAL_TASK);
      return found === undefined ? 0n : signalSet(reader.image, found.value.blocked);
    },
    get pending() {
      // The queue of the process, when this task has it, stands before its own.
      const own = reader.index(part, RECORDS.SIGPENDING, -1);
      return own === undefined ? [] : pendingSignals(reader.image, own);
    },
    ...{ seccomp, schedule, rseq },
    addresses: addressesOf(task),
    deathSignal: task.pdeath_signal,
    get controlGroups() {
      return controlGroupsOf(reader, part);
    },
    origin: reader.origin(index),
  };
}

function addressesOf(task: RecordValue<typeof RECORDS.TASK>): ThreadAddresses {
  const { sas_ss_sp: stack = 0n, sas_ss_size: size = 0 } = task;
  return {
    clearTid: task.clear_child_tid,
    robustList: task.robust_futex_list,
    signalStack: size === 0 ? undefined : { start: stack, end: stack + BigInt(size) },
  };
}

/** Bit n-1 is signal n: the kernel's array of longs, in the byte order of the machine. */
export function signalSet(image: LinuxCrImage, set: Buffer): bigint {
  if (image.byteOrder === "little-endian") return set.readBigUInt64LE();
  if (image.dialect.arch.wordBytes === 8) return set.readBigUInt64BE();
  return (BigInt(set.readUInt32BE(4)) << 32n) | BigInt(set.readUInt32BE(0));
}

export function pendingSignals(image: LinuxCrImage, record: number): PendingSignal[] {
  const raw = image.bytes(record);
  if (isSince(image.dialect.commit, "f0fdd38"))
    return image.structs(record, SIGINFO).map(({ csi_signo, csi_code }, i) => ({
      signal: csi_signo,
      code: csi_code,
      siginfo: raw.subarray(i * SIGINFO.size, (i + 1) * SIGINFO.size),
    }));
  return image.structs(record, SIGINFO_0ABE2FE).map(({ signo, code }, i) => ({
    signal: signo,
    code: code | 0,
    siginfo: raw.subarray(i * SIGINFO_0ABE2FE.size, (i + 1) * SIGINFO_0ABE2FE.size),
  }));
}

/** SIGHAND has an entry for each signal; SIGKILL and SIGSTOP have no action. */
export function signalActions(image: LinuxCrImage, record: number): SignalAction[] {
  return image
    .structs(record, SIGACTION)
    .map(({ _sa_handler, sa_flags, sa_mask }, i) => ({
      signal: i + 1,
      handler: _sa_handler,
      flags: sa_flags,
      mask: signalSet(image, sa_mask),
    }))
    .filter(({ signal }) => signal !== SIGKILL && signal !== SIGSTOP);
}

/** The effective credentials, which decide what the task may do. */
function credentialsOf(
  reader: StreamReader,
  part: Part,
  { ambient, noNewPrivs }: Pick<Credentials, "ambient" | "noNewPrivs">,
): Credentials | undefined {
  const refs = reader.find(part, RECORDS.TASK_CREDS)?.value;
  const object = refs === undefined ? undefined : reader.object(refs.ecred_ref, "CRED");
  if (object === undefined) return undefined;
  const { index, value: cred } = reader.get(object, RECORDS.CRED);
  const { cap_s: caps } = cred;
  const groups = reader.object(cred.groupinfo_ref, "GROUPINFO");
  return {
    uid: cred.uid,
    gid: cred.gid,
    euid: cred.euid,
    egid: cred.egid,
    suid: cred.suid,
    sgid: cred.sgid,
    fsuid: cred.fsuid,
    fsgid: cred.fsgid,
    groups:
      groups === undefined
        ? []
        : reader.image.numbers(reader.get(groups, RECORDS.GROUPINFO).index).map((gid) => gid >>> 0),
    inheritable: mask(caps.cap_i_0, caps.cap_i_1),
    permitted: mask(caps.cap_p_0, caps.cap_p_1),
    effective: mask(caps.cap_e_0, caps.cap_e_1),
    bounding: mask(caps.cap_b_0, caps.cap_b_1),
    ambient,
    securebits: caps.securebits,
    noNewPrivs,
    lsmProfile: labelOf(reader, cred.sec_ref ?? 0),
    origin: reader.origin(index),
  };
}

function mask(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Labels are named by the number of a hidden object, which the SECURITY record repeats. */
function labelOf(reader: StreamReader, ptrref: number): string | undefined {
  if (ptrref === 0) return undefined;
  for (const part of reader.objects("SECURITY"))
    if (reader.get(part, RECORDS.SECURITY).value.ptrref === ptrref) return reader.text(part, RECORDS.STRING);
  return undefined;
}
