import { textToBytes } from "../../../io/text.js";
import { PR_SET_NAME, PR_SET_PDEATHSIG } from "../../../linux/prctl.js";
import { TASK_COMM_LEN } from "../../../linux/sched.js";
import { SS_DISABLE } from "../../../linux/signals.js";
import { SYS } from "../sys/abi-x64.js";
import { joinXsave } from "../sys/xsave.js";
import type { ImageThread } from "./image-task.js";
import { rearm } from "./rearm.js";
import type { RemoteTask } from "./work-area.js";

/** The name that ps(1) shows, PR_SET_NAME of prctl(2). */
export function setName(remote: RemoteTask, comm: string): void {
  const name = Buffer.alloc(TASK_COMM_LEN);
  textToBytes(comm).copy(name, 0, 0, TASK_COMM_LEN - 1);
  remote.call("take its name", SYS.prctl, PR_SET_NAME, remote.put(name), 0, 0, 0);
}

/** What the kernel keeps for a thread beside its registers. */
export function setUpThread(remote: RemoteTask, thread: ImageThread): void {
  const { task, rseq, comm } = thread;
  setName(remote, comm);
  const stack = Buffer.alloc(24);
  stack.writeBigUInt64LE(task.sas_ss_sp ?? 0n, 0);
  stack.writeInt32LE((task.sas_ss_size ?? 0) === 0 ? SS_DISABLE : 0, 8);
  stack.writeBigUInt64LE(BigInt(task.sas_ss_size ?? 0), 16);
  remote.call("set its signal stack", SYS.sigaltstack, remote.put(stack), 0);
  remote.call("set its tid address", SYS.set_tid_address, task.clear_child_tid);
  if (task.robust_futex_list !== 0n)
    remote.call(
      "set its robust futex list",
      SYS.set_robust_list,
      task.robust_futex_list,
      task.robust_futex_head_len,
    );
  if (rseq !== undefined) {
    const words = remote.tracee.read(rseq.abi_pointer + 8n, 8);
    remote.call(
      "register its restartable sequences",
      SYS.rseq,
      rseq.abi_pointer,
      rseq.abi_size,
      0,
      rseq.signature,
    );
    // Registering clears the pointer to the sequence that it was in.
    remote.tracee.write(rseq.abi_pointer + 8n, words);
  }
}

/** Signal that it gets when its parent ends: after credentials, whose change clears it. */
export function setDeathSignal(remote: RemoteTask, { task }: ImageThread): void {
  if (task.pdeath_signal !== 0)
    remote.call("set its death signal", SYS.prctl, PR_SET_PDEATHSIG, task.pdeath_signal);
}

/**
 * Goes from work to life: registers, extended state and mask of the image, inside the kernel's signal loop. `last` is done
 * when the thread needs its work area no more.
 */
export function finishThread(remote: RemoteTask, thread: ImageThread, last?: () => void): void {
  const { tracee } = remote;
  rearm(remote, thread);
  last?.();
  tracee.enterSignalLoop();
  tracee.setXstate(joinXsave(thread.xsave));
  tracee.setRegisters(thread.registers);
  tracee.setSignalMask(thread.blocked);
}
