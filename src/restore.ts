import {
  type Backend,
  type BackendName,
  criuFacts,
  type FileUser,
  type PlannedStep,
  type Probe,
  type Restart,
  type RestartOptions,
} from "./backends/backend.js";
import { backendFor } from "./backends/backends.js";
import { fileUsers } from "./backends/slim/locks/conflicts.js";
import { BackendError } from "./io/errors.js";
import { extendedCommand, shellCommand } from "./io/shell.js";
import { userOf } from "./io/users.js";
import type { Document } from "./model/document.js";
import type { Loss } from "./model/loss.js";
import type { Policy } from "./model/policy.js";
import { type AskedRight, askedRights } from "./model/rights/asked.js";
import { type Bearer, ownerOf } from "./model/rights/bearer.js";
import { type Grant, NO_GRANT } from "./model/rights/grant.js";
import { isPrivileged } from "./model/rights/privileged.js";
import type { Edit, Plan, RestoreWishes } from "./ops/edit/plan.js";
import { planEdits } from "./ops/edit/plan-edits.js";
import type { RestoreOption } from "./ops/restore-options/option.js";
import { type ValidateOptions, type Verdict, validate } from "./ops/validate/validate.js";
import { ownersEdits } from "./owners-edits.js";
import { isPrivate, privateCopy } from "./private-copy.js";
import { restorable } from "./restorable.js";
import { excessOf, rightsRefusals } from "./restore-rights.js";

/** What to restore, and how. */
export interface RestoreRequest
  extends Omit<
    RestartOptions,
    "needed" | "given" | "wishes" | "filesAs" | "onRestored" | "onStep" | "onProgress"
  > {
  /** Applied to a temporary copy. */
  readonly edits: readonly Edit[];
  readonly policies: readonly Policy[];
  /** Restore a converted image even if something was lost. */
  readonly lossy?: boolean | undefined;
  readonly backend: "auto" | BackendName;
  /** Rights that root grants to an image of another user, beyond those of its owner. */
  readonly grant?: Grant | undefined;
  /** Restore with the rights of the owner of the image, as whom the caller runs (`ownerToBecome`). */
  readonly asOwner?: boolean | undefined;
  /** Path of the criu to use. */
  readonly criu?: string | undefined;
  /** The arguments of the command after IMG, for advice; by default those of the edits and of `extra`. */
  readonly given?: readonly string[] | undefined;
}

/** Callbacks for the progress of a restore. */
type Told = Pick<RestartOptions, "onRestored" | "onStep" | "onProgress">;

/** A prepared restore, ready to start. */
export interface PreparedRestore {
  readonly backend: Backend;
  /** Why this backend was chosen, one clause. */
  readonly because: string;
  readonly probe: Probe;
  /** The edits of the copy that is restored; undefined without any. */
  readonly plan: Plan | undefined;
  /** Result of validating the image with its edits. */
  readonly verdict: Verdict;
  /** The options that the images need, without those that the user gives. */
  readonly options: readonly RestoreOption[];
  /** Why it cannot be restored here, each a sentence. */
  readonly refusals: readonly string[];
  /** Losses of the conversion to the format of the backend; undefined without a conversion. */
  readonly losses: readonly Loss[] | undefined;
  /** Owner of the image; undefined if root. */
  readonly owner: Bearer | undefined;
  /** Rights beyond those of the owner that were not granted; empty if the caller is unprivileged. */
  readonly rights: readonly AskedRight[];
  /** The command that makes the set that `command` restores; undefined without a conversion or a command. */
  readonly convert: readonly string[] | undefined;
  /** The criu command; undefined for slim. */
  readonly command: readonly string[] | undefined;
  /** The planned steps, as far as the backend knows. Errors: FormatError for a damaged image. */
  steps(): Promise<readonly PlannedStep[]>;
  /** Restores. Errors: BackendError, IO. */
  start(told?: Told): Promise<Restart>;
}

const IN_PLACE = " --in-place";
/** Rules about pids and who may choose them, irrelevant in a new pid namespace. */
const ID_RULES = ["PID_TAKEN", "PID_MAX", "NOT_ROOT"];

/** Rules about bugs of criu, irrelevant to slim. */
const CRIU_FAULTS = ["CHILD_PID_LOWER", "FIFO_ASYNC", "LEASE_BREAKING", "LOCK_MAPPED", "VDSO_PAGES"];

/**
 * Prepares a restore of a set or a stream with edits; nothing is written before `start`. An image in the other format of
 * the backend is converted.
 * Errors: USAGE, EDIT for edits that cannot be applied, FormatError for a damaged image.
 */
export function prepareRestore(document: Document, request: RestoreRequest): Promise<PreparedRestore> {
  return prepare(document, request, ownerOf(document), isPrivate(document));
}

/**
 * The same for a copy that only the caller can change, of an image of `owner` to which the edits were already made.
 * `wishes`: what these require of the restore.
 */
export function prepareOwn(
  document: Document,
  request: RestoreRequest,
  owner: Bearer | undefined,
  wishes: RestoreWishes | undefined,
): Promise<PreparedRestore> {
  return prepare(document, request, owner, true, wishes);
}

/** `isOurs`: only the caller can change the image. */
async function prepare(
  document: Document,
  request: RestoreRequest,
  owner: Bearer | undefined,
  isOurs: boolean,
  wishes?: RestoreWishes,
): Promise<PreparedRestore> {
  const { policies, root, criu, grant = NO_GRANT, asOwner = false } = request;
  const isEnforced = owner !== undefined && (asOwner || isPrivileged());
  const edits =
    asOwner && owner !== undefined ? [...request.edits, ...ownersEdits(document, owner)] : request.edits;
  const isEdited = edits.length + policies.length > 0;
  const plan = isEdited ? planEdits(document, edits, { root }, policies) : undefined;
  const choosesIds = request.pids !== "new" && request.pidns !== true;
  const { backend, reason: because } = backendFor(document, request.backend, { criu, choosesIds });
  const restored = restorable(document, plan, backend.family);
  const { losses } = restored;
  const probe = backend.probe();
  await backend.settle(restored.document, request);
  // Validation builds a model of its own, which is free again before another one is needed. For criu the final set is validated; for slim the image before the conversion, which the user knows.
  const judged = backend.name === "criu" ? restored.document : restored.edited;
  const verdict = validate(judged, {
    root: root ?? "/",
    ...engineFacts(backend, probe),
    users: fileUsers(),
    ignore: [
      ...(choosesIds ? [] : ID_RULES),
      ...(backend.name === "slim" ? CRIU_FAULTS : []),
      ...backend.waived(request),
    ],
  });
  const granted = asOwner ? NO_GRANT : grant;
  const rights = isEnforced
    ? askedRights(excessOf(restored.document.checkpoint, owner, root ?? "/", granted))
    : [];
  const { options, unanswered } = backend.needs(restored.document, request);
  const given = request.given ?? givenBy(request);
  const restart = { ...request, needed: options, given };
  const command = backend.commandLine(restored.document, restart);
  const prepared: PreparedRestore = {
    backend,
    because,
    probe,
    plan,
    verdict: advising(verdict, judged.name, document.name, given),
    options,
    refusals: [
      ...(request.lossy === true ? [] : (losses ?? []).map(lossSentence)),
      ...(await backend.preflight(restored.document, request)).map(({ reason }) => reason),
      ...unanswered,
      ...(owner === undefined ? [] : rightsRefusals(rights, owner, asOwner, argumentFor(document.name))),
    ],
    owner,
    rights,
    losses,
    convert:
      losses === undefined || command === undefined
        ? undefined
        : conversion(document.name, judged.name, losses.length > 0),
    command,
    steps: () => backend.steps(restored.document, request),
    async start(told) {
      if (isEnforced && !asOwner && !isOurs) return startOfCopy(prepared, document, request, owner, told);
      const written = restored.write();
      let isRestored = false;
      try {
        const end = await backend.restart(written.document, {
          ...restart,
          ...told,
          wishes: plan?.restore ?? wishes,
          filesAs: isEnforced && !asOwner ? fileUserOf(owner, grant) : undefined,
        });
        isRestored = end.restored;
        return end;
      } finally {
        written.remove(isRestored);
      }
    },
  };
  return prepared;
}

/** Nobody's: one that no account has. */
const NO_UID = 0xffff_fffe;

/** Whose rights to files a restore by root has; undefined for those of root, if rights to files were granted. */
function fileUserOf({ uid }: Bearer, grant: Grant): FileUser | undefined {
  const grants = (name: "file" | "device"): boolean => grant.grants({ name, asked: "", had: "" });
  if (grants("file") || grants("device")) return undefined;
  return userOf(uid ?? NO_UID);
}

/**
 * Restores a private copy of an image of another user, after the same checks of the copy, so that what is restored is what
 * was checked. Errors: BackendError if the copy has more findings than the image, which was changed meanwhile.
 */
async function startOfCopy(
  checked: PreparedRestore,
  document: Document,
  request: RestoreRequest,
  owner: Bearer,
  told: Told | undefined,
): Promise<Restart> {
  const copy = privateCopy(document);
  try {
    const prepared = await prepare(copy.document, request, owner, true);
    const [change] = changesOf(checked, prepared);
    if (change !== undefined)
      throw new BackendError(`the image was changed during the check: ${change}; run the command again`, {
        file: document.name,
      });
    return await prepared.start(told);
  } finally {
    copy.remove();
  }
}

/** New results of a second check, as clauses. */
function* changesOf(first: PreparedRestore, second: PreparedRestore): Generator<string> {
  if (first.backend.name !== second.backend.name)
    yield `${second.backend.name} would be used instead of ${first.backend.name}`;
  for (const refusal of second.refusals) if (!first.refusals.includes(refusal)) yield refusal;
  const known = new Set(first.verdict.findings.map(({ id, what }) => `${id}: ${what}`));
  for (const { id, what, severity } of second.verdict.findings)
    if (severity === "error" && !known.has(`${id}: ${what}`)) yield `${id}: ${what}`;
  const words = ({ options }: PreparedRestore): string =>
    options.map(({ option, value }) => `${option} ${value ?? ""}`).join(" ");
  if (words(first) !== words(second)) yield "criu would need other options";
}

/** The backend, for validation. */
function engineFacts({ name }: Backend, probe: Probe): Pick<ValidateOptions, "criu" | "slim"> {
  const criu = criuFacts(probe);
  return name === "criu" ? { criu } : { slim: { problem: criu.problem } };
}

/** The command that converts a stream. */
function conversion(stream: string, set: string, isLossy: boolean): string[] {
  return ["crimg", "convert", argumentFor(stream), set, ...(isLossy ? ["--lossy"] : [])];
}

/** The command-line argument of an image, by its name in messages. */
function argumentFor(image: string): string {
  return image === "stdin" ? "-" : image;
}

function lossSentence({ object, what, why }: Loss): string {
  return `${object}: ${what} would be lost: ${why} (override with --lossy)`;
}

/** The arguments of a restore that nobody typed. */
function givenBy({ edits, extra }: RestoreRequest): string[] {
  const flags = edits.flatMap(({ kind, text }) => [`--${kind}`, text]);
  return extra.length === 0 ? flags : [...flags, "--", ...extra];
}

/** Fixes by editing the set become fixes by editing the restored copy, and fixes by restoring repeat what was given. */
function advising(verdict: Verdict, set: string, image: string, given: readonly string[]): Verdict {
  const edit = `${shellCommand(["crimg", "edit", set])} `;
  const plain = shellCommand(["crimg", "restore", set]);
  const words = ["crimg", "restore", argumentFor(image), ...given];
  const advised = (fix: string): string => {
    if (fix.startsWith(edit) && fix.endsWith(IN_PLACE))
      return extendedCommand(words, fix.slice(edit.length, -IN_PLACE.length));
    const at = fix.indexOf(plain);
    if (at === -1) return fix;
    return fix.slice(0, at) + extendedCommand(words, fix.slice(at + plain.length));
  };
  const findings = verdict.findings.map((finding) =>
    finding.fix === undefined ? finding : { ...finding, fix: advised(finding.fix) },
  );
  return { ...verdict, findings };
}
