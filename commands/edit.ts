import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { boolean, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { EDIT_FLAGS, editsFromFlags } from "../src/cli/edit-flags.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import { terminalWidth } from "../src/cli/output.js";
import { writeOutput } from "../src/cli/output-file.js";
import { appliedLines, planLines } from "../src/cli/plan-lines.js";
import { Progress } from "../src/cli/progress.js";
import {
  type Applied,
  applyPlan,
  applyToStream,
  type Document,
  EDIT_KINDS,
  editedBytes,
  openDocument,
  type Plan,
  parseDuration,
  planEdits,
  recoverImage,
  UsageError,
} from "../src/index.js";

export default class Edit extends BaseCommand<typeof Edit> {
  static override summary =
    "change an image: paths, files, addresses, descriptors, locks, leases, timers, any field";
  static override description =
    `Each edit is found over all images that hold such a field; bytes outside the changed fields stay as they are. Nothing
is written when an edit matches nothing. Whatever their order on the command line, edits are made in this one, so that
patterns see new names: ${EDIT_KINDS.map(({ name }) => name).join(", ")}.

Paths match by whole components, the longest OLD first: /srv/a=/srv/b changes /srv/a and /srv/a/x, not /srv/ab. A GLOB
has *, ** (also over slashes), ?, [set] and {a,b}; without a slash it is matched against the file's own name. Times are what
was left at the checkpoint, as in 90s, 250ms or 1h30m. With --fd, descriptors that shared the old description keep it;
those that shared one and are sent to the same file share the new one.

A linux-cr stream is edited by record: its lengths and counts follow, every other byte stays, also what no reader knows. -o names a new
file, or - stdout; a stream on stdin (-) is kept in a file without a name meanwhile. The log of a stream stands beside it
as FILE.crimg-log; stdout has none. All times in a stream count from the start of the checkpoint, which a restart makes the
start of the restart; --restart-takes says how long that is, and when each changed time falls due then. A lease has
whole seconds, rounded up. --deleted writes a copy as it writes the stream, below --root, never over a file that is
there; relink: names a hard link that is there already, seen from the root of its file system.

--in-place survives being killed: the next edit --in-place, undo or crimg recover finishes it or takes it back, and no
other command touches the image. When a file cannot be replaced, all are put back. With -o, pages are shared with the original: by reflink, or by a hard link where the file system has
no reflinks, since crimg never writes into a pages file (--copy makes copies).

Each edit is told by the head of its log, a SHA-256 that stands for it and all edits before: kept elsewhere, it shows later
whether somebody has changed the log (crimg log --head).

A recipe is YAML: names of edits as keys, in the order in which they are made, before those of flags; each has one text, a list
of texts or a mapping OLD: NEW. Under policies stands a list of patterns (path, type, fd) with an action for the
descriptors they match, the first one deciding: remap (with to), accept (as --accept-file), reopen (as --no-file-check, or with to
and append another file, as --fd), drop, error, ignore. Under watch stand patterns of files that no descriptor names, for
crimg validate --policy. Variables are written \${name}; vars gives them values, --var overrules.

Exit status: 0 done (or it is so already), 1 an edit matched nothing, 2 trouble.`;
  static override examples = [
    {
      description: "The data moved: what would change?",
      command:
        "<%= config.bin %> edit fixtures/criu/logger --remap-path /var/lib/crimg-demo=/srv/demo --dry-run",
    },
    {
      description: "Do it, and take the log file as it is now",
      command:
        "<%= config.bin %> edit fixtures/criu/logger --remap-path /var/lib/crimg-demo=/srv/demo --no-file-check '/srv/demo/logger/log/*' -o /tmp/logger-moved",
    },
    {
      description: "Another port and address, standard output into a file",
      command:
        "<%= config.bin %> edit IMG --tcp-listen-remap 8080:8081 --remap-address 10.0.0.3=10.0.0.4 --fd 4711:1=/srv/out.txt,append -o DIR",
    },
    {
      description: "Half a minute more for all timers",
      command: "<%= config.bin %> edit IMG --expiry all=+30s --in-place",
    },
    {
      description: "A minute more for the holder of every lease being broken, for a restart of 30 s",
      command: "<%= config.bin %> edit app.ckpt --lease-expiry all=+1m --restart-takes 30s --in-place",
    },
    {
      description: "A deleted file travels inside of the stream",
      command:
        "<%= config.bin %> edit app.ckpt --deleted /tmp/scratch=contents -o - | ssh host crimg restore -",
    },
    {
      description: "A recipe for many sets",
      command: "<%= config.bin %> edit IMG -f move.yaml --var to=/srv/b -o DIR",
    },
  ];
  static override json = {
    set: "path of the set or stream",
    edits: "list of {kind, text}",
    changes:
      "list of {edit, image, record, field, before, after}; record counts as in the image before, field is empty for whole records",
    left: "what looks alike and stays: list of {edit, image, record, field, value, why}",
    notes: "what a person should know or still has to do",
    warnings: "what may go wrong after a restore",
    unmatched: "edits that matched nothing, each with what was looked for",
    mentions:
      "with --scan-memory, where old values stand in memory: list of {edit, text, image, pid or shmid, address}",
    due: "times of a stream that were changed: list of {edit, image, record, what, before, after in nanoseconds}",
    newFiles: "files that are written beside a stream: list of {path, hostPath, size, mode, uid, gid}",
    restore: "what no image can hold and the restore has to do: leaseBreakSeconds",
    applied:
      "when something was written: {directory (file, for a stream), files: list of {name, before, after: SHA-256}, head: SHA-256 of the log's last line, shared, skipped}",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    ...EDIT_FLAGS,
    output: string({
      char: "o",
      description:
        "write the edited set into this new directory, a stream into this new file or, as -, to stdout",
      helpValue: "PATH",
      exclusive: ["in-place", "dry-run"],
    }),
    "in-place": boolean({
      description: "change the image itself, all files or none",
      exclusive: ["dry-run"],
    }),
    "dry-run": boolean({ description: "only show every change, and what looks alike and stays" }),
    "scan-memory": boolean({ description: "search the memory pages for the old values" }),
    "restart-takes": string({
      description: "how long the restart of a stream takes, for the moments at which times fall due",
      helpValue: "DURATION",
    }),
    copy: boolean({ description: "share nothing with the original set", dependsOn: ["output"] }),
  };

  async run(): Promise<Answer> {
    const { flags } = this;
    const { edits, policies } = await editsFromFlags(flags);
    if (edits.length + policies.length === 0)
      throw new UsageError("say what to change, as in --remap-path OLD=NEW or -f RECIPE");
    if (flags.output === undefined && !flags["in-place"] && !flags["dry-run"])
      throw new UsageError("say where the edited set goes: -o DIR, --in-place, or --dry-run to only look");
    if (flags.output === "-" && flags.json)
      throw new UsageError("stdout cannot hold the stream and the answer of --json: name a file with -o");
    if (flags["in-place"] && this.image !== "-") this.tellRecovery(recoverImage(this.image));
    const document = openDocument(this.image, { ...this.opening, spoolIn: this.#spoolDirectory() });
    const progress = new Progress("searching memory");
    try {
      const options = {
        root: flags.root,
        scanMemory: flags["scan-memory"],
        restartTakes: this.#restartTakes(),
        onProgress: (done: number, total: number) => progress.at(done, total),
      };
      const plan = planEdits(document, edits, options, policies);
      progress.end();
      const isNo = this.#cannot(plan);
      const applied = isNo || flags["dry-run"] ? undefined : this.#apply(document, plan);
      this.#tell(plan, applied, document.family);
      return isNo ? EXIT.no : EXIT.ok;
    } finally {
      document.close();
    }
  }

  /** Undefined for stdout, which tells nothing but the stream. */
  #apply(document: Document, plan: Plan): Applied | undefined {
    const { output, copy } = this.flags;
    const options = { version: this.config.version };
    if (document.family === "criu") {
      if (output === "-") throw new UsageError("an image set is a directory, and stdout takes a stream only");
      const target =
        output === undefined
          ? ({ to: "in place" } as const)
          : ({ to: "directory", directory: output, copy } as const);
      return applyPlan(document, plan, target, options);
    }
    if (output === "-") {
      writeOutput(output, editedBytes(document, plan));
      return undefined;
    }
    const target =
      output === undefined ? ({ to: "in place" } as const) : ({ to: "file", file: output } as const);
    const { file, ...applied } = applyToStream(document, plan, target, options);
    return { directory: file, ...applied, copied: undefined };
  }

  /** Where a piped stream is kept: beside what is made of it. */
  #spoolDirectory(): string {
    const { output } = this.flags;
    return output === undefined || output === "-" ? tmpdir() : dirname(resolve(output));
  }

  #restartTakes(): bigint | undefined {
    const text = this.flags["restart-takes"];
    return text === undefined ? undefined : parseDuration(text);
  }

  /** An edit found nothing, or nothing that an image could hold. */
  #cannot(plan: Plan): boolean {
    if (plan.unmatched.length > 0 && !this.flags["allow-unmatched"]) return true;
    return plan.changes.length === 0 && plan.restore.leaseBreakSeconds !== undefined;
  }

  #tell(plan: Plan, applied: Applied | undefined, family: Document["family"]): void {
    const { splices: _, ...shown } = plan;
    const isPiped = this.flags.output === "-";
    if (this.flags.json)
      this.printJson({
        ...shown,
        newFiles: plan.newFiles.map(({ pieces: _pieces, ...file }) => file),
        mentions: plan.mentions?.map((each) => ({ ...each, address: `0x${each.address.toString(16)}` })),
        applied: applied && appliedJson(applied, family),
      });
    else if (!isPiped) {
      if (this.flags["dry-run"] || this.flags.verbose || plan.mentions !== undefined)
        this.printLines(planLines(plan, this.#restartTakes(), { style: this.style, width: terminalWidth() }));
      if (applied !== undefined) this.printLines(appliedLines(applied, plan));
    }
    for (const note of plan.notes) this.note(`note: ${note}`);
    for (const warning of plan.warnings) this.warn(warning);
    for (const sentence of plan.unmatched) this.note(`nothing matched: ${sentence}`);
    if (plan.unmatched.length > 0 && applied === undefined && !this.flags["dry-run"] && !isPiped)
      this.note("nothing was written");
  }
}

function appliedJson({ directory, entry, head, copied }: Applied, family: Document["family"]): object {
  return {
    ...(family === "criu" ? { directory } : { file: directory }),
    files: entry?.files.map(({ name, before, after }) => ({ name, before, after })) ?? [],
    head,
    shared: copied?.shared,
    skipped: copied?.skipped,
  };
}
