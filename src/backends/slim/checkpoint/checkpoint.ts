import { TAIL } from "../../../model/linux-cr/head.js";
/**
 * The order of a checkpoint and what all objects share meanwhile: the stream that is written, unsupported objects, warnings,
 * the file. What is read of an object, and its records, stand in the folder of the object.
 */

import type { ByteSource } from "../../../io/source.js";
import type { Unsupported } from "../../backend.js";
import { type DeletedMethod, Substitutes, substituteDirectory } from "../deleted-files/substitutes.js";
import { OpenFileStates } from "../files/open-files.js";
import { Journal } from "../journal.js";
import { HostLeases } from "../locks/host-leases.js";
import { readStatus } from "../proc/status.js";
import { SocketTable } from "../sockets/capture.js";
import { fileUserOf } from "../sys/file-user.js";
import { captureProcess, type ProcessState } from "../tasks/capture.js";
import { FrozenTree, taskRows } from "../tasks/freeze.js";
import { writeTask } from "../tasks/write.js";
import { CheckpointContext } from "./context.js";
import { type Start, writeHead } from "./head.js";
import { unsupportedInTree, unsupportedProcess } from "./unsupported.js";
import { type Warning, warnings } from "./warnings.js";

export interface CheckpointRequest {
  readonly pid: number;
  /** Let the tree run on; else it is ended once the image is whole. */
  readonly leaveRunning: boolean;
  /**
   * How deleted files are saved: their contents in the image, a copy, or a link to the inode. Not given: a link where the
   * file has another name left, else contents.
   */
  readonly deleted?: DeletedMethod | undefined;
  /** Where `copy` and `relink` put what they make; links stand beside the file when it is not given. */
  readonly relinkDir?: string | undefined;
  /** Gets a line for every step, without time and line end. */
  readonly log?: ((line: string) => void) | undefined;
}

/** What became of a checkpoint. */
export interface CheckpointOutcome {
  /** What cannot be saved, object by object; nothing was written then. */
  readonly unsupported: readonly Unsupported[];
  /** What the image that was written does not hold, a sentence for each kind. */
  readonly warnings: readonly Warning[];
}

/**
 * Checkpoints a process and all its descendants. `write` is given the image while the tree stands still: memory is read
 * from the processes as the image is read. Whatever fails, the tree runs on. Errors: BackendError naming what the kernel
 * refused; those of `write`.
 */
export function checkpoint(
  { pid, leaveRunning, deleted, relinkDir, log }: CheckpointRequest,
  write: (image: ByteSource) => void,
): CheckpointOutcome {
  const start = clocks();
  log?.(`checkpoint of task ${pid}: begins`);
  const directory = substituteDirectory(relinkDir);
  const leases = HostLeases.read();
  // Links beside the deleted files of a user are made with his rights: he may put other directories there meanwhile.
  const user = directory === undefined ? fileUserOf(readStatus(`${pid}`)) : undefined;
  const journal = new Journal(user);
  const tree = new FrozenTree(pid, log);
  const files = new OpenFileStates();
  let context: CheckpointContext | undefined;
  const stop = (unsupported: readonly Unsupported[]): CheckpointOutcome => {
    for (const { reason } of unsupported) log?.(`not saved: ${reason}`);
    return { unsupported, warnings: [] };
  };
  try {
    const unready = [...tree.unsupported, ...tree.processes.flatMap(unsupportedProcess)];
    if (unready.length > 0) return stop(unready);
    const processes = new Map<number, ProcessState>();
    for (const frozen of tree.processes) {
      if (frozen.isZombie) continue;
      log?.(`task ${frozen.stat.pid}: read its state`);
      processes.set(frozen.stat.pid, captureProcess(frozen));
      files.add(frozen.stat.pid);
    }
    const sockets = new SocketTable(files, new Set(processes.keys()));
    const found = unsupportedInTree([...processes.values()], files, sockets);
    if (found.length > 0) return stop(found);
    const warned = warnings(tree.processes, processes, sockets);
    for (const { text } of warned) log?.(`warning: ${text}`);
    const substitutes = new Substitutes(journal, user, deleted, directory, leases, (line) => log?.(line));
    context = new CheckpointContext(processes, files, substitutes, leases, sockets);
    const rows = taskRows(tree.processes);
    writeHead(context, rows, start);
    for (const row of rows) writeTask(context, row);
    context.writer.records([TAIL]);
    if (substitutes.unsupported.length > 0)
      return stop(substitutes.unsupported.map((reason) => ({ pid, reason })));
    const image = context.writer.source(`checkpoint of task ${pid}`);
    log?.(`write the image: ${rows.length} tasks, ${image.size} bytes`);
    write(image);
    // What keeps deleted files is part of the image from now on.
    journal.end();
    log?.(leaveRunning ? "the image is complete: resume the tasks" : "the image is complete: kill the tasks");
    if (leaveRunning) tree.release();
    else sockets.silently(() => tree.kill());
    return { unsupported: [], warnings: warned };
  } finally {
    context?.close();
    files.close();
    try {
      // Before the tasks run again, so that they never see one more name of a file than they left.
      journal.undo();
    } finally {
      tree.release();
    }
  }
}

function clocks(): Start {
  const realtime = BigInt(Date.now()) * 1_000_000n;
  return { realtime, monotonic: process.hrtime.bigint(), boottime: 0n };
}
