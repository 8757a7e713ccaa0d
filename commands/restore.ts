import { tmpdir } from "node:os";
import { BaseCommand } from "../src/cli/base-command.js";
import { editsFromFlags } from "../src/cli/edit-flags.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import type { Line } from "../src/cli/line.js";
import { terminalWidth, writeLines } from "../src/cli/output.js";
import { Progress } from "../src/cli/progress.js";
import { RESTORE_FLAGS } from "../src/cli/restore-flags.js";
import { restoreJson } from "../src/cli/restore-json.js";
import {
  endedText,
  failedLines,
  obstacleLines,
  optionLines,
  preparedLines,
  restoreCommandLine,
  warningsOf,
} from "../src/cli/restore-lines.js";
import { runAs } from "../src/cli/run-as.js";
import { StepLog } from "../src/cli/step-log.js";
import { styleFor } from "../src/cli/style.js";
import {
  type Edit,
  openDocument,
  ownerToBecome,
  type Policy,
  type PreparedRestore,
  parseGrant,
  prepareRestore,
  type Restart,
  type RestoreRequest,
  UsageError,
} from "../src/index.js";

export default class Restore extends BaseCommand<typeof Restore> {
  static override summary = "bring a checkpoint back to life";
  static override description =
    `Checks the image first and hands it to a backend. criu restores sets: crimg works out from the images which options
it needs, and when it fails, its log is explained as crimg explain does. slim is crimg's own engine and restores streams
by ptrace, without any criu (x86-64). An image of the other family is converted into a temporary one. auto, the default,
takes slim for streams of crimg checkpoint and criu for all else, or the other one where only that can work here.

Edits are made to a copy that is removed afterwards; the original is only read. A stream may come through a pipe, as -.

Words after -- are options for criu itself; they replace those that crimg works out.

Root restores an image of somebody else, or one that somebody else could have put in its place, only with rights that
its owner could have; --allow-rights grants more by name, --as-owner restores it as that user. Who wrote what comes
through a pipe cannot be known: it is taken for the caller's own.

Without --detach crimg waits until the root task has ended, and passes SIGINT, SIGTERM, SIGHUP and SIGQUIT on to it.
slim tells how it ended; criu does not. With --detach the tasks go on under init.

Exit status: 0 restored (and, without --detach, ended, however that was), 1 it cannot be restored, or the restore failed,
2 trouble.`;
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
      description: "Through a pipe, with crimg's own engine: no criu is needed",
      command: "crimg checkpoint PID -o - | <%= config.bin %> <%= command.id %> - --backend slim --detach",
    },
    {
      description: "A stream from another machine",
      command: "crimg convert IMG - | <%= config.bin %> <%= command.id %> - --detach",
    },
    {
      description: "An image of a user that asks for more than the user has: as that user, without it",
      command: "<%= config.bin %> <%= command.id %> IMG --as-owner --pids new",
    },
    {
      description: "The same, granting what it asks for by name",
      command: "<%= config.bin %> <%= command.id %> IMG --allow-rights uid=0,caps",
    },
    {
      description: "Options for criu itself",
      command: "<%= config.bin %> <%= command.id %> IMG -- --tcp-close",
    },
  ];
  static override json = {
    backend: "name (criu or slim), because, able, and path, version, reason or remark",
    convert: "of a stream, the words that make the set which criu restores",
    criu: "the words that criu is started with; absent for slim",
    commandLine: "the same, quoted for a shell",
    options: "what criu must be told for the images: option, value, reason, objects, from",
    steps:
      "with --dry-run, what slim would do, in order: list of {phase, task, what, why}; task is absent for what is done for all",
    changes: "of the edits, as crimg edit tells them; absent without edits",
    unmatched: "edits that matched nothing, as sentences; absent without edits",
    valid: "whether the check found no error",
    findings: "as crimg validate tells them",
    losses: "of an image that is converted, what the other family cannot hold: list of {object, what, why}",
    refusals: "why it cannot be done, as sentences",
    owner: "whom the image belongs to, when that is not root",
    rights:
      "what it asks beyond its owner and is not granted, when the caller could grant it: list of {name, asked, had, pid, count}",
    restart:
      "absent when nothing was started: restored, pid and remark, and with slim, without --detach, ended: {status} or {signal} of the root task; or restored, reason and explanation (see crimg explain)",
  };
  static override args = { IMG: imageArg };
  static override flags = RESTORE_FLAGS;

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
    if (flags.print && flags.backend === "slim")
      throw new UsageError("--print is for criu, and slim starts no program: --dry-run tells its steps");
    const owner = flags["as-owner"] ? this.#ownerToBecome() : undefined;
    if (owner !== undefined) {
      process.exitCode = await runAs(owner);
      return EXIT.ok;
    }
    const document = openDocument(this.image, { ...this.opening, spoolIn: tmpdir() });
    try {
      const prepared = await prepareRestore(document, this.#request(edits, policies));
      if (flags.print) return this.#print(prepared);
      for (const warning of warningsOf(prepared)) this.warn(warning);
      const obstacles = [...obstacleLines(prepared, this.#goOn())];
      if (flags["dry-run"]) return await this.#dryRun(prepared, obstacles);
      if (obstacles.length > 0) return this.#refuse(prepared, obstacles);
      return this.#tell(prepared, await this.#start(prepared));
    } finally {
      document.close();
    }
  }

  /** Whom another crimg must run as; asked before anything is restored. */
  #ownerToBecome() {
    const { backend, print, criu } = this.flags;
    if (backend === "criu" || print || criu !== undefined || this.#extra.length > 0)
      throw new UsageError(
        "criu restores as root alone, and with --as-owner crimg is the owner of the image: leave --backend criu, --print, --criu and words after -- out",
      );
    return ownerToBecome(this.image);
  }

  #request(edits: readonly Edit[], policies: readonly Policy[]): RestoreRequest {
    const { flags } = this;
    const wantsCriu = flags.print || flags.criu !== undefined || this.#extra.length > 0;
    const grant = flags["allow-rights"];
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
      backend: flags.backend === "auto" ? wanted : flags.backend,
      criu: flags.criu,
      extra: this.#extra,
      detach: flags.detach,
      pidFile: flags.pidfile,
      logFile: flags.log,
      stallSeconds: flags.timeout,
      expiryFrom: flags["expiry-from"],
      pids: flags.pids,
      pidns: flags.pidns,
    };
  }

  async #start(prepared: PreparedRestore): Promise<Restart> {
    const { log: file, verbose } = this.flags;
    const log = new StepLog(file, verbose ? (line) => this.note(line) : undefined);
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

  async #dryRun(prepared: PreparedRestore, obstacles: readonly Line[]): Promise<Answer> {
    const isPossible = obstacles.length === 0;
    const steps = isPossible ? await prepared.steps() : [];
    if (this.flags.json) this.printJson(restoreJson(prepared, { steps }));
    else {
      this.printLines(preparedLines(prepared, steps, this.#look));
      if (isPossible) this.print("nothing was started: this is a dry run");
      else this.printLines(obstacles);
    }
    return isPossible ? EXIT.ok : EXIT.no;
  }

  #refuse(prepared: PreparedRestore, obstacles: readonly Line[]): Answer {
    if (this.flags.json) this.printJson(restoreJson(prepared));
    writeLines(2, obstacles);
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
    const said = this.flags.detach ? `restored: root task ${restart.pid}` : endedText(restart);
    if (!this.flags.json && said !== undefined) this.print(said);
    return EXIT.ok;
  }

  get #look() {
    return { style: this.style, width: terminalWidth() };
  }

  get #stderrLook() {
    return { style: styleFor(2, this.flags.color), width: terminalWidth() };
  }
}
