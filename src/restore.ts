import type {
  Backend,
  BackendName,
  PlannedStep,
  Probe,
  Restart,
  RestartOptions,
} from "./backends/backend.js";
import { backendFor } from "./backends/backends.js";
import { BackendError } from "./io/errors.js";
import { shellCommand } from "./io/shell.js";
import type { Document } from "./model/document.js";
import type { Loss } from "./model/loss.js";
import type { Policy } from "./model/policy.js";
import { type AskedRight, askedRights } from "./model/rights/asked.js";
import { type Bearer, ownerOf } from "./model/rights/bearer.js";
import { type Grant, NO_GRANT } from "./model/rights/grant.js";
import type { Edit, Plan } from "./ops/edit/plan.js";
import { planEdits } from "./ops/edit/plan-edits.js";
import type { RestoreOption } from "./ops/restore-options/option.js";
import { type ValidateOptions, type Verdict, validate } from "./ops/validate/validate.js";
import { ownersEdits } from "./owners-edits.js";
import { isPrivate, privateCopy } from "./private-copy.js";
import { restorable } from "./restorable.js";
import { excessOf, isPrivileged, rightsRefusals } from "./restore-rights.js";

/** What a person wants restored, and how. */
export interface RestoreRequest
  extends Omit<RestartOptions, "needed" | "given" | "wishes" | "onRestored" | "onStep" | "onProgress"> {
  /** Made to a copy that lives as long as the restore takes. */
  readonly edits: readonly Edit[];
  readonly policies: readonly Policy[];
  /** Restore although the family of images that the backend restores cannot hold all of it. */
  readonly lossy?: boolean | undefined;
  readonly backend: "auto" | BackendName;
  /** What root grants to an image of somebody else, beyond the rights of its owner. */
  readonly grant?: Grant | undefined;
  /** Restore with the rights of the owner of the image, who the caller has become (`becomeOwner`). */
  readonly asOwner?: boolean | undefined;
  /** Path of the criu to use. */
  readonly criu?: string | undefined;
}

/** Who hears what a restore does. */
type Told = Pick<RestartOptions, "onRestored" | "onStep" | "onProgress">;

/** A restore that is worked out and can be started. */
export interface PreparedRestore {
  readonly backend: Backend;
  /** Why this backend, one clause. */
  readonly because: string;
  readonly probe: Probe;
  /** The edits of the copy that is restored; undefined without any. */
  readonly plan: Plan | undefined;
  /** What validation says of the image with its edits. */
  readonly verdict: Verdict;
  /** The options that the images need, without those that the user gives. */
  readonly options: readonly RestoreOption[];
  /** Why it cannot be done here, each a sentence. */
  readonly refusals: readonly string[];
  /** What the family that the backend restores cannot hold of the image; undefined for one of that family. */
  readonly losses: readonly Loss[] | undefined;
  /** Whom the image belongs to, when that is not root. */
  readonly owner: Bearer | undefined;
  /** What the image asks beyond its owner and nobody has granted; empty when the kernel decides instead of root. */
  readonly rights: readonly AskedRight[];
  /** What makes the set of a stream that `command` restores; undefined without a conversion or a command. */
  readonly convert: readonly string[] | undefined;
  /** What criu is started with; undefined for the slim backend. */
  readonly command: readonly string[] | undefined;
  /** What will be done, as far as the backend knows. Errors: FormatError for a damaged image. */
  steps(): Promise<readonly PlannedStep[]>;
  /** Restores. Errors: BackendError, IO. */
  start(told?: Told): Promise<Restart>;
}

const IN_PLACE = " --in-place";
/** Rules about ids and who may choose them, which do not matter to tasks in a pid namespace of their own. */
const ID_RULES = ["PID_TAKEN", "PID_MAX", "NOT_ROOT"];

/** Rules about what criu itself does wrong, and the slim backend does not. */
const CRIU_FAULTS = ["CHILD_PID_LOWER", "FIFO_ASYNC", "LEASE_BREAKING", "LOCK_MAPPED", "VDSO_PAGES"];

/**
 * Works out a restore of a set or a stream with edits; nothing is written before `start`. An image of the family that the
 * backend does not restore is converted.
 * Errors: USAGE, EDIT for edits that cannot be made, FormatError for a damaged image.
 */
export function prepareRestore(document: Document, request: RestoreRequest): Promise<PreparedRestore> {
  return prepare(document, request, ownerOf(document), isPrivate(document));
}

/** `isOurs`: nobody else can change the image. */
async function prepare(
  document: Document,
  request: RestoreRequest,
  owner: Bearer | undefined,
  isOurs: boolean,
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
  const granted = asOwner ? NO_GRANT : grant;
  const rights = isEnforced
    ? askedRights(excessOf(restored.document.checkpoint, owner, root ?? "/", granted))
    : [];
  const { losses } = restored;
  const { options, unanswered } = backend.needs(restored.document, request);
  const probe = backend.probe();
  await backend.settle(restored.document, request);
  const given = request.edits.flatMap(({ kind, text }) => [`--${kind}`, text]);
  const restart = { ...request, needed: options, given };
  const command = backend.commandLine(restored.document, restart);
  // A set that criu gets is judged as it will be; what crimg restores itself as the person knows it.
  const judged = backend.name === "criu" ? restored.document : restored.edited;
  const verdict = validate(judged, {
    root: root ?? "/",
    ...engineFacts(backend, probe),
    ignore: [...(choosesIds ? [] : ID_RULES), ...(backend.name === "slim" ? CRIU_FAULTS : [])],
  });
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
        const end = await backend.restart(written.document, { ...restart, ...told, wishes: plan?.restore });
        isRestored = end.restored;
        return end;
      } finally {
        written.remove(isRestored);
      }
    },
  };
  return prepared;
}

/**
 * Restores a private copy of somebody else's image, after the same checks of the copy: what is restored is what was
 * checked. Errors: BackendError when they say more than those of the image, which was changed meanwhile.
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
      throw new BackendError(
        `not restored, since it changed after the check: ${change}; run the command again`,
        {
          file: document.name,
        },
      );
    return await prepared.start(told);
  } finally {
    copy.remove();
  }
}

/** What a second check says that the first has not said, as clauses. */
function* changesOf(first: PreparedRestore, second: PreparedRestore): Generator<string> {
  if (first.backend.name !== second.backend.name)
    yield `${second.backend.name} would restore it instead of ${first.backend.name}`;
  for (const refusal of second.refusals) if (!first.refusals.includes(refusal)) yield refusal;
  const known = new Set(first.verdict.findings.map(({ id, what }) => `${id}: ${what}`));
  for (const { id, what, severity } of second.verdict.findings)
    if (severity === "error" && !known.has(`${id}: ${what}`)) yield `${id}: ${what}`;
  const words = ({ options }: PreparedRestore): string =>
    options.map(({ option, value }) => `${option} ${value ?? ""}`).join(" ");
  if (words(first) !== words(second)) yield "criu would need other options";
}

/** The backend as validation wants to know it. */
function engineFacts(
  { name }: Backend,
  { path, version, ...probe }: Probe,
): Pick<ValidateOptions, "criu" | "slim"> {
  const problem = probe.able ? undefined : probe.reason;
  return name === "criu" ? { criu: { path, version, problem } } : { slim: { problem } };
}

/** The words that convert a stream. */
function conversion(stream: string, set: string, isLossy: boolean): string[] {
  return ["crimg", "convert", argumentFor(stream), set, ...(isLossy ? ["--lossy"] : [])];
}

/** What a person types for an image, by its name in messages. */
function argumentFor(image: string): string {
  return image === "stdin" ? "-" : image;
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
