import { boolean, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import { lookedAtOwner } from "../src/cli/image-owner.js";
import { readRecipe } from "../src/cli/recipe-file.js";
import { verdictLines } from "../src/cli/verdict-lines.js";
import {
  type Document,
  engineFacts,
  isCrimgError,
  openDocument,
  openRestoreOptions,
  type RestoreOption,
  RULES,
  restoreOptions,
  salvage,
  type ValidateOptions,
  type Verdict,
  validate,
} from "../src/index.js";

export default class Validate extends BaseCommand<typeof Validate> {
  static override aliases = ["check"];
  static override summary = "check whether a checkpoint is whole, and whether it can be restored here";
  static override description =
    `Without --root and --host the image, a CRIU set or a linux-cr stream, is checked by itself: framing, references, the
process tree, saved pages, mappings, locks and leases, sockets, namespaces. With --root each file that a restore opens
is looked at too: that it is there, its type, mode, size and build id. With --host this machine is: pids, criu, CPU,
ports, addresses, kernel.

A stream that is cut off or damaged is checked as far as it can be read, and where it ends is told.

A finding has a stable id, a severity, the object, what was expected and found, and the command that mends it:
  error    restore refuses the image, or restores it wrongly
  warning  suspicious, or a thing that criu does wrong itself
  note     worth knowing

An image that root does not own, or that somebody else could have put in its place, is also checked for what it asks
beyond its owner (RIGHTS_…): user ids, capabilities, devices, set-user-ID programs, with --root files as well. These are
errors for root, whose restore would refuse them, else warnings or notes. CRIMG_OWNER=UID names another owner.

--rules lists all ids. Nothing is ever changed.

Exit status: 0 no errors, 1 errors were found, 2 trouble.`;
  static override examples = [
    { description: "the set by itself", command: "<%= config.bin %> validate fixtures/criu/logger" },
    {
      description: "a linux-cr stream",
      command: "<%= config.bin %> validate fixtures/linux-cr/minimal.ckpt",
    },
    {
      description: "and every file that a restore would open",
      command: "<%= config.bin %> validate fixtures/criu/logger --root /",
    },
    {
      description: "would it restore on this machine?",
      command: "<%= config.bin %> check fixtures/criu/logger --root / --host",
    },
    {
      description: "only errors, for a script",
      command: `<%= config.bin %> validate fixtures/criu/logger --json | jq -r '.findings[] | select(.severity == "error") | .id'`,
    },
  ];
  static override json = {
    image: "path of the set or stream",
    verdict: "valid or invalid",
    counts: "findings by severity: error, warning, note",
    checked: "how much was looked at: rules, images, records, tasks, files, locks",
    findings:
      "list of {id, severity, object: {image, record, offset, field, pid, fd, path}, what, expected, found, fix: the command that mends it}; offset in bytes, of records of streams",
    more: "findings of one id beyond those listed, by id",
    openOptions: "what the user decides: list of {option, reason}",
    options: "what criu restore must be told: list of {option, value, reason, objects, from}",
    rules:
      "with --rules instead of the others: list of {id, severity, family: criu, linux-cr or both, about, mend}",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    root: string({
      description: "look at the files below this directory, which stands for / of the tasks",
      helpValue: "DIR",
    }),
    host: boolean({ description: "look at this machine too" }),
    criu: string({
      description: "the criu to ask, instead of CRIMG_CRIU and PATH",
      helpValue: "PATH",
      dependsOn: ["host"],
    }),
    policy: string({
      description: "recipe whose `watch` patterns say which other files must be there",
      helpValue: "FILE",
      dependsOn: ["root"],
    }),
    var: string({
      multiple: true,
      multipleNonGreedy: true,
      description: "value for a variable of the policy",
      helpValue: "NAME=VALUE",
      dependsOn: ["policy"],
    }),
    ignore: string({
      multiple: true,
      multipleNonGreedy: true,
      description: "leave out a rule",
      helpValue: "ID",
    }),
    only: string({
      multiple: true,
      multipleNonGreedy: true,
      description: "check this rule only",
      helpValue: "ID",
    }),
    all: boolean({ description: "show every finding, not the first five of a kind" }),
    rules: boolean({
      description: "list the rules instead of checking an image",
      exclusive: ["root", "host"],
    }),
  };

  async run(): Promise<Answer> {
    if (this.flags.rules) return this.#listRules();
    const document = salvage(openDocument(this.image, this.looking));
    try {
      const verdict = validate(document, await this.#options(document));
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
      return verdict.valid ? EXIT.ok : EXIT.no;
    } finally {
      document.close();
    }
  }

  async #options(document: Document): Promise<ValidateOptions> {
    const { root, host, criu, policy, ignore, only, var: variables = [] } = this.flags;
    return {
      root,
      owner: lookedAtOwner(document),
      ignore,
      only,
      watch: policy === undefined ? undefined : (await readRecipe(policy, variables)).watch,
      ...(host ? await engineFacts(document, criu) : {}),
    };
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
      findings: findings.map(({ id, severity, at, what, expected, found, fix }) => ({
        id,
        severity,
        object: at,
        what,
        expected,
        found,
        fix,
      })),
      more,
      options: needed,
      openOptions: open,
    });
  }

  #listRules(): Answer {
    const facts = RULES.map(({ id, level, family, about, mend }) => ({
      ...{ id, severity: level, family },
      ...{ about, mend },
    }));
    if (this.flags.json) this.printJson({ rules: facts });
    else
      this.printTable(
        [{ head: "ID" }, { head: "SEVERITY" }, { head: "FORMAT" }, { head: "WHAT MUST HOLD", cut: "end" }],
        facts.map(({ id, severity, family, about }) => [id, severity, family, about]),
      );
    return EXIT.ok;
  }
}

/** What a restore needs, and what only a person can say of it; nothing of an image that is too damaged to tell. */
function optionsOf(document: Document, verdict: Verdict): [RestoreOption[], RestoreOption[]] {
  try {
    return [restoreOptions(document), openRestoreOptions(document)];
  } catch (error) {
    if (verdict.valid || !isCrimgError(error)) throw error;
    return [[], []];
  }
}
