import { closeSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { IMAGES } from "../../formats/criu/images.js";
import { ioError, UnsupportedError } from "../../io/errors.js";
import { DirectoryFileSet } from "../../io/file-set.js";
import { temporaryDirectory } from "../../io/new-directory.js";
import type { OutputName } from "../../io/private-file.js";
import { FileSource } from "../../io/source.js";
import type { CriuDocument, Document } from "../../model/document.js";
import { type Explanation, explainLog } from "../../ops/explain/explain.js";
import type { RestoreOption } from "../../ops/restore-options/option.js";
import type {
  Backend,
  Needs,
  PlannedStep,
  Restart,
  RestartOptions,
  Unsupported,
  Wishes,
} from "../backend.js";
import { writePid } from "../pid-file.js";
import { hostProcess } from "../processes.js";
import { checkExtraOptions, restoreArguments } from "./command-line.js";
import { type CriuProbe, findCriu } from "./find.js";
import { setLeaseBreakTime } from "./lease-break-time.js";
import { needsOf } from "./needs.js";
import { takenReason, zombiesGone } from "./pids.js";
import { unsupported } from "./preflight.js";
import { type CriuEnd, runCriu } from "./run.js";
import { waivedRules } from "./waived.js";

/** criu logs nothing while it reads pages; read rate of a slow disk, in bytes per second. */
const STALL_SECONDS = 60;
const PAGE_BYTES_PER_SECOND = 32 * 1024 * 1024;

/** The installed criu, run as a program. `named`: path given by the user. */
export class CriuBackend implements Backend {
  readonly name = "criu";
  readonly family = "criu";
  readonly #named: string | undefined;
  #probe: CriuProbe | undefined;

  constructor(named?: string) {
    this.#named = named;
  }

  probe(): CriuProbe {
    this.#probe ??= findCriu(this.#named);
    return this.#probe;
  }

  async settle(document: Document): Promise<void> {
    await zombiesGone(setDocument(document));
  }

  needs(document: Document, wishes: Wishes): Needs {
    return needsOf(document, wishes);
  }

  async preflight(document: Document): Promise<readonly Unsupported[]> {
    return unsupported(setDocument(document));
  }

  /** criu has no plan to show; it logs its steps. */
  async steps(): Promise<readonly PlannedStep[]> {
    return [];
  }

  waived({ extra }: Wishes): string[] {
    return waivedRules(extra);
  }

  commandLine(document: Document, { root, needed, extra, detach, pidFile }: RestartOptions): string[] {
    checkExtraOptions(extra);
    const criu = this.#named ?? (process.env.CRIMG_CRIU || "criu");
    return [
      criu,
      ...restoreArguments({ images: document.name, root }, needed, [
        ...(detach ? ["--restore-detached"] : []),
        ...(pidFile === undefined ? [] : ["--pidfile", path.resolve(pidFile.path)]),
        ...extra,
      ]),
    ];
  }

  async restart(document: Document, options: RestartOptions): Promise<Restart> {
    const { root, needed, extra, detach, pidFile, logFile } = options;
    checkExtraOptions(extra);
    const probe = this.probe();
    if (!probe.able) return { restored: false, reason: probe.reason, explanation: undefined };
    const set = setDocument(document);
    const taken = await takenReason(set, options.given);
    if (taken !== undefined) return { restored: false, reason: taken, explanation: undefined };
    const images = directoryOf(set);
    const workDirectory = makeWorkDirectory();
    const seconds = options.wishes?.leaseBreakSeconds;
    let putBack = (): void => {};
    try {
      if (seconds !== undefined) putBack = setLeaseBreakTime(seconds);
      const end = await runCriu({
        command: [probe.path, ...restoreArguments({ images, root }, needed, extra)],
        workDirectory,
        detach,
        inherited: options.inherited ?? [],
        sharesTerminal: isShellJob(needed, extra),
        stallSeconds: options.stallSeconds ?? STALL_SECONDS + pageBytes(set) / PAGE_BYTES_PER_SECOND,
        onRestored: (pid) => {
          putBack();
          if (pidFile !== undefined) writePid(pidFile, pid);
          options.onRestored?.(pid);
        },
      });
      if (logFile !== undefined) keepLog(end.log, logFile);
      return resultOf(end, document, workDirectory, options);
    } finally {
      putBack();
      rmSync(workDirectory, { recursive: true, force: true });
    }
  }
}

function isShellJob(needed: readonly RestoreOption[], extra: readonly string[]): boolean {
  return (
    needed.some(({ option }) => option === "--shell-job") ||
    extra.some((word) => ["-j", "--shell-job"].includes(word))
  );
}

/** Errors: UNSUPPORTED for a stream that was not converted. */
function setDocument(document: Document): CriuDocument {
  if (document.family === "criu") return document;
  throw new UnsupportedError("criu restores image sets only", { file: document.name });
}

/** Errors: UNSUPPORTED for a set that is not a directory. */
function directoryOf({ set: { fileSet }, name }: CriuDocument): string {
  if (fileSet instanceof DirectoryFileSet) return path.resolve(fileSet.directory);
  throw new UnsupportedError("criu can restore only from a directory", { file: name });
}

function pageBytes({ set }: CriuDocument): number {
  const pages = set.files.filter(({ kind }) => kind === IMAGES.PAGES);
  return pages.reduce((sum, { name }) => sum + (set.fileSet.open(name)?.size ?? 0), 0);
}

function resultOf(
  end: CriuEnd,
  document: Document,
  workDirectory: string,
  { detach, given }: RestartOptions,
): Restart {
  if (end.restored && end.pid !== undefined) {
    const gone = detach && hostProcess(end.pid) === undefined;
    const remark = `criu restored task ${end.pid}, but it has already ended`;
    return { restored: true, pid: end.pid, remark: gone ? remark : undefined };
  }
  const explanation = explanationOf(end, document, workDirectory, given);
  if (end.hung)
    return {
      restored: false,
      reason: "criu hung (no log output) and was killed",
      explanation,
    };
  const how =
    typeof end.ended === "number" ? `exited with status ${end.ended}` : `was killed by ${end.ended}`;
  return { restored: false, reason: explanation?.failure?.what ?? `criu ${how}`, explanation };
}

/** criu writes no log if it fails on its options; then only its stderr is known. */
function explanationOf(
  end: CriuEnd,
  document: Document,
  workDirectory: string,
  given: readonly string[],
): Explanation | undefined {
  for (const [file, name] of [
    [end.log, "restore.log"],
    [path.join(workDirectory, "criu.out"), "criu"],
  ] as const) {
    try {
      const source = new FileSource(file, name);
      const explanation = source.size === 0 ? undefined : explainLog(source, document, given);
      source.close();
      if (explanation !== undefined) return explanation;
    } catch {
      // missing, or not a log of criu
    }
  }
  return undefined;
}

function makeWorkDirectory(): string {
  try {
    return temporaryDirectory(os.tmpdir(), "restore");
  } catch (error) {
    throw ioError("create a directory for the log of criu", os.tmpdir(), error);
  }
}

function keepLog(from: string, to: OutputName): void {
  try {
    if (!existsSync(from)) return;
    const fd = to.openPrivate();
    writeFileSync(fd, readFileSync(from));
    closeSync(fd);
  } catch (error) {
    throw ioError("save the log of criu", to.path, error);
  }
}
