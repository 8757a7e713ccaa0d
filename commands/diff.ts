import { boolean, option } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { diffLines } from "../src/cli/diff-lines.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { damageJson } from "../src/cli/failure.js";
import { requiredPositional } from "../src/cli/flags.js";
import { Progress } from "../src/cli/progress.js";
import { diffCheckpoints, lookAt, MATCH_CHOICES, openDocument, SECTIONS, UsageError } from "../src/index.js";

export default class Diff extends BaseCommand<typeof Diff> {
  static override summary = "compare two checkpoints";
  static override description =
    `Compares tasks, descriptors, files, mappings, memory pages, locks, sockets, credentials, environment, mounts, host names,
SysV objects, timers, signals, limits and registers. What every dump assigns anew (file ids, the order of records) and
what always differs (vdso, statistics, run ids) is ignored. Registers come last, and those of vectors and floating point are
counted; --only registers and --json list them all.

Exit status: 0 no difference, 1 differences, 2 trouble.`;
  static override examples = [
    {
      description: "all differences, with the pages of memory",
      command: "<%= config.bin %> diff --pages example/logger example/locks",
    },
    {
      description: "the bytes that differ in memory",
      command: "<%= config.bin %> diff --only memory --bytes example/logger example/locks",
    },
    {
      description: "descriptors and files only, for a script",
      command: "<%= config.bin %> diff --only fds --only files --json example/logger example/locks",
    },
  ];
  static override json = {
    old: "path of the first set",
    new: "path of the second set",
    same: "true when nothing differs",
    differences:
      "list of {section, status: added, removed or modified, label, changes: list of {field, old, new}}; times in nanoseconds",
    memory:
      "list of {pid, label, added, removed, changed: pages; ranges with --pages: list of {start, end, status}; bytes with --bytes: list of {address in NEW, old, new}}",
    damage:
      "list of {code, file, offset, path, message}: parts that could not be read, whose objects look removed; absent if there are none",
    notCompared: "sections left out because one of the two is a piped stream, whose pages are not kept",
  };
  static override args = {
    OLD: requiredPositional("image directory or linux-cr stream"),
    NEW: requiredPositional("image directory or linux-cr stream to compare it with"),
  };
  static override flags = {
    "match-by": option({ options: MATCH_CHOICES })({
      default: "auto",
      description: "how to pair tasks: auto is by pid and name, then by place in the tree",
    }),
    only: option({ options: SECTIONS, multiple: true, delimiter: "," })({
      description: "compare only this section; repeatable, or a list with commas",
    }),
    pages: boolean({ description: "list the address ranges of differing pages" }),
    bytes: boolean({ description: "list the differing bytes of changed pages, as hexadecimal" }),
  };

  async run(): Promise<Answer> {
    const { flags } = this;
    if (flags["images-dir"] !== undefined)
      throw new UsageError("-D does not apply to diff; give both images as arguments");
    const { OLD, NEW } = this.args;
    const [left, right] = [openDocument(OLD, this.looking), openDocument(NEW, this.looking)];
    const only = flags.only as (typeof SECTIONS)[number][] | undefined;
    const progress = new Progress("comparing memory");
    const { answer, damage } = lookAt([left, right], (old, now) =>
      diffCheckpoints(old, now, {
        only,
        matchBy: flags["match-by"],
        pages: flags.pages,
        bytes: flags.bytes,
        progress: (done, total) => progress.at(done, total),
      }),
    );
    progress.end();
    const same = answer.differences.length + answer.memory.length === 0;
    const exit = this.answering(same ? EXIT.ok : EXIT.no);
    if (flags.json)
      this.printJson({ old: left.name, new: right.name, same, ...answer, ...damageJson(damage) });
    else
      this.printLines(
        diffLines(left.name, right.name, answer, {
          style: this.style,
          allRegisters: only?.includes("registers") === true,
        }),
      );
    if (answer.notCompared !== undefined)
      this.warn(`not compared (memory of a piped stream is not kept): ${answer.notCompared.join(", ")}`);
    return this.withDamage(damage, exit);
  }
}
