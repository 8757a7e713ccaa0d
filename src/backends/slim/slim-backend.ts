/**
 * The slim backend: checkpoints and restores trees of tasks by ptrace(2), without criu. A folder holds one object, its files
 * are named by stage: `capture` reads it from the kernel, `write` makes its records where that is a file of its own, `image`
 * reads it from a stream, `plan` lists the steps that restore it and what is unsupported, `apply` does the steps, `verify`
 * reads the result back. `checkpoint/` and `restore/` hold what joins the objects; `proc/`, `ptrace/` and `sys/` talk to
 * the kernel and know no objects. `image` and `plan` load no native code.
 */

import path from "node:path";
import { BackendError, UnsupportedError, UsageError } from "../../io/errors.js";
import { FileSource } from "../../io/source.js";
import { SpoolSource } from "../../io/spool.js";
import type { Document } from "../../model/document.js";
import type { StreamReader } from "../../model/linux-cr/reader.js";
import type {
  Backend,
  Needs,
  PlannedStep,
  Probe,
  Restart,
  RestartOptions,
  Unsupported,
  Wishes,
} from "../backend.js";
import { writePid } from "../pid-file.js";
import { takenPids } from "../processes.js";
import { probeSlim } from "./probe.js";
import type { Host } from "./restore/host.js";

/** After a checkpoint the old tasks are zombies until their parent looks: about a second. */
const ZOMBIE_SECONDS = 5;

/** the slim backend: ptrace(2) through koffi, which is loaded when a restart is planned. */
export class SlimBackend implements Backend {
  readonly name = "slim";
  readonly family = "linux-cr";

  /** `choosesIds`: whether the tasks are to get the ids that they had. `host`: preflight is for this one, not the own. */
  constructor(
    readonly choosesIds = true,
    private readonly host?: Host,
  ) {}

  probe(): Probe {
    return probeSlim(this.choosesIds);
  }

  async settle({ checkpoint }: Document): Promise<void> {
    if (!this.choosesIds) return;
    const ids = checkpoint.tasks.flatMap(({ pid, threads }) => [pid, ...threads.map(({ tid }) => tid)]);
    await takenPids([...new Set(ids)], ZOMBIE_SECONDS);
  }

  needs(_document: Document, { root, extra }: Wishes): Needs {
    if (extra.length > 0)
      throw new UsageError(`${extra[0]} is an option for criu, and the slim backend does not start criu`);
    const elsewhere = root !== undefined && root !== "/";
    const unanswered = elsewhere
      ? [
          `the slim backend does not support --root ${root}: remap the paths with --remap-path /OLD=${root}/OLD`,
        ]
      : [];
    return { options: [], unanswered };
  }

  async preflight(document: Document): Promise<readonly Unsupported[]> {
    const { readImage } = await import("./restore/image.js");
    const { thisHost } = await import("./restore/host.js");
    const { unsupportedOf } = await import("./restore/unsupported.js");
    return unsupportedOf(readImage(readerOf(document)), this.host ?? thisHost()).map((reason) => ({
      pid: undefined,
      reason,
    }));
  }

  async steps(document: Document): Promise<readonly PlannedStep[]> {
    const { readImage } = await import("./restore/image.js");
    const { thisHost } = await import("./restore/host.js");
    const { planOf } = await import("./restore/plan.js");
    return planOf(readImage(readerOf(document)), thisHost()).flatMap(({ name, steps }) =>
      steps.map(({ task, what, why }) => ({ phase: name, task: task === 0 ? undefined : task, what, why })),
    );
  }

  waived(): [] {
    return [];
  }

  commandLine(): undefined {
    return undefined;
  }

  async restart(document: Document, options: RestartOptions): Promise<Restart> {
    const probe = this.probe();
    if (!probe.able) return { restored: false, reason: probe.reason, explanation: undefined };
    const { detach, pidFile, onRestored, onStep, onProgress, pids, pidns, expiryFrom } = options;
    if (pidns === true || pids === "new") return this.#inNamespace(document, options);
    const { restore } = await import("./restore/restore.js");
    const { fileUserOfParent } = await import("./pid-namespace.js");
    let pid: number;
    try {
      pid = restore(readerOf(document), fileOf(document), {
        expiryFrom,
        filesAs: options.filesAs ?? fileUserOfParent(),
        log: onStep,
        onProgress,
      });
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      onStep?.(`not restored: ${error.message}`);
      return { restored: false, reason: error.message, explanation: undefined };
    }
    onStep?.(`restored: root task ${pid}`);
    if (pidFile !== undefined) writePid(pidFile, pid);
    onRestored?.(pid);
    if (detach) return { restored: true, pid };
    const { untilEnded } = await import("./until-ended.js");
    return { restored: true, pid, ended: await untilEnded(pid) };
  }

  /** A crimg that sees the new namespace from inside does it. */
  async #inNamespace(document: Document, options: RestartOptions): Promise<Restart> {
    const [, program] = process.argv;
    if (program === undefined || !/^(crimg|run\.js)$/.test(path.basename(program)))
      throw new UnsupportedError("only the command crimg restores into a pid namespace of its own");
    const { restoreInNamespace } = await import("./pid-namespace.js");
    const restart = await restoreInNamespace(fileOf(document), program, options);
    if (restart.restored && options.pidFile !== undefined) writePid(options.pidFile, restart.pid);
    return restart;
  }
}

function readerOf(document: Document): StreamReader {
  if (document.family === "linux-cr") return document.reader;
  throw new UnsupportedError("the slim backend restores linux-cr streams", { file: document.name });
}

/** A path to the regular file that the stream is, as the tasks read their memory from it. */
function fileOf(document: Document): string {
  const source = document.family === "linux-cr" ? document.image.source : undefined;
  if (source instanceof FileSource || source instanceof SpoolSource) return source.path;
  throw new UnsupportedError("the slim backend restores from a regular file", { file: document.name });
}
