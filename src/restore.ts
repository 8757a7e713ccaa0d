import fs from "node:fs";
import type { Backend, BackendName, Probe, Restart } from "./backends/backend.js";
import { backendFor } from "./backends/backends.js";
import { stillNeeded } from "./backends/criu/command-line.js";
import { DirectoryFileSet, OverlayFileSet } from "./io/file-set.js";
import { shellCommand } from "./io/shell.js";
import { SplicedSource } from "./io/splice.js";
import type { Document, LinuxCrDocument } from "./model/document.js";
import type { Policy } from "./model/policy.js";
import { openFileSet, openStream } from "./open.js";
import type { Loss } from "./ops/convert/loss.js";
import { temporarySet } from "./ops/edit/apply.js";
import { splicedFiles } from "./ops/edit/check.js";
import { writeNewFiles } from "./ops/edit/new-file.js";
import type { Edit, Plan } from "./ops/edit/plan.js";
import { planEdits } from "./ops/edit/plan-edits.js";
import type { RestoreOption } from "./ops/restore-options/option.js";
import { openRestoreOptions, restoreOptions } from "./ops/restore-options/restore-options.js";
import type { CriuFacts } from "./ops/validate/host/host.js";
import { type Verdict, validate } from "./ops/validate/validate.js";
import { streamAsSet } from "./stream-as-set.js";

/** What a person wants restored, and how. */
export interface RestoreRequest {
  /** Made to a copy that lives as long as the restore takes. */
  readonly edits: readonly Edit[];
  readonly policies: readonly Policy[];
  /** Restore a stream although a set cannot hold all of it. */
  readonly lossy?: boolean | undefined;
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
  /** What a set cannot hold of a stream; none for a set. */
  readonly losses: readonly Loss[];
  /** What makes the set of a stream that `command` restores; undefined for a set. */
  readonly convert: readonly string[] | undefined;
  /** What criu is started with. */
  readonly command: readonly string[];
  /** Restores; `onRestored` is told the pid of the root task as soon as the tasks run. Errors: BackendError, IO. */
  start(onRestored?: (pid: number) => void): Promise<Restart>;
}

/** Options that only a person can complete and that a restore can mostly do without. */
const RARELY_NEEDED = ["--libdir", "--lsm-profile"];

const IN_PLACE = " --in-place";

/**
 * Works out a restore of a set or a stream with edits; nothing is written before `start`. A stream is restored as the
 * set that it converts into.
 * Errors: USAGE, EDIT for edits that cannot be made, FormatError for a damaged image.
 */
export async function prepareRestore(document: Document, request: RestoreRequest): Promise<PreparedRestore> {
  const { edits, policies, root, extra } = request;
  const isEdited = edits.length + policies.length > 0;
  const plan = isEdited ? planEdits(document, edits, { root }, policies) : undefined;
  const { backend, reason: because } = backendFor(document, request.backend, { criu: request.criu });
  const restored = restorable(document, plan);
  const { set } = restored;
  const options = stillNeeded(restoreOptions(set), extra);
  const probe = backend.probe();
  await backend.settle(set);
  const given = edits.flatMap(({ kind, text }) => [`--${kind}`, text]);
  const restart = { ...request, needed: options, given };
  const verdict = validate(set, { root: root ?? "/", criu: criuFacts(probe) });
  return {
    backend,
    because,
    probe,
    plan,
    verdict: advising(verdict, set.name, document.name, given),
    options,
    refusals: [
      ...(request.lossy === true ? [] : restored.losses.map(lossSentence)),
      ...backend.preflight(set).map(({ reason }) => reason),
      ...unanswered(set, request),
    ],
    losses: restored.losses,
    convert: restored.convert,
    command: backend.commandLine(set, restart),
    async start(onRestored) {
      const copy = restored.write();
      let isRestored = false;
      try {
        const end = await backend.restart(copy.document, { ...restart, wishes: plan?.restore, onRestored });
        isRestored = end.restored;
        return end;
      } finally {
        copy.remove(isRestored);
      }
    },
  };
}

/** What is restored in the end: a set with its edits, read as if it had been written. */
interface Restorable {
  readonly set: Document;
  readonly losses: readonly Loss[];
  readonly convert: readonly string[] | undefined;
  /** Puts it where criu can read it; `remove` takes away what the restored tasks, if there are any, do not need. Errors: IO. */
  write(): { readonly document: Document; remove(isRestored: boolean): void };
}

function restorable(document: Document, plan: Plan | undefined): Restorable {
  if (document.family === "linux-cr") return ofStream(document, plan);
  const none = { losses: [], convert: undefined };
  if (plan === undefined) return { ...none, set: document, write: () => ({ document, remove: () => {} }) };
  const { fileSet } = document.set;
  return {
    ...none,
    set: openFileSet(new OverlayFileSet(fileSet, splicedFiles(fileSet, plan.splices))),
    write() {
      const { directory, remove } = temporarySet(document, plan);
      return { document: openFileSet(new DirectoryFileSet(directory, document.name)), remove };
    },
  };
}

function ofStream(document: LinuxCrDocument, plan: Plan | undefined): Restorable {
  const edited = plan === undefined ? document : openStream(withPlan(document, plan));
  const { document: set, losses, write } = streamAsSet(edited, imagesOf(document.name));
  return {
    set,
    losses,
    convert: [
      "crimg",
      "convert",
      argumentFor(document.name),
      set.name,
      ...(losses.length > 0 ? ["--lossy"] : []),
    ],
    write() {
      const removeNewFiles = writeNewFiles(plan?.newFiles ?? []);
      try {
        const directory = write();
        const remove = (isRestored: boolean): void => {
          fs.rmSync(directory, { recursive: true, force: true });
          if (!isRestored) removeNewFiles();
        };
        return { document: openFileSet(new DirectoryFileSet(directory, document.name)), remove };
      } catch (error) {
        removeNewFiles();
        throw error;
      }
    },
  };
}

/** The stream as it will be, read as if it had been written. */
function withPlan({ image }: LinuxCrDocument, { splices }: Plan): SplicedSource {
  return new SplicedSource(image.source, [...splices.values()].flat());
}

/** What a person types for an image, by its name in messages. */
function argumentFor(image: string): string {
  return image === "stdin" ? "-" : image;
}

/** The directory for the set of a stream, as a person would name it. */
function imagesOf(stream: string): string {
  return `${stream.replace(/\.ckpt$/, "")}.images`;
}

function lossSentence({ object, what, why }: Loss): string {
  return `${object}: ${what} would be lost: ${why} (--lossy goes on without)`;
}

/** Mends by editing the set become mends by editing the copy that is restored. */
function advising(verdict: Verdict, set: string, image: string, given: readonly string[]): Verdict {
  const edit = `${shellCommand(["crimg", "edit", set])} `;
  const restore = `${shellCommand(["crimg", "restore", argumentFor(image), ...given])} `;
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
