import type { Document } from "../model/document.js";
import type { RestoreWishes } from "../ops/edit/plan.js";
import type { Explanation } from "../ops/explain/explain.js";
import type { RestoreOption } from "../ops/restore-options/option.js";

export type BackendName = "criu" | "slim";

/** What a backend is on this host. Path and version are those of a program of its own. */
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

/** Something of the checkpoint that a backend cannot bring back here. */
export interface Unsupported {
  readonly pid: number | undefined;
  /** One sentence. */
  readonly reason: string;
}

/** What a restore needs beyond the images. */
export interface Needs {
  /** Options that the images need, each with its reason. */
  readonly options: readonly RestoreOption[];
  /** What only the person who restores can say, and did not, as sentences. */
  readonly unanswered: readonly string[];
}

/** What the user says of a restore before it is worked out. */
export interface Wishes {
  /** Root directory of the restored mount namespace. */
  readonly root?: string | undefined;
  /** The user's own words to the program of the backend. */
  readonly extra: readonly string[];
  /** `same` (default): the tasks get their ids again; `new`: ids that the kernel chooses. */
  readonly pids?: "same" | "new" | undefined;
  /** Restore into a new pid namespace, where every id is free. */
  readonly pidns?: boolean | undefined;
  /** Where the times of leases and timers count from: the end of the restart (default), or its start. */
  readonly expiryFrom?: "start" | "end" | undefined;
}

/** One thing that a restart will do. */
export interface PlannedStep {
  /** The part of the work that it belongs to; parts are done one after the other. */
  readonly phase: string;
  /** The process whose step it is; undefined for what is done for all of them. */
  readonly task: number | undefined;
  /** What happens, as a clause without its subject. */
  readonly what: string;
  readonly why: string | undefined;
}

export interface RestartOptions extends Wishes {
  /** Return once the tasks run, instead of waiting until they have ended. */
  readonly detach: boolean;
  /** Gets the pid of the root task, as this host sees it, once the tasks run. */
  readonly pidFile?: string | undefined;
  /** Gets the log of the backend, however it ends; otherwise it is thrown away. */
  readonly logFile?: string | undefined;
  /** How long the backend may say nothing before it is taken to hang; by default a minute, and more for large sets. */
  readonly stallSeconds?: number | undefined;
  /** What the images need, each with its reason. */
  readonly needed: readonly RestoreOption[];
  /** The edits that the images went through, as flags of crimg restore; for advice when it fails. */
  readonly given: readonly string[];
  /** What the edits want and no image can hold. */
  readonly wishes?: RestoreWishes | undefined;
  /** Told when the tasks run. */
  readonly onRestored?: ((pid: number) => void) | undefined;
  /** Gets a line for every step of an engine that tells them; it must not fail but at the first. */
  readonly onStep?: ((line: string) => void) | undefined;
  /** Told how many bytes of memory are in place, and how many there will be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** How a root task ended: an exit status, or the name of the signal that killed it. */
export type Ended = { readonly status: number } | { readonly signal: string };

/** How a restart ended. */
export type Restart =
  /** The tasks run (detached), or ran and have ended; `ended` says how, where that is known. */
  | {
      readonly restored: true;
      readonly pid: number;
      readonly ended?: Ended | undefined;
      readonly remark?: string | undefined;
    }
  | { readonly restored: false; readonly reason: string; readonly explanation: Explanation | undefined };

/** An engine that brings a checkpoint back to life. */
export interface Backend {
  readonly name: BackendName;
  /** The family of images that it restores; others are converted before. */
  readonly family: Document["family"];
  /** Whether it can work here, and if not, why. */
  probe(): Probe;
  /** Waits, for seconds at most, for what stands in the way of a restore right after a checkpoint and goes by itself. */
  settle(document: Document, wishes: Wishes): Promise<void>;
  /** What a restore of this document needs. Errors: UsageError for wishes that the backend cannot fulfil. */
  needs(document: Document, wishes: Wishes): Needs;
  /** What of this checkpoint it refuses, object by object; empty when it will try. */
  preflight(document: Document, wishes: Wishes): Promise<readonly Unsupported[]>;
  /** What `restart` will do, as far as the backend knows; nothing is done. Errors: FormatError for a damaged image. */
  steps(document: Document, wishes: Wishes): Promise<readonly PlannedStep[]>;
  /**
   * The command line that `restart` stands for, as a person could type it; no other files than theirs are named.
   * Undefined for an engine that starts no program.
   */
  commandLine(document: Document, options: RestartOptions): readonly string[] | undefined;
  /** Restores. The images are only read. Errors: BackendError when the engine cannot be started or is interrupted. */
  restart(document: Document, options: RestartOptions): Promise<Restart>;
}
