import { boolean, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imagesArg, withOptionalValue } from "../src/cli/flags.js";
import { lookedAtOwner } from "../src/cli/image-owner.js";
import { readInput } from "../src/cli/input.js";
import { MANY_FLAGS, manyImages } from "../src/cli/many/flags.js";
import { readRecipes } from "../src/cli/recipe-file.js";
import { verdictLines } from "../src/cli/verdict-lines.js";
import {
  type Document,
  engineFacts,
  engineFactsOf,
  isCrimgError,
  MAX_FACTS_BYTES,
  openDocument,
  openRestoreOptions,
  parseHostFacts,
  type RestoreOption,
  RULES,
  restoreOptions,
  salvage,
  UsageError,
  type ValidateOptions,
  type Verdict,
  validate,
} from "../src/index.js";

export default class Validate extends BaseCommand<typeof Validate> {
  static override aliases = ["check"];
  static override summary = "check that a checkpoint is valid, and can be restored here";
  static override description =
    `Without --root and --host, the image itself (a CRIU set or a linux-cr stream) is checked: framing, references, the process
tree, saved pages, mappings, locks and leases, sockets, namespaces. --root also checks each file that a restore opens: its
existence, type, mode, size and build id. --host also checks this machine: pids, criu, CPU, ports, addresses, kernel.
--host HOST.json checks another machine, by what \`crimg facts -o HOST.json\` wrote there; the name must end in .json.

A truncated or damaged stream is checked as far as it can be read, and the offset where it ends is reported.

A finding has a stable id, a severity, the object, what was expected and found, and the command that fixes it:
  error    the restore fails, or restores the image wrongly
  warning  suspicious, or something that criu itself restores wrongly
  note     worth knowing

If someone other than root owns the image or could have replaced it, rights beyond those of its owner are reported too
(RIGHTS_…): user ids, capabilities, devices, set-user-ID programs, and with --root those of files. They are errors for
root, whose restore would refuse them, and warnings or notes for others. CRIMG_OWNER=UID overrides the owner.

--suspicious also looks for what an intruder leaves (SUSPICIOUS_…): memory that is writable and executable, code of deleted
files and memfds, an executable that is not the mapped one, preloaded libraries and those outside of system directories,
raw and packet sockets, access to memory of others, names of kernel threads. These are warnings: ordinary programs may do
some of it, such as a JIT.

--rules lists all ids. Nothing is changed.

Exit status: 0 no errors, 1 errors were found, 2 trouble.`;
  static override examples = [
    { description: "the image itself", command: "<%= config.bin %> validate example/logger" },
    {
      description: "a linux-cr stream",
      command: "<%= config.bin %> validate example/minimal.ckpt",
    },
    {
      description: "with the files that a restore opens",
      command: "<%= config.bin %> validate example/logger --root /",
    },
    {
      description: "look for what an intruder leaves",
      command: "<%= config.bin %> validate example/logger --suspicious",
    },
    {
      description: "with this machine",
      command: "<%= config.bin %> check example/logger --root / --host",
    },
    {
      description: "with another machine, by its facts",
      command:
        "<%= config.bin %> facts -o host.json && <%= config.bin %> validate example/logger --host host.json",
    },
    {
      description: "all images below a directory, a line of JSON for each",
      command: "<%= config.bin %> validate --recursive example --json",
    },
    {
      description: "ids of findings, for a script",
      command: `<%= config.bin %> validate example/logger --json | jq -r '.findings[].id'`,
    },
  ];
  static override json = {
    image: "path of the set or stream",
    verdict: "valid or invalid",
    counts: "findings by severity: error, warning, note",
    checked: "what was checked: rules, images, records, tasks, files, locks",
    findings:
      "list of {id, severity, object: {image, record, offset, field, pid, fd, path}, what, expected, found, fix: the command that fixes it, count: how often it was found, of one path once for all}; offset in bytes, for records of streams",
    more: "number of findings not listed, by id",
    openOptions: "options for the user to decide: list of {option, reason}",
    options: "options that criu restore needs: list of {option, value, reason, objects, from}",
    rules:
      "with --rules, instead of all others: list of {id, severity, family: criu, linux-cr or both, about, mend: how to fix it}",
  };
  static override args = { IMG: imagesArg };
  static override many = manyImages(["valid", "invalid", "failed"]);
  static override flags = {
    ...MANY_FLAGS,
    root: string({
      description: "check files below DIR, the root directory of the tasks",
      helpValue: "DIR",
    }),
    host: string({
      description: "check this machine too, or the one that crimg facts described in HOST.json",
      helpValue: "[HOST.json]",
    }),
    criu: string({
      description: "criu to use, instead of CRIMG_CRIU and PATH",
      helpValue: "PATH",
      dependsOn: ["host"],
    }),
    policy: string({
      description: "recipe whose `watch` patterns name other files that must exist",
      helpValue: "FILE",
      dependsOn: ["root"],
    }),
    var: string({
      multiple: true,
      multipleNonGreedy: true,
      description: "set a variable of the policy",
      helpValue: "NAME=VALUE",
      dependsOn: ["policy"],
    }),
    ignore: string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ",",
      description: "skip this rule; repeatable, or a list with commas",
      helpValue: "ID",
    }),
    only: string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ",",
      description: "check only this rule; repeatable, or a list with commas",
      helpValue: "ID",
    }),
    suspicious: boolean({ description: "look for what an intruder leaves too" }),
    all: boolean({ description: "show all findings, not only the first five of each id" }),
    rules: boolean({
      description: "list the rules",
      exclusive: ["root", "host"],
    }),
  };

  override async init(): Promise<void> {
    this.argv = withOptionalValue(this.argv, "--host", (word) => word.endsWith(".json"));
    await super.init();
  }

  async run(): Promise<Answer> {
    if (this.flags.rules) return this.#listRules();
    const document = salvage(openDocument(this.image, this.looking));
    try {
      const verdict = validate(document, await this.#options(document));
      const exit = this.answering(verdict.valid ? EXIT.ok : EXIT.no);
      const [needed, open] = optionsOf(document, verdict);
      if (this.flags.json) this.#tellJson(verdict, needed, open);
      else
        this.printLines(
          verdictLines(verdict, {
            style: this.style,
            image: this.image,
            rules: RULES,
            options: [...needed, ...open],
            all: this.flags.all,
          }),
        );
      return exit;
    } finally {
      document.close();
    }
  }

  async #options(document: Document): Promise<ValidateOptions> {
    const { root, host, criu, policy, ignore, only, var: variables = [] } = this.flags;
    return {
      root,
      owner: lookedAtOwner(document),
      ...{ suspicious: this.flags.suspicious, ignore, only },
      watch: policy === undefined ? undefined : (await readRecipes([policy], variables))[0]?.watch,
      ...(host === undefined ? {} : await this.#host(document, host, criu)),
    };
  }

  /** This machine, or the one of a file. */
  #host(document: Document, file: string, criu: string | undefined) {
    if (file === "") return engineFacts(document, criu);
    if (criu !== undefined)
      throw new UsageError("--criu is for this machine; crimg facts --criu chooses that of HOST.json");
    return engineFactsOf(document, parseHostFacts(readInput(file, MAX_FACTS_BYTES), file));
  }

  #tellJson(
    { valid, counts, checked, findings, more }: Verdict,
    needed: RestoreOption[],
    open: RestoreOption[],
  ): void {
    this.printJson({
      image: this.image,
      verdict: valid ? "valid" : "invalid",
      counts,
      checked,
      findings: findings.map(({ id, severity, at, what, expected, found, fix, count }) => ({
        id,
        severity,
        object: at,
        what,
        expected,
        found,
        fix,
        count,
      })),
      more,
      options: needed,
      openOptions: open,
    });
  }

  #listRules(): Answer {
    const facts = RULES.map(({ id, level, family, about, fix }) => ({
      ...{ id, severity: level, family },
      ...{ about, mend: fix },
    }));
    if (this.flags.json) this.printJson({ rules: facts });
    else
      this.printTable(
        [{ head: "ID" }, { head: "SEVERITY" }, { head: "FORMAT" }, { head: "REQUIREMENT", cut: "end" }],
        facts.map(({ id, severity, family, about }) => [id, severity, family, about]),
      );
    return EXIT.ok;
  }
}

/** Options that a restore needs, and those that the user decides; none for an image too damaged to tell. */
function optionsOf(document: Document, verdict: Verdict): [RestoreOption[], RestoreOption[]] {
  try {
    return [restoreOptions(document), openRestoreOptions(document)];
  } catch (error) {
    if (verdict.valid || !isCrimgError(error)) throw error;
    return [[], []];
  }
}
