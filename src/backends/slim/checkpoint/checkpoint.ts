import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { ByteSource } from "../../../io/source.js";
import type { Objection } from "../../backend.js";
import { Descriptions } from "./descriptions.js";
import { FrozenTree } from "./freeze.js";
import { objections } from "./objections.js";
import { captureProcess, type ProcessState } from "./process.js";
import { CheckpointContext } from "./stream/context.js";
import { type Start, writeHead } from "./stream/head.js";
import { writeTask } from "./stream/task.js";
import { taskRows } from "./stream/tree.js";

const TAIL_MAGIC = 0x002d2a0cc0deef00n;

/** The ways to save a file that has no name any more. */
export type DeletedMethod = "contents" | "copy" | "relink";

export interface CheckpointRequest {
  readonly pid: number;
  /** Let the tree run on; else it is ended once the image is whole. */
  readonly leaveRunning: boolean;
  /** How deleted files are saved: their contents in the image (default), a copy beside it, or a link to the inode. */
  readonly deleted?: DeletedMethod | undefined;
  /** Where `copy` and `relink` put what they make. */
  readonly relinkDir?: string | undefined;
  /** Gets a line for every step, without time and line end. */
  readonly log?: ((line: string) => void) | undefined;
}

/**
 * Checkpoints a process and all its descendants. `write` is given the image while the tree stands still: memory is read
 * from the processes as the image is read. Gives what cannot be saved, object by object; nothing is written then.
 * Whatever fails, the tree runs on. Errors: BackendError naming what the kernel refused; those of `write`.
 */
export function checkpoint(
  { pid, leaveRunning, log }: CheckpointRequest,
  write: (image: ByteSource) => void,
): Objection[] {
  const start = clocks();
  log?.(`checkpoint of task ${pid}: begins`);
  const tree = new FrozenTree(pid, log);
  let context: CheckpointContext | undefined;
  try {
    const processes = new Map<number, ProcessState>();
    const descriptions = new Descriptions();
    for (const frozen of tree.processes) {
      if (frozen.isZombie) continue;
      log?.(`task ${frozen.stat.pid}: read its state`);
      processes.set(frozen.stat.pid, captureProcess(frozen));
      descriptions.add(frozen.stat.pid);
    }
    const refused = objections([...processes.values()], descriptions);
    for (const { reason } of refused) log?.(`refused: ${reason}`);
    if (refused.length > 0) return refused;
    context = new CheckpointContext(processes, descriptions);
    const rows = taskRows(tree.processes);
    writeHead(context, rows, start);
    for (const row of rows) writeTask(context, row);
    context.writer.record(RECORDS.TAIL, { magic: TAIL_MAGIC });
    const image = context.writer.source(`checkpoint of task ${pid}`);
    log?.(`write the image: ${rows.length} tasks, ${image.size} bytes`);
    write(image);
    log?.(leaveRunning ? "the image is whole: let the tasks run on" : "the image is whole: end the tasks");
    if (leaveRunning) tree.release();
    else tree.kill();
    return [];
  } finally {
    context?.close();
    tree.release();
  }
}

function clocks(): Start {
  const realtime = BigInt(Date.now()) * 1_000_000n;
  return { realtime, monotonic: process.hrtime.bigint(), boottime: 0n };
}
