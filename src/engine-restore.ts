import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { containerFacts } from "./formats/archive/container.js";
import { FORMS } from "./formats/archive/package.js";
import { BackendError, UnsupportedError } from "./io/errors.js";
import { temporaryDirectory } from "./io/new-directory.js";
import { FileSource } from "./io/source.js";
import type { CriuDocument, Document } from "./model/document.js";
import type { Policy } from "./model/policy.js";
import { ownerOf } from "./model/rights/bearer.js";
import { isPrivileged } from "./model/rights/privileged.js";
import { applyPlan } from "./ops/edit/apply.js";
import type { Edit, Plan } from "./ops/edit/plan.js";
import { planEdits } from "./ops/edit/plan-edits.js";

/** What podman is asked for. */
export interface PodmanRequest {
  /** Applied to a temporary archive. */
  readonly edits: readonly Edit[];
  readonly policies: readonly Policy[];
  readonly root?: string | undefined;
  /** Of the new container; undefined for the name that it had. */
  readonly name?: string | undefined;
  /** Further arguments of `podman container restore`. */
  readonly extra: readonly string[];
  /** Version of crimg for the log in the temporary archive. */
  readonly version: string;
}

/** A restore by podman, ready to start. */
export interface PodmanRestore {
  /** The edits of the archive that podman gets; undefined without any. */
  readonly plan: Plan | undefined;
  /** The command for the archive as it is. */
  readonly command: readonly string[];
  /** Restores; gives the id that podman prints. Errors: BACKEND when podman fails, whose messages go to stderr; IO. */
  start(): string;
}

/**
 * Hands an archive that Podman made to podman. Nothing is written or started before `start`.
 * Errors: UNSUPPORTED for anything else than a container archive by Podman in a file; BACKEND when another user could have
 * written the archive and podman would run it as root; USAGE, EDIT for edits.
 */
export function podmanRestore(document: Document, request: PodmanRequest): PodmanRestore {
  const { edits, policies, root, name, extra, version } = request;
  const file = archiveFile(document);
  const owner = ownerOf(document);
  if (owner !== undefined && isPrivileged())
    throw new BackendError(
      `${owner.name} could have written the archive, and podman would run it as root; copy it to a directory of root first`,
      { file },
    );
  const plan =
    edits.length + policies.length === 0 ? undefined : planEdits(document, edits, { root }, policies);
  const commandFor = (archive: string): string[] => [
    ...["podman", "container", "restore", "--import", archive],
    ...(name === undefined ? [] : ["--name", name]),
    ...extra,
  ];
  return {
    plan,
    command: commandFor(file),
    start() {
      if (plan === undefined) return run(commandFor(file), file);
      const directory = temporaryDirectory(os.tmpdir(), "restore");
      try {
        const edited = path.join(directory, path.basename(file));
        applyPlan(document, plan, { to: "new", path: edited }, { version });
        return run(commandFor(edited), file);
      } finally {
        fs.rmSync(directory, { recursive: true, force: true });
      }
    },
  };
}

/** Errors: UNSUPPORTED. */
function archiveFile(document: Document): string {
  const packaged = (document as Partial<CriuDocument>).packaged;
  const { form = "sets", file } = packaged?.package ?? {};
  const engine = packaged === undefined ? undefined : containerFacts(packaged.set).engine?.name;
  if (form === "container" && file instanceof FileSource && engine === "Podman") return file.path;
  const found =
    packaged === undefined
      ? "no archive"
      : `a ${FORMS[form].title}${engine === undefined ? "" : ` by ${engine}`}`;
  throw new UnsupportedError(`podman restores container archives by Podman, and this is ${found}`, {
    file: document.name,
  });
}

function run([program = "", ...args]: readonly string[], file: string): string {
  const { status, stdout, error } = spawnSync(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status === 0) return stdout.trim();
  const missing = (error as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
  throw new BackendError(missing ? "podman is not on PATH; install it" : "podman could not restore it", {
    file,
  });
}
