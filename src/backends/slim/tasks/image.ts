import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { ARCHITECTURES } from "../../../formats/linux-cr/revisions.js";
import { SIGACTION } from "../../../formats/linux-cr/tables/signals.js";
import { UnsupportedError } from "../../../io/errors.js";
import { EXIT_ZOMBIE, TASK_STOPPED } from "../../../linux/sched.js";
import type { ResourceLimit, TaskAttributes, ThreadAttributes } from "../../../model/attributes.js";
import type { Credentials } from "../../../model/credentials.js";
import {
  decodeLimits,
  decodeTaskAttributes,
  decodeThreadAttributes,
} from "../../../model/linux-cr/attributes.js";
import { decodeCredentials } from "../../../model/linux-cr/credentials.js";
import { type Process, processesOf, type TaskIds } from "../../../model/linux-cr/pids.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { decodeRegisters } from "../../../model/linux-cr/registers.js";
import { CKPT_SIGINFO_BYTES, fromCkptSiginfo } from "../../../model/linux-cr/siginfo.js";
import { decodeIntervalTimers, decodePosixTimers } from "../../../model/linux-cr/timers.js";
import type { Timer } from "../../../model/timer.js";
import type { ExtendedState } from "../../../model/x86-registers.js";
import { Registers } from "../ptrace/registers.js";

/** One thread as the image has it. */
export interface ImageThread extends ThreadAttributes {
  readonly tid: number;
  readonly comm: string;
  readonly registers: Registers;
  readonly extended: ExtendedState;
  readonly blocked: Buffer;
  /** struct siginfo each, 128 bytes. */
  readonly pending: readonly Buffer[];
  readonly restartBlock: RecordValue<typeof RECORDS.RESTART_BLOCK>;
  readonly extra: RecordValue<typeof RECORDS.TASK_EXTRA> | undefined;
  readonly credentials: Credentials;
}

/** A process as the image has it: what belongs to all its threads. */
export interface ImageProcess {
  readonly ids: TaskIds;
  readonly comm: string;
  /** As wait(2) gives it; undefined for one that lives. */
  readonly exitStatus: number | undefined;
  readonly isStopped: boolean;
  /** Signal that the parent gets when it ends. */
  readonly exitSignal: number;
  /** The leader first. Empty for a zombie. */
  readonly threads: readonly ImageThread[];
  readonly objects: RecordValue<typeof RECORDS.TASK_OBJS> | undefined;
  /** TTY object that controls the session of a leader; 0 for none. */
  readonly terminal: number;
  readonly attributes: TaskAttributes;
  readonly limits: readonly ResourceLimit[];
  /** Queued for the whole process. */
  readonly pending: readonly Buffer[];
  readonly actions: readonly Buffer[];
  /** Of setitimer(2) and timer_create(2). */
  readonly timers: readonly Timer[];
}

/**
 * The processes of an image, parents first. Errors: UnsupportedError for tasks of another machine than x86-64, whose
 * records have other fields; FormatError for a damaged image.
 */
export function imageProcesses(reader: StreamReader): ImageProcess[] {
  const { arch } = reader.image.dialect;
  if (arch !== ARCHITECTURES.X86_64)
    throw new UnsupportedError(`the slim backend restores x86-64 tasks; these are ${arch.name}`, {
      file: reader.image.name,
    });
  return processesOf(reader).map((process) => processOf(reader, process));
}

function processOf(reader: StreamReader, { ids, part, threads }: Process): ImageProcess {
  const task = reader.get(part, RECORDS.TASK).value;
  const isZombie = task.exit_state === EXIT_ZOMBIE;
  const objects = reader.find(part, RECORDS.TASK_OBJS)?.value;
  const sighand = objects && reader.object(objects.sighand_objref, "SIGHAND");
  const shared = reader.index(part, RECORDS.SIGPENDING);
  return {
    ids,
    comm: reader.text(part, RECORDS.STRING) ?? "",
    exitStatus: isZombie ? task.exit_code : undefined,
    isStopped: task.state === TASK_STOPPED,
    exitSignal: task.exit_signal,
    threads: isZombie ? [] : threads.map((thread) => threadOf(reader, thread.part, thread.tid)),
    objects,
    terminal: reader.find(part, RECORDS.SIGNAL)?.value.tty_objref ?? 0,
    attributes: decodeTaskAttributes(reader, part),
    limits: decodeLimits(reader, part),
    // The queue of the process stands before that of the leader.
    pending: shared === undefined || isZombie ? [] : queued(reader, shared),
    actions:
      sighand === undefined ? [] : pieces(reader, reader.get(sighand, RECORDS.SIGHAND).index, SIGACTION.size),
    timers: [...decodeIntervalTimers(reader, part), ...decodePosixTimers(reader, part)],
  };
}

function threadOf(reader: StreamReader, part: Part, tid: number): ImageThread {
  const own = reader.index(part, RECORDS.SIGPENDING, -1);
  const { general, extended } = decodeRegisters(reader, part);
  const credentials = decodeCredentials(reader, part);
  if (credentials === undefined) throw reader.image.error(0, `thread ${tid} has no credentials`);
  return {
    ...decodeThreadAttributes(reader, part),
    ...{ tid, comm: reader.text(part, RECORDS.STRING) ?? "" },
    ...{ credentials, extended, registers: Registers.of(general) },
    blocked: reader.get(part, RECORDS.SIGNAL_TASK).value.blocked,
    pending: own === undefined ? [] : queued(reader, own),
    restartBlock: reader.get(part, RECORDS.RESTART_BLOCK).value,
    extra: reader.find(part, RECORDS.TASK_EXTRA)?.value,
  };
}

function queued(reader: StreamReader, record: number): Buffer[] {
  return pieces(reader, record, CKPT_SIGINFO_BYTES).map(fromCkptSiginfo);
}

/** The payload of a record in pieces of `size` bytes. */
function pieces({ image }: StreamReader, record: number, size: number): Buffer[] {
  const bytes = image.bytes(record);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}
