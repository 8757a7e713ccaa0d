import { flagNames } from "../../io/enums.js";
import { capabilitiesIn, SECUREBITS } from "../../linux/capabilities.js";
import type { Thread } from "../../model/checkpoint.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Credentials } from "../../model/credentials.js";
import type { Document } from "../../model/document.js";
import { type ShowOptions, type TaskName, taskName, type ViewHead, viewHead } from "./view.js";

export interface CredsView extends ViewHead<"creds"> {
  readonly tasks: readonly TaskCreds[];
}

export interface TaskCreds extends TaskName {
  /** The leader first. Empty for a zombie. */
  readonly threads: readonly ThreadCreds[];
}

/** Real, effective, saved and file system ids; capabilities by name. */
export interface ThreadCreds {
  readonly tid: number;
  readonly comm: string;
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly bounding: readonly string[];
  readonly ambient: readonly string[];
  readonly securebits: readonly string[];
  readonly noNewPrivs: boolean | number;
  readonly seccomp?: string | undefined;
  /** AppArmor profile or SELinux context. */
  readonly lsmProfile?: string | undefined;
}

/** Credentials of each thread. */
export function credsView({ checkpoint }: Document, options: ShowOptions = {}): CredsView {
  const tasks = chosenTasks(checkpoint, options).map((task) => ({
    ...taskName(task),
    threads: task.threads.flatMap((thread) =>
      thread.credentials === undefined ? [] : [threadCreds(thread, thread.credentials)],
    ),
  }));
  return { ...viewHead("creds"), tasks };
}

function threadCreds({ tid, comm, seccomp }: Thread, creds: Credentials): ThreadCreds {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups, noNewPrivs, lsmProfile } = creds;
  return {
    ...{ tid, comm, uids: [uid, euid, suid, fsuid], gids: [gid, egid, sgid, fsgid], groups },
    effective: capabilitiesIn(creds.effective),
    permitted: capabilitiesIn(creds.permitted),
    inheritable: capabilitiesIn(creds.inheritable),
    bounding: capabilitiesIn(creds.bounding),
    ambient: capabilitiesIn(creds.ambient),
    securebits: flagNames(SECUREBITS, creds.securebits),
    ...{ noNewPrivs, seccomp, lsmProfile },
  };
}
