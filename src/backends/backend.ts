import type { OutputName } from "../io/private-file.js";
import type { Document } from "../model/document.js";
import type { RestoreWishes } from "../ops/edit/plan.js";
import type { Explanation } from "../ops/explain/explain.js";
import type { RestoreOption } from "../ops/restore-options/option.js";
import type { CriuFacts } from "../ops/validate/host/host.js";

export type BackendName = "criu" | "slim";

/** State of a backend on this host. Path and version are those of its program, if any. */
export type Probe =
  | {
      readonly able: true;
      readonly path?: string | undefined;
      readonly version?: string | undefined;
      readonly remark?: string | undefined;
    }
  | {
      readonly able: false;
      readonly path?: string | undefined;
      readonly version?: string | undefined;
      readonly reason: string;
    };

/** What validation is told of a criu, by its probe. */
export function criuFacts(probe: Probe): CriuFacts {
  const { path, version } = probe;
  return { path, version, problem: probe.able ? undefined : probe.reason };
}

/** An object of the checkpoint that a backend cannot restore here. */
export interface Unsupported {
  readonly pid: number | undefined;
  /** One sentence. */
  readonly reason: string;
}

/** Options of a restore. */
export interface Needs {
  /** Options that the images need, each with its reason. */
  readonly options: readonly RestoreOption[];
  /** Required options that the user did not give, as sentences. */
  readonly unanswered: readonly string[];
}

/** Options of the user for a restore. */
export interface Wishes {
  /** Root directory of the restored mount namespace. */
  readonly root?: string | undefined;
  /** Arguments of the user for the program of the backend. */
  readonly extra: readonly string[];
  /** Descriptors that the program of the backend gets as 3, 4 …, for arguments to refer to; criu alone. */
  readonly inherited?: readonly number[] | undefined;
  /** `same` (default): the tasks keep their pids; `new`: pids chosen by the kernel. */
  readonly pids?: "same" | "new" | undefined;
  /** Restore into a new pid namespace, where all pids are free. */
  readonly pidns?: boolean | undefined;
  /** Start of the remaining time of leases and timers: the end of the restore (default), or its start. */
  readonly expiryFrom?: "start" | "end" | undefined;
}

/** One step of a restore. */
export interface PlannedStep {
  /** The phase it belongs to; phases are sequential. */
  readonly phase: string;
  /** The task concerned; undefined for all tasks. */
  readonly task: number | undefined;
  /** What is done, a clause without a subject. */
  readonly what: string;
  readonly why: string | undefined;
}

/** A user whose rights to files count. */
export interface FileUser {
  readonly uid: number;
  readonly gid: number;
  readonly gids: ReadonlySet<number>;
}

export interface RestartOptions extends Wishes {
  /** Files are opened, made and removed with the rights of this user, not those of the caller; slim alone can. */
  readonly filesAs?: FileUser | undefined;
  /** Return once the tasks run, instead of waiting until they end. */
  readonly detach: boolean;
  /** File for the pid of the root task, as seen on this host. */
  readonly pidFile?: OutputName | undefined;
  /** File for the log of the backend, also on failure; otherwise it is discarded. */
  readonly logFile?: OutputName | undefined;
  /** Seconds without log output after which the backend is considered hung; by default a minute, more for large sets. */
  readonly stallSeconds?: number | undefined;
  /** Options that the images need, each with its reason. */
  readonly needed: readonly RestoreOption[];
  /** The arguments of crimg restore after IMG, also those behind `--`; for advice on failure. */
  readonly given: readonly string[];
  /** What edits require of the restore because images cannot hold it. */
  readonly wishes?: RestoreWishes | undefined;
  /** Called when the tasks run. */
  readonly onRestored?: ((pid: number) => void) | undefined;
  /** Called with a line for every step of slim; it may only fail at the first. */
  readonly onStep?: ((line: string) => void) | undefined;
  /** Called with the bytes of memory restored so far, and in total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** How the root task ended: an exit status, or the name of the signal that killed it. */
export type Ended = { readonly status: number } | { readonly signal: string };

/** Result of a restore. */
export type Restart =
  /** The tasks run (detached), or have ended; `ended` says how, if known. */
  | {
      readonly restored: true;
      readonly pid: number;
      readonly ended?: Ended | undefined;
      readonly remark?: string | undefined;
    }
  | { readonly restored: false; readonly reason: string; readonly explanation: Explanation | undefined };

/** An engine that restores checkpoints. */
export interface Backend {
  readonly name: BackendName;
  /** The format that it restores; others are converted before. */
  readonly family: Document["family"];
  /** Whether it works here, and if not, why. */
  probe(): Probe;
  /** Waits a few seconds for zombies of a recent checkpoint to disappear. */
  settle(document: Document, wishes: Wishes): Promise<void>;
  /** Options that a restore of this document needs. Errors: UsageError for requests that the backend does not support. */
  needs(document: Document, wishes: Wishes): Needs;
  /** Rules of validation about what the user told the program of the backend not to check. */
  waived(wishes: Wishes): readonly string[];
  /** Objects of this checkpoint that it cannot restore; empty if it will try. */
  preflight(document: Document, wishes: Wishes): Promise<readonly Unsupported[]>;
  /** The steps of `restart`, as far as the backend knows; does nothing. Errors: FormatError for a damaged image. */
  steps(document: Document, wishes: Wishes): Promise<readonly PlannedStep[]>;
  /**
   * The command line equivalent to `restart`, without temporary files.
   * Undefined for an engine that starts no program.
   */
  commandLine(document: Document, options: RestartOptions): readonly string[] | undefined;
  /** Restores; only reads the images. Errors: BackendError if the engine cannot be started or is interrupted. */
  restart(document: Document, options: RestartOptions): Promise<Restart>;
}
