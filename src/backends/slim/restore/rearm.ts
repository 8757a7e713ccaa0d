import { EINTR, ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from "../../../linux/errno.js";
import { NSEC_PER_MSEC, NSEC_PER_SEC } from "../../../linux/time.js";
import { isAbsolute } from "../futex.js";
import { SYS } from "../sys/abi-x64.js";
import type { ImageThread } from "./image-task.js";
import type { RemoteTask } from "./work-area.js";

/** RESTART_BLOCK.function_type. */
const SLEEP = 2n;
const POLL = 6n;
const FUTEX = 7n;
/** Timeout of poll(2). */
const FOR_EVER = -1n;
const MAX_INT = 0x7fff_ffffn;

/**
 * A thread that was stopped in a call with a timeout makes that call again with the time that was left, and is stopped in
 * it: the kernel will then go on with it by itself once the registers are those of the image.
 */
export function rearm(remote: RemoteTask, thread: ImageThread): void {
  const { registers, restartBlock } = thread;
  if (registers.signed("rax") !== -ERESTART_RESTARTBLOCK) return;
  if (restartBlock.function_type === FUTEX && isAbsolute(Number(restartBlock.arg_2))) {
    // The time when it is over stands in its memory and holds whenever the call is made.
    registers.set("rax", -ERESTARTNOHAND).set("orig_rax", SYS.futex);
    return;
  }
  const call = callOf(remote, thread);
  if (call === undefined) {
    // Nothing tells what it waited for: it sees an interrupted call, as after any signal.
    registers.set("rax", -EINTR).set("orig_rax", -1);
    return;
  }
  const { tracee } = remote;
  const result = tracee.block(remote.site, call);
  // It was over at once: what it gave is what the task gets.
  if (result !== -ERESTART_RESTARTBLOCK) registers.set("rax", result).set("orig_rax", -1);
}

function callOf(
  remote: RemoteTask,
  { registers, restartBlock }: ImageThread,
): (number | bigint)[] | undefined {
  const { function_type: type, arg_0: a, arg_1: b, arg_4: left } = restartBlock;
  const timespec = (): number => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(left / NSEC_PER_SEC, 0);
    bytes.writeBigInt64LE(left % NSEC_PER_SEC, 8);
    return remote.put(bytes);
  };
  switch (type) {
    case SLEEP:
      return [SYS.clock_nanosleep, a, 0, timespec(), b];
    case POLL: {
      const isTimed = restartBlock.arg_2 !== 0n;
      const ms = isTimed ? (left + NSEC_PER_MSEC - 1n) / NSEC_PER_MSEC : FOR_EVER;
      return [SYS.poll, a, b, ms > MAX_INT ? MAX_INT : ms];
    }
    case FUTEX:
      return [SYS.futex, a, restartBlock.arg_2, b, timespec(), 0, registers.get("r9")];
    default:
      return undefined;
  }
}
