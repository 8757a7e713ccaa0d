import { RECORDS } from "../../../formats/linux-cr/records.js";
import { NO_EXIT_SIGNAL } from "../../../formats/linux-cr/tables/task.js";
import { EXIT_ZOMBIE, TASK_COMM_LEN, TASK_DEAD, TASK_RUNNING, TASK_STOPPED } from "../../../linux/sched.js";
import {
  encodeLimits,
  encodeRseq,
  encodeTaskExtra,
  encodeThreadAttributes,
} from "../../../model/linux-cr/attributes.js";
import { fixedText } from "../../../model/linux-cr/head.js";
import { encodeExtended, encodeRegisters, encodeThreadArea } from "../../../model/linux-cr/registers.js";
import { toCkptSiginfo } from "../../../model/linux-cr/siginfo.js";
import { encodeIntervalTimers, encodePosixTimer } from "../../../model/linux-cr/timers.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import { writeCredentials } from "../credentials/capture.js";
import { writeFileTable, writeFs } from "../files/capture.js";
import { writeMemory } from "../memory/capture.js";
import { DUMPED_CORE } from "../proc/stat.js";
import { controllingTerminal } from "../terminals/write.js";
import type { ProcessState, ThreadState } from "./capture.js";
import type { TaskRow } from "./freeze.js";

/** vpid of no process, since b6cdf01. */
const NULL_PID = -4096;
const BLOCKS: Readonly<Record<string, bigint>> = { nanosleep: 2n, poll: 6n, futex: 7n };

/** All records of one task, objects at their first use before them. */
export function writeTask(context: CheckpointContext, { tid, stat, frozen }: TaskRow): void {
  const { writer } = context;
  if (frozen.isZombie) {
    writer.record(RECORDS.TASK, {
      state: TASK_DEAD,
      exit_state: EXIT_ZOMBIE,
      // A stream holds the signal that ended a task and no more.
      exit_code: stat.exitCode & ~DUMPED_CORE,
    });
    writer.record(RECORDS.STRING, {}, fixedText(stat.comm, TASK_COMM_LEN));
    return;
  }
  const process = context.processes.get(stat.pid);
  const thread = process?.threads.find((each) => each.tid === tid);
  if (process === undefined || thread === undefined) throw new Error(`thread ${tid} was not captured`);
  const isLeader = tid === stat.pid;
  writer.record(RECORDS.TASK, {
    state: frozen.stopSignal !== 0 ? TASK_STOPPED : TASK_RUNNING,
    exit_signal: isLeader ? stat.exitSignal : NO_EXIT_SIGNAL,
    ...encodeThreadAttributes(thread, false),
  });
  writer.record(RECORDS.STRING, {}, fixedText(thread.comm, TASK_COMM_LEN));
  const area = encodeThreadArea({ isCompat: false, descriptors: [] });
  writer.record(RECORDS.THREAD, area.fields, area.payload);
  writeRestartBlock(context, thread);
  writer.record(RECORDS.CPU, encodeRegisters(thread.registers.general, false).fields);
  writer.record(RECORDS.CPU_FPU, {}, thread.extended.fxsave);
  context.cred = writeCredentials(context, thread.status, thread.securebits);
  writer.record(RECORDS.TASK_CREDS, { cred_ref: context.cred, ecred_ref: context.cred });
  const ns = context.ref("NS", "all", () => writer.record(RECORDS.NS));
  writer.record(RECORDS.TASK_NS, { ns_objref: ns });
  writeObjects(context, process);
  writePending(context, thread.pending);
  writer.record(RECORDS.SIGNAL_TASK, { blocked: thread.blocked });
  writeTaskExtra(context, process, thread, isLeader);
}

function writeRestartBlock({ writer }: CheckpointContext, { interrupted }: ThreadState): void {
  if (interrupted === undefined) {
    writer.record(RECORDS.RESTART_BLOCK, { function_type: 1n });
    return;
  }
  const [a = 0n, b = 0n, c = 0n, d = 0n] = interrupted.args;
  writer.record(RECORDS.RESTART_BLOCK, {
    function_type: BLOCKS[interrupted.kind],
    arg_0: a,
    arg_1: b,
    arg_2: c,
    arg_3: d,
    arg_4: interrupted.left,
  });
}

function writeObjects(context: CheckpointContext, process: ProcessState): void {
  const { writer } = context;
  const { pid } = process.frozen.stat;
  const files = context.ref("FILE_TABLE", context.files.tableOwner(pid), (objref) =>
    writeFileTable(context, pid, objref),
  );
  const mm = context.ref("MM", pid, () => writeMemory(context, process));
  const fs = context.ref("FS", pid, () => writeFs(context, process));
  const sighand = context.ref("SIGHAND", pid, () =>
    writer.record(RECORDS.SIGHAND, {}, Buffer.concat(process.actions)),
  );
  const signal = context.hidden("SIGNAL", pid);
  writer.record(RECORDS.TASK_OBJS, {
    files_objref: files,
    mm_objref: mm,
    fs_objref: fs,
    sighand_objref: sighand,
    signal_objref: signal.objref,
  });
  if (signal.isNew) writeSignal(context, process);
}

function writeSignal(context: CheckpointContext, process: ProcessState): void {
  const { pid, foregroundPgid } = process.frozen.stat;
  const terminal = controllingTerminal(context, pid);
  context.writer.record(RECORDS.SIGNAL, {
    rlim: encodeLimits(process.limits),
    ...encodeIntervalTimers(process.timers),
    tty_objref: terminal,
    tty_pgrp: terminal === 0 ? 0 : context.tag(foregroundPgid),
    tty_old_pgrp: NULL_PID,
  });
  writePending(context, process.pending);
}

function writePending({ writer }: CheckpointContext, pending: readonly Buffer[]): void {
  const set = Buffer.alloc(8);
  for (const info of pending) {
    const bit = info.readInt32LE(0) - 1;
    set[bit >> 3] = (set[bit >> 3] as number) | (1 << (bit & 7));
  }
  writer.record(
    RECORDS.SIGPENDING,
    { signal: set },
    Buffer.concat(pending.map((info) => toCkptSiginfo(info).bytes)),
  );
}

/** Our records of a live task: TASK_EXTRA, RSEQ, XSTATE and, for a leader, the timers of its process. */
function writeTaskExtra(
  { writer, filters }: CheckpointContext,
  process: ProcessState,
  thread: ThreadState,
  isLeader: boolean,
): void {
  const { status, schedule, rseq, extended, personality } = thread;
  const attributes = {
    oomScoreAdj: process.oomScoreAdjust,
    loginUid: process.loginUid,
    childSubreaper: process.isSubreaper,
    stopSignal: process.frozen.stopSignal,
    membarrier: process.membarriers,
    personality,
  };
  writer.record(RECORDS.TASK_EXTRA, {
    ...encodeTaskExtra(attributes, schedule, status, undefined),
    seccomp_mode: status.seccomp,
    seccomp_filter: filters.get(thread.tid) ?? 0,
    thp_disabled: Number(process.thpDisabled),
  });
  if (rseq !== undefined) writer.record(RECORDS.RSEQ, encodeRseq(rseq));
  const xstate = encodeExtended(extended);
  if (xstate !== undefined) writer.record(RECORDS.XSTATE, xstate.fields, xstate.payload);
  if (!isLeader) return;
  for (const timer of process.timers)
    if (timer.kind === "posix") writer.record(RECORDS.POSIX_TIMER, encodePosixTimer(timer));
}
