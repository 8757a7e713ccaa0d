import { textToBytes } from "../../../io/text.js";
import { PR_SET_NAME, PR_SET_PDEATHSIG } from "../../../linux/prctl.js";
import { TASK_COMM_LEN } from "../../../linux/sched.js";
import { SS_DISABLE } from "../../../linux/signals.js";
import { SYS } from "../sys/abi-x64.js";
import { joinXsave } from "../sys/xsave.js";
import type { ImageThread } from "./image-task.js";
import { rearm } from "./rearm.js";
import type { Workbench } from "./work-area.js";

/** The name that ps(1) shows, PR_SET_NAME of prctl(2). */
export function setName(bench: Workbench, comm: string): void {
  const name = Buffer.alloc(TASK_COMM_LEN);
  textToBytes(comm).copy(name, 0, 0, TASK_COMM_LEN - 1);
  bench.call("take its name", SYS.prctl, PR_SET_NAME, bench.put(name), 0, 0, 0);
}

/** What the kernel keeps for a thread beside its registers. */
export function setUpThread(bench: Workbench, thread: ImageThread): void {
  const { task, rseq, comm } = thread;
  setName(bench, comm);
  const stack = Buffer.alloc(24);
  stack.writeBigUInt64LE(task.sas_ss_sp ?? 0n, 0);
  stack.writeInt32LE((task.sas_ss_size ?? 0) === 0 ? SS_DISABLE : 0, 8);
  stack.writeBigUInt64LE(BigInt(task.sas_ss_size ?? 0), 16);
  bench.call("set its signal stack", SYS.sigaltstack, bench.put(stack), 0);
  bench.call("set its tid address", SYS.set_tid_address, task.clear_child_tid);
  if (task.robust_futex_list !== 0n)
    bench.call(
      "set its robust futex list",
      SYS.set_robust_list,
      task.robust_futex_list,
      task.robust_futex_head_len,
    );
  if (rseq !== undefined) {
    const words = bench.tracee.read(rseq.abi_pointer + 8n, 8);
    bench.call(
      "register its restartable sequences",
      SYS.rseq,
      rseq.abi_pointer,
      rseq.abi_size,
      0,
      rseq.signature,
    );
    // Registering clears the pointer to the sequence that it was in.
    bench.tracee.write(rseq.abi_pointer + 8n, words);
  }
}

/** Signal that it gets when its parent ends: after credentials, whose change clears it. */
export function setDeathSignal(bench: Workbench, { task }: ImageThread): void {
  if (task.pdeath_signal !== 0)
    bench.call("set its death signal", SYS.prctl, PR_SET_PDEATHSIG, task.pdeath_signal);
}

/**
 * Goes from work to life: registers, extended state and mask of the image, inside the kernel's signal loop. `last` is done
 * when the thread needs its work area no more.
 */
export function finishThread(bench: Workbench, thread: ImageThread, last?: () => void): void {
  const { tracee } = bench;
  rearm(bench, thread);
  last?.();
  tracee.enterSignalLoop();
  tracee.setXstate(joinXsave(thread.xsave));
  tracee.setRegisters(thread.registers);
  tracee.setSignalMask(thread.blocked);
}
