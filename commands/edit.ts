import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { boolean, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { EDIT_FLAGS, editsFromFlags } from "../src/cli/edit-flags.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imagesArg } from "../src/cli/flags.js";
import { MANY_FLAGS, manyImages } from "../src/cli/many/flags.js";
import { terminalWidth } from "../src/cli/output.js";
import { writeOutput } from "../src/cli/output-file.js";
import { appliedLines, planLines } from "../src/cli/plan-lines.js";
import { Progress } from "../src/cli/progress.js";
import {
  type Applied,
  applyPlan,
  type Document,
  EDIT_KINDS,
  editedBytes,
  isOneFile,
  openDocument,
  type Plan,
  parseDuration,
  planEdits,
  recoverImage,
  UsageError,
} from "../src/index.js";

export default class Edit extends BaseCommand<typeof Edit> {
  static override summary = "edit paths, files, addresses, descriptors, locks, leases, timers, or any field";
  static override description =
    `Each edit is applied to all images that hold such a field; bytes outside the changed fields stay as they are. If an edit
matches nothing, nothing is written. Edits are applied in this order, not in that of the command line, and each sees the
result of those before: ${EDIT_KINDS.map(({ name }) => name).join(", ")}.

Paths match by whole components, the longest OLD first: /srv/a=/srv/b changes /srv/a and /srv/a/x, not /srv/ab. A GLOB
has *, ** (which also matches slashes), ?, [set] and {a,b}; without a slash it matches the file name alone. Times are those
left at the checkpoint, such as 90s, 250ms or 1h30m. With --fd, other descriptors that shared the open file keep it; those
that shared one and are redirected to the same file share the new one.

A linux-cr stream is edited by record: its lengths and counts are updated, and every other byte stays, unknown ones too.
-o names a new file, or - for stdout; a stream on stdin (-) is spooled to an unnamed file. The log of a stream is
FILE.crimg-log beside it; a stream on stdout has none. All times in a stream are relative to the start of the checkpoint, and on a
restore to the start of the restore; --restart-takes gives its duration and shows when each changed time expires. A lease
has whole seconds, rounded up. --deleted writes a copy together with the stream, below --root, and never replaces an
existing file; relink names an existing hard link, as seen from the root of its file system.

Several images are edited one by one, each as a whole or not at all; -o names a directory then, in which each result has the
name of its image.

--redact overwrites each match with as many * (X or 0 bytes where the pattern matches those): in memory, arguments and
environment, queues of pipes and sockets, message queues and deleted files, as crimg grep finds them. Neither the pattern nor
what was there is in the plan or the log, which has place and length, and the edit cannot be undone. Other copies of the
image keep it, and so do older entries of the log.

An archive of a container engine is written as one, in the same compression, with every other member as it was. Facts
that files of the engine hold too (config.dump, spec.dump, network.status, status.dump, bind.mounts, descriptors.json) change
with the images: port mappings, addresses, host name, control groups, sources of mounts, standard streams, environment. The
log is a member beside the images. --in-place puts the whole new archive in the place of the old one at once.

--in-place is atomic even if killed: the next edit --in-place, undo or crimg recover finishes it or rolls it back, and no
other command touches the image. If one file cannot be replaced, all are rolled back. With -o, pages are shared with the
original: by reflink, or by hard link where the file system has no reflinks, since crimg never writes to a pages file
(--copy makes copies).

Each edit prints the head of the log, a SHA-256 that covers it and all edits before. Keep it elsewhere to detect later
whether the log was changed (crimg log --head).

A recipe is YAML. Its keys are names of edits, applied in their order and before those of flags; each has one text, a list of
texts or a mapping OLD: NEW. policies is a list of patterns (path, type, fd) with an action for the descriptors they
match; the first match decides: remap (with to), accept (as --accept-file), reopen (as --no-file-check, or as --fd with to
and append), drop, error, ignore. watch lists patterns of files that no descriptor refers to, for crimg validate --policy.
Variables are written \${name}; vars sets them, and --var overrides vars.

Exit status: 0 done (or nothing to change), 1 an edit matched nothing, 2 trouble.`;
  static override examples = [
    {
      description: "the same edit of all images below a directory",
      command:
        "<%= config.bin %> edit --recursive example --remap-path /var/lib/crimg-demo=/srv/demo -o moved --allow-unmatched",
    },
    {
      description: "preview a move of the data",
      command: "<%= config.bin %> edit example/logger --remap-path /var/lib/crimg-demo=/srv/demo --dry-run",
    },
    {
      description: "move the data, and accept the current log file",
      command:
        "<%= config.bin %> edit example/logger --remap-path /var/lib/crimg-demo=/srv/demo --no-file-check '/srv/demo/logger/log/*' -o /tmp/logger-moved",
    },
    {
      description: "change port and address, redirect stdout to a file",
      command:
        "<%= config.bin %> edit IMG --tcp-listen-remap 8080:8081 --remap-address 10.0.0.3=10.0.0.4 --fd 4711:1=/srv/out.txt,append -o DIR",
    },
    {
      description: "give all timers 30 s more",
      command: "<%= config.bin %> edit IMG --expiry all=+30s --in-place",
    },
    {
      description: "give breaking leases a minute more, for a restore of 30 s",
      command: "<%= config.bin %> edit app.ckpt --lease-expiry all=+1m --restart-takes 30s --in-place",
    },
    {
      description: "store a deleted file in the stream",
      command:
        "<%= config.bin %> edit app.ckpt --deleted /tmp/scratch=contents -o - | ssh host crimg restore -",
    },
    {
      description: "let an archived container listen at another port, under another name",
      command: "<%= config.bin %> edit ARCHIVE --tcp-listen-remap 8080:9090 --hostname other -o NEW",
    },
    {
      description: "apply a recipe",
      command: "<%= config.bin %> edit IMG -f move.yaml --var to=/srv/b -o DIR",
    },
  ];
  static override json = {
    image: "path of the set or stream",
    set: "the same, an older name",
    edits: "list of {kind, text}",
    undoable: "false with --redact, whose values the log does not keep",
    changes:
      "list of {edit, image, record, field, before, after, beforeText, afterText}; record is the index before the edit; field is empty for whole records; the texts have flags by name and modes in octal",
    left: "similar values, left unchanged: list of {edit, image, record, field, value, why}",
    notes: "what to know, or left to do",
    warnings: "what may fail after a restore",
    unmatched: "edits that matched nothing",
    mentions:
      "with --scan-memory, old values found in memory: list of {edit, text, image, pid or shmid, address}",
    due: "changed times of a stream: list of {edit, image, record, what, before, after in nanoseconds}",
    newFiles: "files written with a stream: list of {path, hostPath, size, mode, uid, gid}",
    restore: "what the restore must set because images cannot hold it: leaseBreakSeconds",
    applied:
      "{directory (file, for a stream), files: list of {name, before, after: SHA-256}, head: SHA-256 of the log's last line, shared, skipped}; absent when nothing was written",
  };
  static override args = { IMG: imagesArg };
  static override many = manyImages(["done", "where an edit matched nothing", "failed"]);
  static override flags = {
    ...MANY_FLAGS,
    ...EDIT_FLAGS,
    output: string({
      char: "o",
      aliases: ["out"],
      description: "write to this new directory (set) or file (stream, archive); - for stdout",
      helpValue: "PATH",
      exclusive: ["in-place", "dry-run"],
    }),
    "in-place": boolean({
      description: "edit the image itself, all files or none",
      exclusive: ["dry-run"],
    }),
    "dry-run": boolean({ description: "only show the changes, and similar values left unchanged" }),
    "scan-memory": boolean({ description: "search memory pages for the old values" }),
    "restart-takes": string({
      description: "duration of the restore, to show when changed times of a stream expire",
      helpValue: "DURATION",
    }),
    "no-undo": boolean({
      description: "keep no old or new value in the edit log, for secrets; the edit cannot be undone",
    }),
    copy: boolean({
      description: "copy pages instead of sharing them with the original",
      dependsOn: ["output"],
    }),
  };

  async run(): Promise<Answer> {
    const { flags } = this;
    const { edits, policies } = await editsFromFlags(flags);
    if (edits.length + policies.length === 0)
      throw new UsageError("nothing to edit; give an edit such as --remap-path OLD=NEW, or -f RECIPE");
    if (flags.output === undefined && !flags["in-place"] && !flags["dry-run"])
      throw new UsageError("missing output: give -o DIR, --in-place or --dry-run");
    if (flags.output === "-" && flags.json)
      throw new UsageError("--json and the stream both go to stdout; name a file with -o");
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
      this.#tell(plan, applied, isOneFile(document));
      return isNo ? EXIT.no : EXIT.ok;
    } finally {
      document.close();
    }
  }

  /** Undefined for stdout, which tells nothing but the stream. */
  #apply(document: Document, plan: Plan): Applied | undefined {
    const { output, copy } = this.flags;
    if (output === "-") {
      if (!isOneFile(document)) throw new UsageError("cannot write a CRIU set to stdout; name a directory");
      writeOutput(output, editedBytes(document, plan));
      return undefined;
    }
    const target =
      output === undefined ? ({ to: "in place" } as const) : ({ to: "new", path: output, copy } as const);
    return applyPlan(document, plan, target, { version: this.config.version, undo: !this.flags["no-undo"] });
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

  #tell(plan: Plan, applied: Applied | undefined, isFile: boolean): void {
    const { splices: _, ...shown } = plan;
    const isPiped = this.flags.output === "-";
    if (this.flags.json)
      this.printJson({
        image: plan.set,
        ...shown,
        newFiles: plan.newFiles.map(({ pieces: _pieces, ...file }) => file),
        mentions: plan.mentions?.map((each) => ({ ...each, address: `0x${each.address.toString(16)}` })),
        applied: applied && appliedJson(applied, isFile),
      });
    else if (!isPiped) {
      if (this.flags["dry-run"] || this.flags.verbose || plan.mentions !== undefined)
        this.printLines(planLines(plan, this.#restartTakes(), { style: this.style, width: terminalWidth() }));
      if (applied !== undefined) this.printLines(appliedLines(applied, plan));
    }
    if (applied?.entry !== undefined && applied.entry.undoable !== false && changesEnvironment(plan))
      this.note("note: the old value stays in the edit log, for undo; --no-undo does not keep it");
    for (const note of plan.notes) this.note(`note: ${note}`);
    for (const warning of plan.warnings) this.warn(warning);
    for (const sentence of plan.unmatched) this.note(`nothing matched: ${sentence}`);
    if (plan.unmatched.length > 0 && applied === undefined && !this.flags["dry-run"] && !isPiped)
      this.note("nothing was written");
  }
}

/** A variable of the environment may be a secret. */
function changesEnvironment({ edits }: Plan): boolean {
  return edits.some(({ kind }) => kind === "env");
}

function appliedJson({ path, entry, head, copied }: Applied, isFile: boolean): object {
  return {
    ...(isFile ? { file: path } : { directory: path }),
    files: entry?.files.map(({ name, before, after }) => ({ name, before, after })) ?? [],
    head,
    shared: copied?.shared,
    skipped: copied?.skipped,
  };
}
