import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { boolean, integer, option, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { EDIT_FLAGS, editsFromFlags } from "../src/cli/edit-flags.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import { terminalWidth, writeTo } from "../src/cli/output.js";
import { restoreJson } from "../src/cli/restore-json.js";
import {
  failedLines,
  obstacleLines,
  optionLines,
  preparedLines,
  restoreCommandLine,
  warningsOf,
} from "../src/cli/restore-lines.js";
import { styleFor } from "../src/cli/style.js";
import {
  BACKENDS,
  checkForSlim,
  type Document,
  openDocument,
  type PreparedRestore,
  prepareRestore,
  type Restart,
  restoreSlim,
  UsageError,
} from "../src/index.js";

export default class Restore extends BaseCommand<typeof Restore> {
  static override summary = "bring a checkpoint back to life";
  static override description =
    `Checks the set first, works out from the images which options criu needs, and runs criu. Edits are made to a copy that
shares the pages with the original and is removed afterwards; the original is only read. When criu fails, its log
is explained as crimg explain does. A linux-cr stream, from a file or through a pipe, is restored as the set that
crimg convert makes of it, in a directory that is removed afterwards.

Words after -- are options for criu itself; they replace those that crimg works out.

Without --detach crimg waits until the tasks have ended, and passes SIGINT, SIGTERM, SIGHUP and SIGQUIT on to the root
task. criu does not tell how they ended.

Exit status: 0 restored (and, without --detach, ended), 1 it cannot be restored, or criu failed, 2 trouble.`;
  static override examples = [
    {
      description: "What would be done, and why?",
      command: "<%= config.bin %> <%= command.id %> fixtures/criu/locks --dry-run",
    },
    {
      description: "The data moved; restore and return",
      command:
        "<%= config.bin %> <%= command.id %> IMG --remap-path /srv/a=/srv/b --detach --pidfile app.pid",
    },
    {
      description: "Only the command line of criu, to be pasted",
      command: "<%= config.bin %> <%= command.id %> fixtures/criu/locks --print",
    },
    {
      description: "A stream from another machine",
      command: "crimg convert IMG - | <%= config.bin %> <%= command.id %> - --detach",
    },
    {
      description: "Options for criu itself",
      command: "<%= config.bin %> <%= command.id %> IMG -- --tcp-close",
    },
  ];
  static override json = {
    backend: "name, because, able, and path, version, reason or remark",
    convert: "of a stream, the words that make the set which criu restores",
    criu: "the words that criu is started with",
    commandLine: "the same, quoted for a shell",
    options: "what the images need: option, value, reason, objects, from",
    changes: "of the edits, as crimg edit tells them; absent without edits",
    unmatched: "edits that matched nothing, as sentences; absent without edits",
    valid: "whether the check found no error",
    findings: "as crimg validate tells them",
    losses: "of a stream, what a set cannot hold: list of {object, what, why}",
    refusals: "why it cannot be done, as sentences",
    restart:
      "absent when nothing was started: restored, pid and remark; or restored, reason and explanation (see crimg explain)",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    ...EDIT_FLAGS,
    root: string({
      description: "root directory for the restored mount namespace; files are looked at below it",
      helpValue: "DIR",
    }),
    backend: option({ options: BACKENDS })({
      default: "auto",
      description: "engine that restores; auto is criu, slim is crimg's own: streams with --detach, no edits",
    }),
    criu: string({
      description: "criu to use [default: $CRIMG_CRIU, then PATH]",
      helpValue: "PATH",
    }),
    "dry-run": boolean({ description: "do everything but start criu", exclusive: ["print"] }),
    print: boolean({ description: "only print the command line of criu, and on stderr what it is for" }),
    detach: boolean({ char: "d", description: "return as soon as the tasks run" }),
    pidfile: string({ description: "write the pid of the root task into this file", helpValue: "FILE" }),
    log: string({ description: "keep the log of criu in this file", helpValue: "FILE" }),
    timeout: integer({
      min: 1,
      description: "seconds that criu may say nothing before it is killed [default: 60, more for large sets]",
      helpValue: "SECONDS",
    }),
    lossy: boolean({
      description: "restore a stream although a CRIU set cannot hold all of it; crimg convert lists what",
    }),
    force: boolean({ description: "restore although the check found errors" }),
  };

  /** Options for criu itself, which stand behind `--`. */
  #extra: readonly string[] = [];

  override async init(): Promise<void> {
    const end = this.argv.indexOf("--");
    if (end !== -1) {
      this.#extra = this.argv.slice(end + 1);
      this.argv = this.argv.slice(0, end);
    }
    await super.init();
  }

  async run(): Promise<Answer> {
    const { flags } = this;
    const { edits, policies } = await editsFromFlags(flags);
    if (flags.print && edits.length + policies.length > 0)
      throw new UsageError(
        "--print names no edited set, since the copy that crimg restores is removed again: make one with crimg edit -o DIR, and print for that",
      );
    const document = openDocument(this.image, { spoolIn: tmpdir() });
    try {
      const { backend } = flags;
      if (backend === "slim") return await this.#slim(document, edits.length + policies.length);
      const prepared = await prepareRestore(document, {
        edits,
        policies,
        lossy: flags.lossy,
        root: flags.root,
        backend,
        criu: flags.criu,
        extra: this.#extra,
        detach: flags.detach,
        pidFile: flags.pidfile,
        logFile: flags.log,
        stallSeconds: flags.timeout,
      });
      if (flags.print) return this.#print(prepared);
      for (const warning of warningsOf(prepared)) this.warn(warning);
      const obstacles = [...obstacleLines(prepared, this.#goOn())];
      if (flags["dry-run"]) return this.#dryRun(prepared, obstacles);
      if (obstacles.length > 0) return this.#refuse(prepared, obstacles);
      return this.#tell(prepared, await prepared.start((pid) => this.detail(`restored: root task ${pid}`)));
    } finally {
      document.close();
    }
  }

  /** crimg's own engine: the stream is checked, then restored as it is. */
  async #slim(document: Document, edits: number): Promise<Answer> {
    const { flags } = this;
    if (edits > 0)
      throw new UsageError("--backend slim restores a stream as it is: make the edits with crimg edit first");
    if (!flags.detach || flags.print || this.#extra.length > 0)
      throw new UsageError("--backend slim works with --detach, and without --print and options for criu");
    const verdict = checkForSlim(document);
    const errors = verdict.findings.filter(({ severity }) => severity === "error");
    for (const { id, what } of errors) this.note(`${id}: ${what}`);
    const refuses = errors.length > 0 && !flags.force;
    if (refuses || flags["dry-run"]) {
      if (flags.json) this.printJson({ backend: { name: "slim" }, valid: errors.length === 0 });
      this.note("nothing was started");
      return refuses ? EXIT.no : EXIT.ok;
    }
    const pid = await restoreSlim(document);
    if (flags.pidfile !== undefined) writeFileSync(flags.pidfile, `${pid}\n`);
    if (flags.json)
      this.printJson({ backend: { name: "slim" }, valid: true, restart: { restored: true, pid } });
    else this.print(`restored: root task ${pid}`);
    return EXIT.ok;
  }

  #goOn() {
    const { force, "allow-unmatched": allowUnmatched } = this.flags;
    return { ...this.#stderrLook, image: this.image, force, allowUnmatched };
  }

  #print(prepared: PreparedRestore): Answer {
    if (this.flags.json) this.printJson(restoreJson(prepared));
    else {
      this.print(restoreCommandLine(prepared));
      this.#toStderr(optionLines(prepared.options, this.#stderrLook.style));
    }
    for (const refusal of prepared.refusals) this.warn(refusal);
    return prepared.refusals.length === 0 ? EXIT.ok : EXIT.no;
  }

  #dryRun(prepared: PreparedRestore, obstacles: readonly string[]): Answer {
    const isPossible = obstacles.length === 0;
    if (this.flags.json) this.printJson(restoreJson(prepared));
    else {
      this.printLines(preparedLines(prepared, this.#look));
      if (isPossible) this.print("nothing was started: this is a dry run");
      else this.printLines(obstacles);
    }
    return isPossible ? EXIT.ok : EXIT.no;
  }

  #refuse(prepared: PreparedRestore, obstacles: readonly string[]): Answer {
    if (this.flags.json) this.printJson(restoreJson(prepared));
    this.#toStderr(obstacles);
    this.note("nothing was started");
    return EXIT.no;
  }

  #tell(prepared: PreparedRestore, restart: Restart): Answer {
    if (this.flags.json) this.printJson(restoreJson(prepared, restart));
    if (!restart.restored) {
      this.#toStderr(failedLines(restart, this.#stderrLook));
      return EXIT.no;
    }
    if (restart.remark !== undefined) this.warn(restart.remark);
    if (!this.flags.json && this.flags.detach) this.print(`restored: root task ${restart.pid}`);
    return EXIT.ok;
  }

  /** Lines that are safe for a terminal already. */
  #toStderr(lines: Iterable<string>): void {
    for (const line of lines) writeTo(2, `${line}\n`);
  }

  get #look() {
    return { style: this.style, width: terminalWidth() };
  }

  get #stderrLook() {
    return { style: styleFor(2, this.flags.color), width: terminalWidth() };
  }
}
