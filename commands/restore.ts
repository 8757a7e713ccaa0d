import { tmpdir } from "node:os";
import { BaseCommand } from "../src/cli/base-command.js";
import { editsFromFlags } from "../src/cli/edit-flags.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import type { Line } from "../src/cli/line.js";
import { terminalWidth, writeLines } from "../src/cli/output.js";
import { Progress } from "../src/cli/progress.js";
import { PODMAN, RESTORE_FLAGS } from "../src/cli/restore-flags.js";
import { restoreJson } from "../src/cli/restore-json.js";
import {
  endedText,
  failedLines,
  optionLines,
  preparedLines,
  problemLines,
  restoreCommandLine,
  warningsOf,
} from "../src/cli/restore-lines.js";
import { isInOwnMounts, runAs, runInOwnMounts } from "../src/cli/run-again.js";
import { StepLog } from "../src/cli/step-log.js";
import { styleFor } from "../src/cli/style.js";
import {
  type Document,
  type Edit,
  isInArchive,
  OutputName,
  openDocument,
  ownerToBecome,
  type Policy,
  type PreparedArchive,
  type PreparedRestore,
  parseGrant,
  podmanRestore,
  prepareArchive,
  prepareRestore,
  type Restart,
  type RestoreRequest,
  shellCommand,
  UsageError,
} from "../src/index.js";

export default class Restore extends BaseCommand<typeof Restore> {
  static override summary = "restore a checkpoint";
  static override description =
    `Validates the image, then restores it by a backend. criu restores sets: crimg derives the required options from the images
and explains the log if criu fails, as crimg explain does. slim is built into crimg and restores streams with ptrace,
without criu (x86-64). An image of the other format is converted to a temporary one. auto, the default, uses slim for
streams of crimg checkpoint and criu for the rest, or the other one if only that works here.

Edits are applied to a temporary copy; the original is only read. A stream can be piped in, as -.

An archive that Podman made is handed to podman with --backend podman: as it is, or as a temporary copy with the edits.
Without the engine, criu restores an archive into a root file system: --rootfs DIR names that of the container's image. The
stored changes are made over it, mounts, control groups and standard streams are as the files of the engine tell. In the
background (--detach) the standard streams lead to /dev/null.

Arguments after -- are passed to criu, or to podman container restore; they replace those that crimg derives.

If someone other than root owns the image or could have replaced it, root restores it only with rights that its owner
could have; --allow-rights grants more by name, and --as-owner restores it as that user. The writer of piped data is
unknown: it is treated as the caller's own.

Without --detach crimg waits until the root task ends, and forwards SIGINT, SIGTERM, SIGHUP and SIGQUIT to it. slim reports
how it ended; criu does not. With --detach the tasks continue under init.

Exit status: 0 restored (and, without --detach, ended, with any status), 1 it cannot be restored, or the restore failed,
2 trouble.`;
  static override examples = [
    {
      description: "preview a restore",
      command: "<%= config.bin %> <%= command.id %> example/locks --dry-run",
    },
    {
      description: "remap a path, restore in the background",
      command:
        "<%= config.bin %> <%= command.id %> IMG --remap-path /srv/a=/srv/b --detach --pidfile app.pid",
    },
    {
      description: "print the criu command line",
      command: "<%= config.bin %> <%= command.id %> example/locks --print",
    },
    {
      description: "through a pipe, without criu",
      command: "crimg checkpoint PID -o - | <%= config.bin %> <%= command.id %> - --backend slim --detach",
    },
    {
      description: "convert and restore through a pipe",
      command: "crimg convert IMG - | <%= config.bin %> <%= command.id %> - --detach",
    },
    {
      description: "restore as the owner of the image, without extra rights",
      command: "<%= config.bin %> <%= command.id %> IMG --as-owner --pids new",
    },
    {
      description: "grant extra rights by name",
      command: "<%= config.bin %> <%= command.id %> IMG --allow-rights uid=0,caps",
    },
    {
      description: "let podman restore an archive, with another port",
      command:
        "<%= config.bin %> <%= command.id %> web.tar --backend podman --name web2 --tcp-listen-remap 8080:9090",
    },
    {
      description: "restore an archive without its engine",
      command: "<%= config.bin %> <%= command.id %> web.tar --rootfs /srv/rootfs --detach --pidfile web.pid",
    },
    {
      description: "pass options to criu",
      command: "<%= config.bin %> <%= command.id %> IMG -- --tcp-close",
    },
  ];
  static override json = {
    backend: "name (criu or slim), because, able, and path, version, reason or remark (a warning)",
    convert: "of a stream, the command that makes the set for criu, as arguments",
    criu: "arguments of criu; absent for slim",
    commandLine: "the same, quoted for a shell",
    options: "options that the images require: option, value, reason, objects, from",
    steps:
      "with --dry-run, the steps of slim, in order: list of {phase, task, what, why}; task is absent for steps that concern all tasks",
    changes: "as in crimg edit; absent without edits",
    unmatched: "edits that matched nothing; absent without edits",
    valid: "whether validation found no errors",
    findings: "as in crimg validate",
    losses: "of a converted image, what the other format cannot express: list of {object, what, why}",
    refusals: "why the restore is not possible: list of sentences",
    owner: "owner of the image; absent if root",
    rights:
      "rights beyond those of its owner that the caller could grant but has not: list of {name, asked, had, pid, count}",
    restart:
      "absent if nothing was started: restored, pid and remark (a warning), and with slim, without --detach, ended: {status} or {signal} of the root task; or restored, reason and explanation (see crimg explain); with podman restored and container, its id",
  };
  static override args = { IMG: imageArg };
  static override flags = RESTORE_FLAGS;

  /** Arguments after `--`, passed to criu. */
  #extra: readonly string[] = [];

  override async init(): Promise<void> {
    const end = this.argv.indexOf("--");
    if (end !== -1) {
      this.#extra = this.argv.slice(end + 1);
      this.argv = this.argv.slice(0, end);
    }
    await super.init();
  }

  readonly #outputs: OutputName[] = [];
  readonly #made: PreparedArchive[] = [];
  #logFile: OutputName | undefined;

  async run(): Promise<Answer> {
    const { flags } = this;
    const { edits, policies } = await editsFromFlags(flags);
    if (flags.print && edits.length + policies.length > 0)
      throw new UsageError(
        "--print does not work with edits, since the edited copy is temporary; make one with crimg edit -o DIR, and print for that",
      );
    if (flags.print && flags.backend === "slim")
      throw new UsageError("--print is for criu only; --dry-run shows the steps of slim");
    const owner = flags["as-owner"] ? this.#ownerToBecome() : undefined;
    if (owner !== undefined) {
      process.exitCode = await runAs(owner);
      return EXIT.ok;
    }
    const { rootfs } = flags;
    if (rootfs !== undefined && !isInOwnMounts()) {
      if (process.geteuid?.() !== 0) throw new UsageError("--rootfs requires root");
      process.exitCode = await runInOwnMounts();
      return EXIT.ok;
    }
    const document = openDocument(this.image, { ...this.opening, spoolIn: tmpdir() });
    try {
      if (flags.backend === PODMAN) return this.#byPodman(document, edits, policies);
      if (flags.name !== undefined) throw new UsageError("--name is for --backend podman");
      const prepared = await this.#prepare(document, this.#request(edits, policies));
      if (flags.print) return this.#print(prepared);
      for (const warning of warningsOf(prepared)) this.warn(warning);
      const problems = [...problemLines(prepared, this.#goOn())];
      if (flags["dry-run"]) return await this.#dryRun(prepared, problems);
      if (problems.length > 0) return this.#refuse(prepared, problems);
      return this.#tell(prepared, await this.#start(prepared));
    } finally {
      for (const made of this.#made) made.close();
      document.close();
      for (const output of this.#outputs) output.close();
    }
  }

  /** Of an archive the images, and the root file system, are made in temporary places. */
  async #prepare(document: Document, request: RestoreRequest): Promise<PreparedRestore> {
    const { rootfs, "rootfs-in-place": inPlace, netns: network } = this.flags;
    if (rootfs === undefined && !isInArchive(document)) return prepareRestore(document, request);
    const root = rootfs === undefined ? undefined : { directory: rootfs, inPlace, network };
    const prepared = await prepareArchive(document, { ...request, rootfs: root });
    this.#made.push(prepared);
    return prepared;
  }

  /** The user to run as with --as-owner; determined before anything is restored. */
  #ownerToBecome() {
    const { backend, print, criu } = this.flags;
    if (backend === "criu" || print || criu !== undefined || this.#extra.length > 0)
      throw new UsageError(
        "--as-owner restores as the owner of the image, and criu requires root; omit --backend criu, --print, --criu and arguments after --",
      );
    return ownerToBecome(this.image);
  }

  /** Its directory is held open from the start: others may put a link in its place while tasks are restored. */
  #output(file: string | undefined): OutputName | undefined {
    if (file === undefined) return undefined;
    const output = new OutputName(file);
    this.#outputs.push(output);
    return output;
  }

  #request(edits: readonly Edit[], policies: readonly Policy[]): RestoreRequest {
    const { flags } = this;
    const wantsCriu = flags.print || flags.criu !== undefined || this.#extra.length > 0;
    const grant = flags["allow-rights"];
    this.#logFile = this.#output(flags.log);
    const asOwner = flags["as-owner"];
    const wantsSlim = asOwner || flags.pidns || flags.pids === "new" || flags["expiry-from"] === "start";
    const wanted = wantsCriu ? "criu" : wantsSlim ? "slim" : "auto";
    return {
      edits,
      policies,
      lossy: flags.lossy,
      grant: grant === undefined ? undefined : parseGrant(grant),
      asOwner,
      root: flags.root,
      backend: flags.backend === "auto" || flags.backend === PODMAN ? wanted : flags.backend,
      criu: flags.criu,
      extra: this.#extra,
      given: this.#given,
      detach: flags.detach,
      pidFile: this.#output(flags.pidfile),
      logFile: this.#logFile,
      stallSeconds: flags.timeout,
      expiryFrom: flags["expiry-from"],
      pids: flags.pids,
      pidns: flags.pidns,
    };
  }

  /** What advice repeats: all that was typed, but for flags that only show what would be done. */
  get #given(): string[] {
    const flags = this.typedFlags("dry-run", "print");
    return this.#extra.length === 0 ? flags : [...flags, "--", ...this.#extra];
  }

  #byPodman(document: Document, edits: readonly Edit[], policies: readonly Policy[]): Answer {
    const { root, name, json, print, "allow-unmatched": allowUnmatched } = this.flags;
    const { version } = this.config;
    const restore = podmanRestore(document, { edits, policies, root, name, version, extra: this.#extra });
    const unmatched = allowUnmatched ? [] : (restore.plan?.unmatched ?? []);
    for (const sentence of unmatched) this.note(`nothing matched: ${sentence}`);
    for (const warning of restore.plan?.warnings ?? []) this.warn(warning);
    const commandLine = shellCommand(restore.command);
    const facts = { image: document.name, backend: PODMAN, commandLine, changes: restore.plan?.changes };
    if (print || this.flags["dry-run"] || unmatched.length > 0) {
      if (json) this.printJson({ ...facts, refusals: unmatched });
      else this.print(commandLine);
      return unmatched.length > 0 ? EXIT.no : EXIT.ok;
    }
    const container = restore.start();
    if (json) this.printJson({ ...facts, refusals: [], restart: { restored: true, container } });
    else this.print(`restored by podman: container ${container}`);
    return EXIT.ok;
  }

  async #start(prepared: PreparedRestore): Promise<Restart> {
    const log = new StepLog(this.#logFile, this.flags.verbose ? (line) => this.note(line) : undefined);
    const progress = new Progress("restoring");
    try {
      return await prepared.start({
        onRestored: (pid) => {
          progress.end();
          this.detail(`restored: root task ${pid}`);
        },
        onStep: log.step,
        onProgress: (done, total) => progress.at(done, total),
      });
    } finally {
      progress.end();
      log.close();
    }
  }

  #goOn() {
    const { force, "allow-unmatched": allowUnmatched } = this.flags;
    return { ...this.#stderrLook, image: this.image, force, allowUnmatched };
  }

  #print(prepared: PreparedRestore): Answer {
    if (this.flags.json) this.printJson(restoreJson(prepared));
    else {
      this.print(restoreCommandLine(prepared) ?? "");
      writeLines(2, optionLines(prepared.options, this.#stderrLook.style));
    }
    for (const refusal of prepared.refusals) this.warn(refusal);
    return prepared.refusals.length === 0 ? EXIT.ok : EXIT.no;
  }

  async #dryRun(prepared: PreparedRestore, problems: readonly Line[]): Promise<Answer> {
    const isPossible = problems.length === 0;
    const steps = isPossible ? await prepared.steps() : [];
    if (this.flags.json) this.printJson(restoreJson(prepared, { steps }));
    else {
      this.printLines(preparedLines(prepared, steps, this.#look));
      if (isPossible) this.print("dry run; nothing was started");
      else this.printLines(problems);
    }
    return isPossible ? EXIT.ok : EXIT.no;
  }

  #refuse(prepared: PreparedRestore, problems: readonly Line[]): Answer {
    if (this.flags.json) this.printJson(restoreJson(prepared));
    writeLines(2, problems);
    this.note("nothing was started");
    return EXIT.no;
  }

  #tell(prepared: PreparedRestore, restart: Restart): Answer {
    if (this.flags.json) this.printJson(restoreJson(prepared, { restart }));
    if (!restart.restored) {
      writeLines(2, failedLines(restart, this.#stderrLook));
      return EXIT.no;
    }
    if (restart.remark !== undefined) this.warn(restart.remark);
    const text = this.flags.detach ? `restored: root task ${restart.pid}` : endedText(restart);
    if (!this.flags.json && text !== undefined) this.print(text);
    return EXIT.ok;
  }

  get #look() {
    return { style: this.style, width: terminalWidth() };
  }

  get #stderrLook() {
    return { style: styleFor(2, this.flags.color), width: terminalWidth() };
  }
}
