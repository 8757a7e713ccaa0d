import type { Document } from "../model/document.js";
import type { RestoreWishes } from "../ops/edit/plan.js";
import type { Explanation } from "../ops/explain/explain.js";
import type { RestoreOption } from "../ops/restore-options/option.js";

export type BackendName = "criu";

/** What a backend is on this host. */
export type Probe =
  | {
      readonly able: true;
      readonly path: string;
      readonly version: string;
      readonly remark?: string | undefined;
    }
  | {
      readonly able: false;
      readonly path?: string | undefined;
      readonly version?: string | undefined;
      readonly reason: string;
    };

/** Something of the checkpoint that a backend cannot bring back here. */
export interface Objection {
  readonly pid: number | undefined;
  /** One sentence. */
  readonly reason: string;
}

export interface RestartOptions {
  /** Return once the tasks run, instead of waiting until they have ended. */
  readonly detach: boolean;
  /** Gets the pid of the root task, as this host sees it, once the tasks run. */
  readonly pidFile?: string | undefined;
  /** Gets the log of the backend, however it ends; otherwise it is thrown away. */
  readonly logFile?: string | undefined;
  /** How long the backend may say nothing before it is taken to hang; by default a minute, and more for large sets. */
  readonly stallSeconds?: number | undefined;
  /** Root directory of the restored mount namespace. */
  readonly root?: string | undefined;
  /** What the images need, each with its reason. */
  readonly needed: readonly RestoreOption[];
  /** The user's own words to the backend. */
  readonly extra: readonly string[];
  /** The edits that the images went through, as flags of crimg restore; for advice when it fails. */
  readonly given: readonly string[];
  /** What the edits want and no image can hold. */
  readonly wishes?: RestoreWishes | undefined;
  /** Told when the tasks run. */
  readonly onRestored?: ((pid: number) => void) | undefined;
}

/** How a restart ended. */
export type Restart =
  /** The tasks run (detached), or ran and have ended. */
  | { readonly restored: true; readonly pid: number; readonly remark?: string | undefined }
  | { readonly restored: false; readonly reason: string; readonly explanation: Explanation | undefined };

/** An engine that brings a checkpoint back to life. */
export interface Backend {
  readonly name: BackendName;
  /** Whether it can work here, and if not, why. */
  probe(): Probe;
  /** Waits, for seconds at most, for what stands in the way of a restore right after a checkpoint and goes by itself. */
  settle(document: Document): Promise<void>;
  /** What of this checkpoint it refuses, object by object; empty when it will try. */
  preflight(document: Document): Objection[];
  /** The command line that `restart` stands for, as a person could type it; no other files than theirs are named. */
  commandLine(document: Document, options: RestartOptions): string[];
  /** Restores. The images are only read. Errors: BackendError when the engine cannot be started or is interrupted. */
  restart(document: Document, options: RestartOptions): Promise<Restart>;
}
