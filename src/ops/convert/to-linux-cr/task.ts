import type { TaskCoreEntry } from "../../../formats/criu/tables/core.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { NO_CALL, NO_EXIT_SIGNAL } from "../../../formats/linux-cr/tables/task.js";
import { isWithin } from "../../../io/domains.js";
import { textToBytes } from "../../../io/text.js";
import {
  EXIT_ZOMBIE,
  PF_FORKNOEXEC,
  PF_SUPERPRIV,
  robustListBytes,
  TASK_COMM_LEN,
  TASK_DEAD,
  TASK_RUNNING,
  TASK_STOPPED,
} from "../../../linux/sched.js";
import { SIGCHLD, SS_AUTODISARM } from "../../../linux/signals.js";
import type { ThreadAttributes } from "../../../model/attributes.js";
import {
  encodeThreadAttributes,
  MAX_COMPAT_ADDRESS,
  MAX_STACK_BYTES,
} from "../../../model/linux-cr/attributes.js";
import { fixedText } from "../../../model/linux-cr/head.js";
import { encodeRegisters, encodeThreadArea } from "../../../model/linux-cr/registers.js";
import type { Losses } from "../../../model/loss.js";
import type { Context } from "./context.js";
import { writeCreds } from "./creds.js";
import { writeExtras } from "./extras.js";
import { writeFileTable } from "./file-table.js";
import { writeFs } from "./fs.js";
import { writeMemory } from "./memory.js";
import { writeNamespaces } from "./namespaces.js";
import { writeActions, writeSignal, writeThreadSignals } from "./signals.js";
import { isDead, type LiveThread, liveThread, type SourceThread, taskCore } from "./source-task.js";

/** In a wait status: the signal had a core dump written. */
const CORE_DUMPED = 0x80;
const TASK_HELPER = 6;

/** One task or thread of a stream, from TASK to its last record. */
export function writeTask(context: Context, thread: SourceThread): void {
  const core = taskCore(context.set, thread.process.pid);
  if (isDead(core)) writeZombie(context, thread, core);
  else writeLive(context, liveThread(context.set, thread));
}

function writeLive(context: Context, live: LiveThread): void {
  const { registers } = live;
  writeAlive(context, live);
  const area = encodeThreadArea(registers);
  context.writer.record(RECORDS.THREAD, area.fields, area.payload);
  context.writer.record(RECORDS.RESTART_BLOCK, { function_type: NO_CALL });
  writeRegisters(context, live);
  writeCreds(context, live);
  writeNamespaces(context, live);
  writeObjects(context, live);
  writeThreadSignals(context, live);
  writeExtras(context, live);
}

function writeRegisters({ writer, losses }: Context, { registers, label }: LiveThread): void {
  const { fields, unknown } = encodeRegisters(registers.general, registers.isCompat);
  for (const name of unknown)
    losses.add(
      label,
      `register ${name}`,
      `a stream has no code for the selector ${registers.general.get(name)}`,
    );
  writer.record(RECORDS.CPU, fields);
  writer.record(RECORDS.CPU_FPU, {}, registers.extended.fxsave);
}

function writeZombie(
  { writer, losses }: Context,
  { label }: SourceThread,
  { exit_code: status, comm, task_state }: TaskCoreEntry,
): void {
  if (task_state === TASK_HELPER)
    losses.add(label, "that it only helps at a restore", "a stream has no such tasks; it becomes a zombie");
  const dumpedCore = (status & 0x7f) !== 0 && (status & CORE_DUMPED) !== 0;
  if (dumpedCore)
    losses.add(label, "that it dumped core", "a stream holds the signal that ended a task and no more");
  writer.record(RECORDS.TASK, {
    state: TASK_DEAD,
    exit_state: EXIT_ZOMBIE,
    exit_code: dumpedCore ? status & ~CORE_DUMPED : status,
  });
  writer.record(RECORDS.STRING, {}, fixedText(comm, TASK_COMM_LEN));
}

function writeAlive({ writer, losses }: Context, thread: LiveThread): void {
  const { task, isLeader, isStopped, comm, label } = thread;
  const attributes = withShortStack(thread.attributes, label, losses);
  if (textToBytes(comm).length >= TASK_COMM_LEN)
    losses.add(label, `its name (${comm})`, `a stream holds ${TASK_COMM_LEN - 1} bytes of it`);
  const { isCompat } = thread.registers;
  const { robustList, robustListBytes: bytes } = attributes.addresses;
  const isOther = isWithin(robustListBytes(4), bytes) !== isWithin(robustListBytes(8), bytes);
  if (isCompat && isOther && robustList > MAX_COMPAT_ADDRESS)
    losses.add(label, "that its robust list is one of 32-bit code", "the address of the list has more bits");
  writer.record(RECORDS.TASK, {
    flags: ((task.flags & PF_FORKNOEXEC) !== 0 ? 1 : 0) | ((task.flags & PF_SUPERPRIV) !== 0 ? 2 : 0),
    state: isStopped ? TASK_STOPPED : TASK_RUNNING,
    exit_signal: isLeader ? SIGCHLD : NO_EXIT_SIGNAL,
    ...encodeThreadAttributes(attributes, isCompat),
  });
  writer.record(RECORDS.STRING, {}, fixedText(comm, TASK_COMM_LEN));
}

/** A stream holds where a signal stack is, in 32 bits how long, and no flags. */
function withShortStack(attributes: ThreadAttributes, label: string, losses: Losses): ThreadAttributes {
  const { addresses } = attributes;
  const { signalStack: stack } = addresses;
  if (stack === undefined) return attributes;
  const size = stack.end - stack.start;
  if (size > MAX_STACK_BYTES) {
    losses.add(label, `its signal stack of ${size} bytes`, "a stream holds sizes below 4 GiB");
    return { ...attributes, addresses: { ...addresses, signalStack: undefined } };
  }
  if ((stack.flags & SS_AUTODISARM) !== 0)
    losses.add(label, "SS_AUTODISARM of its signal stack", "a stream holds where the stack is and no flags");
  return attributes;
}

/** The objects of a process; its threads name the same ones. */
function writeObjects(context: Context, thread: LiveThread): void {
  const { pid } = thread.process;
  const files_objref = writeFileTable(context, pid, thread.ids.files_id);
  const mm_objref = writeMemory(context, thread);
  const fs_objref = writeFs(context, pid, thread.ids.fs_id);
  const sighand_objref = writeActions(context, thread);
  const { objref: signal_objref, isNew } = context.hidden("SIGNAL", pid);
  context.writer.record(RECORDS.TASK_OBJS, {
    files_objref,
    mm_objref,
    fs_objref,
    sighand_objref,
    signal_objref,
  });
  if (isNew) writeSignal(context, thread);
}
