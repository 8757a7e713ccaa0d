import { RECORDS } from "../../../formats/linux-cr/records.js";
import { EXIT_ZOMBIE, TASK_COMM_LEN, TASK_DEAD, TASK_RUNNING, TASK_STOPPED } from "../../../linux/sched.js";
import { SS_DISABLE } from "../../../linux/signals.js";
import { encodeExtended, encodeRegisters, encodeThreadArea } from "../../../model/linux-cr/registers.js";
import { toCkptSiginfo } from "../../../model/linux-cr/siginfo.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import { fixed } from "../checkpoint/head.js";
import { writeCredentials } from "../credentials/capture.js";
import { writeFileTable, writeFs } from "../files/capture.js";
import { writeMemory } from "../memory/capture.js";
import { DUMPED_CORE } from "../proc/stat.js";
import { controllingTerminal } from "../terminals/write.js";
import type { ProcessState, ThreadState } from "./capture.js";
import type { TaskRow } from "./freeze.js";

/** exit_signal of a thread that does not lead. */
const NO_SIGNAL = 0xffff_ffff;
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
    writer.record(RECORDS.STRING, {}, fixed(stat.comm, TASK_COMM_LEN));
    return;
  }
  const process = context.processes.get(stat.pid);
  const thread = process?.threads.find((each) => each.tid === tid);
  if (process === undefined || thread === undefined) throw new Error(`thread ${tid} was not captured`);
  const isLeader = tid === stat.pid;
  writer.record(RECORDS.TASK, {
    state: frozen.stopSignal !== 0 ? TASK_STOPPED : TASK_RUNNING,
    exit_signal: isLeader ? stat.exitSignal : NO_SIGNAL,
    pdeath_signal: thread.deathSignal,
    clear_child_tid: thread.clearChildTid,
    sas_ss_sp: thread.signalStack.pointer,
    sas_ss_size: (thread.signalStack.flags & SS_DISABLE) === 0 ? Number(thread.signalStack.size) : 0,
    robust_futex_head_len: Number(thread.robustList.size),
    robust_futex_list: thread.robustList.head,
  });
  writer.record(RECORDS.STRING, {}, fixed(thread.comm, TASK_COMM_LEN));
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
  const { real, virtual, prof } = process.intervalTimers;
  const { pid, foregroundPgid } = process.frozen.stat;
  const terminal = controllingTerminal(context, pid);
  context.writer.record(RECORDS.SIGNAL, {
    rlim: process.limits.map(({ soft, hard }) => ({ rlim_cur: soft, rlim_max: hard })),
    it_real_value: real.left,
    it_real_incr: real.interval,
    it_virt_value: virtual.left,
    it_virt_incr: virtual.interval,
    it_prof_value: prof.left,
    it_prof_incr: prof.interval,
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

/** TASK_EXTRA.flags: what is stored. */
const STORED = { oomScoreAdjust: 1, loginUid: 2, scheduling: 4 };

/** Our records of a live task: TASK_EXTRA, RSEQ, XSTATE and, for a leader, the timers of its process. */
function writeTaskExtra(
  { writer, filters }: CheckpointContext,
  process: ProcessState,
  thread: ThreadState,
  isLeader: boolean,
): void {
  const { status, scheduling, rseq, extended } = thread;
  writer.record(RECORDS.TASK_EXTRA, {
    oom_score_adj: process.oomScoreAdjust,
    loginuid: process.loginUid,
    sched_policy: scheduling.policy,
    sched_nice: scheduling.nice,
    sched_priority: scheduling.priority,
    no_new_privs: Number(status.noNewPrivs),
    cap_ambient: status.ambient,
    child_subreaper: Number(process.isSubreaper),
    stop_signo: process.frozen.stopSignal,
    seccomp_mode: status.seccomp,
    seccomp_filter: filters.get(thread.tid) ?? 0,
    personality: thread.personality,
    thp_disabled: Number(process.thpDisabled),
    membarrier_mask: process.membarriers,
    flags: STORED.oomScoreAdjust | STORED.loginUid | STORED.scheduling,
  });
  if (rseq !== undefined)
    writer.record(RECORDS.RSEQ, {
      abi_pointer: rseq.pointer,
      abi_size: rseq.size,
      signature: rseq.signature,
      cs_pointer: rseq.cs,
    });
  const xstate = encodeExtended(extended);
  if (xstate !== undefined) writer.record(RECORDS.XSTATE, xstate.fields, xstate.payload);
  if (!isLeader) return;
  for (const timer of process.timers)
    writer.record(RECORDS.POSIX_TIMER, {
      timer_id: timer.id,
      clock_id: timer.clock,
      sigev_notify: timer.notify,
      signo: timer.signal,
      overrun: timer.overrun,
      notify_tid: timer.target,
      sigval: timer.value,
      value_ns: timer.left,
      interval_ns: timer.interval,
    });
}
