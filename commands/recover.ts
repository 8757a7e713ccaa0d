import { boolean } from "@oclif/core/flags";
import { BaseCommand, RECOVERED } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import { assertRecoverable, recoverImage } from "../src/index.js";

export default class Recover extends BaseCommand<typeof Recover> {
  static override summary = "finish or roll back an interrupted edit in place";
  static override description =
    `An edit in place that was killed leaves .crimg-edit in the set, or .FILE.crimg-edit beside a stream. Before its commit no
file has changed, and the staged files are removed. After it the new files are put in place; if that fails for one, all old
files are restored. Read-only commands never do this; edit --in-place and undo do it first.

Only a journal that crimg wrote for this image is followed: private and owned by the caller, in a directory of the caller or
root that nobody else can write, with every file matching its SHA-256. Anything else is reported and left alone. An edit
whose process is still running, in another pid namespace too, is never touched. --force is for an edit whose process is not
visible (another host or pid namespace) and for a directory that others can write; it skips no other check.

An edit in place of an archive is one rename of a whole new file, which leaves nothing to recover: the command refuses it.

Exit status: 0 done (or nothing to do), 2 trouble.`;
  static override examples = [
    { description: "recover after a crash", command: "<%= config.bin %> recover IMG" },
    {
      description: "for a script",
      command: "<%= config.bin %> recover example/logger --json",
    },
  ];
  static override json = {
    image: "path of the set or stream",
    found: "nothing, finished, taken back (rolled back), or removed (files staged before the commit)",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    force: boolean({
      description: "recover even if the editing process is not visible, or others can write to the directory",
    }),
  };

  async run(): Promise<Answer> {
    assertRecoverable(this.image);
    const found = recoverImage(this.image, { force: this.flags.force });
    if (this.flags.json) this.printJson({ image: this.image, found });
    else this.print(`${this.image}: ${found === "nothing" ? "no interrupted edit" : RECOVERED[found]}`);
    return EXIT.ok;
  }
}
