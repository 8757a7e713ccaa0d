import type { Backend, BackendName, Probe, Restart } from "./backends/backend.js";
import { backendFor } from "./backends/backends.js";
import { stillNeeded } from "./backends/criu/command-line.js";
import { DirectoryFileSet, OverlayFileSet } from "./io/file-set.js";
import { shellCommand } from "./io/shell.js";
import type { Document } from "./model/document.js";
import type { Policy } from "./model/policy.js";
import { openFileSet } from "./open.js";
import { temporarySet } from "./ops/edit/apply.js";
import { splicedFiles } from "./ops/edit/check.js";
import type { Edit, Plan } from "./ops/edit/plan.js";
import { planEdits } from "./ops/edit/plan-edits.js";
import type { RestoreOption } from "./ops/restore-options/option.js";
import { openRestoreOptions, restoreOptions } from "./ops/restore-options/restore-options.js";
import type { CriuFacts } from "./ops/validate/host/host.js";
import { type Verdict, validate } from "./ops/validate/validate.js";

/** What a person wants restored, and how. */
export interface RestoreRequest {
  /** Made to a copy that lives as long as the restore takes. */
  readonly edits: readonly Edit[];
  readonly policies: readonly Policy[];
  /** Root directory of the restored mount namespace; files are looked at below it. */
  readonly root?: string | undefined;
  readonly backend: "auto" | BackendName;
  /** Path of the criu to use. */
  readonly criu?: string | undefined;
  /** Options for criu itself. */
  readonly extra: readonly string[];
  readonly detach: boolean;
  readonly pidFile?: string | undefined;
  readonly logFile?: string | undefined;
  /** Seconds that criu may say nothing before it is taken to hang. */
  readonly stallSeconds?: number | undefined;
}

/** A restore that is worked out and can be started. */
export interface PreparedRestore {
  readonly backend: Backend;
  /** Why this backend, one clause. */
  readonly because: string;
  readonly probe: Probe;
  /** The edits of the copy that is restored; undefined without any. */
  readonly plan: Plan | undefined;
  /** What validation says of the set with its edits. */
  readonly verdict: Verdict;
  /** The options that the images need, without those that the user gives. */
  readonly options: readonly RestoreOption[];
  /** Why it cannot be done here, each a sentence. */
  readonly refusals: readonly string[];
  /** What criu is started with. */
  readonly command: readonly string[];
  /** Restores; `onRestored` is told the pid of the root task as soon as the tasks run. Errors: BackendError, IO. */
  start(onRestored?: (pid: number) => void): Promise<Restart>;
}

/** Options that only a person can complete and that a restore can mostly do without. */
const RARELY_NEEDED = ["--libdir", "--lsm-profile"];

const IN_PLACE = " --in-place";

/**
 * Works out a restore of a set with edits; nothing is written before `start`.
 * Errors: USAGE, EDIT for edits that cannot be made, FormatError for a damaged set.
 */
export async function prepareRestore(document: Document, request: RestoreRequest): Promise<PreparedRestore> {
  const { edits, policies, root, extra } = request;
  const isEdited = edits.length + policies.length > 0;
  const plan = isEdited ? planEdits(document, edits, { root }, policies) : undefined;
  const edited = plan === undefined ? document : withPlan(document, plan);
  const { backend, reason: because } = backendFor(edited, request.backend, { criu: request.criu });
  const options = stillNeeded(restoreOptions(edited), extra);
  const probe = backend.probe();
  await backend.settle(edited);
  const given = edits.flatMap(({ kind, text }) => [`--${kind}`, text]);
  const restart = { ...request, needed: options, given };
  return {
    backend,
    because,
    probe,
    plan,
    verdict: advising(validate(edited, { root: root ?? "/", criu: criuFacts(probe) }), document.name, given),
    options,
    refusals: [...backend.preflight(edited).map(({ reason }) => reason), ...unanswered(edited, request)],
    command: backend.commandLine(edited, restart),
    async start(onRestored) {
      if (plan === undefined) return backend.restart(document, { ...restart, onRestored });
      const copy = temporarySet(document, plan);
      try {
        const files = new DirectoryFileSet(copy.directory, document.name);
        return await backend.restart(openFileSet(files), { ...restart, wishes: plan.restore, onRestored });
      } finally {
        copy.remove();
      }
    },
  };
}

/** Mends by editing the set become mends by editing the copy that is restored. */
function advising(verdict: Verdict, image: string, given: readonly string[]): Verdict {
  const edit = `${shellCommand(["crimg", "edit", image])} `;
  const restore = `${shellCommand(["crimg", "restore", image, ...given])} `;
  const findings = verdict.findings.map((finding) => {
    const { fix } = finding;
    if (fix === undefined || !fix.startsWith(edit) || !fix.endsWith(IN_PLACE)) return finding;
    return { ...finding, fix: restore + fix.slice(edit.length, -IN_PLACE.length) };
  });
  return { ...verdict, findings };
}

/** The backend as validation wants to know it. */
function criuFacts(probe: Probe): CriuFacts {
  return { path: probe.path, version: probe.version, problem: probe.able ? undefined : probe.reason };
}

/** The set as it will be, read as if it had been written. */
function withPlan(document: Document, { splices }: Plan): Document {
  const { fileSet } = document.set;
  return openFileSet(new OverlayFileSet(fileSet, splicedFiles(fileSet, splices)));
}

/** What only the person who restores can say, and did not. */
function unanswered(document: Document, { root, extra }: RestoreRequest): string[] {
  const hasMounts = document.checkpoint.mounts.length > 0;
  const open = stillNeeded(openRestoreOptions(document), extra).filter(
    ({ option }) => !RARELY_NEEDED.includes(option) && !(option === "--root" && root !== undefined),
  );
  const sentences = open.map(({ option, value, reason, objects }) => {
    const say = option === "--root" ? "--root DIR" : `-- ${option} ${value}`;
    return `${reason} (${objects.join(", ")}): give ${say} to say which`;
  });
  if (root !== undefined && root !== "/" && !hasMounts)
    sentences.push(
      `the set has no mount namespace, so criu opens its paths from / and cannot be given the root ${root}: remap the paths with --remap-path /OLD=${root}/OLD`,
    );
  return sentences;
}
