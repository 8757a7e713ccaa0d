import { boolean } from "@oclif/core/flags";
import { BaseCommand, RECOVERED } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import { recoverImage } from "../src/index.js";

export default class Recover extends BaseCommand<typeof Recover> {
  static override summary = "finish an edit in place that was interrupted, or take it back";
  static override description =
    `An edit in place that was killed leaves .crimg-edit in the set, or .FILE.crimg-edit beside a stream. Until its commit no
file has changed, and what was staged is removed; after it the new files are put in place, and when one cannot be, all
old ones are put back. Commands that only look change nothing of this. edit --in-place and undo do it by themselves.

Only a record that crimg wrote for this very image is followed: owned by the caller and private, in a directory of the caller or
root that no one else may write into, with every file as its SHA-256 says. Anything else is told and left alone. An edit whose
process still runs, also in another pid namespace, is never touched. --force is for an edit whose process cannot be seen
from here (another host, another pid namespace) and for a directory that others may write into; it waives nothing else.

Exit status: 0 done (or nothing to do), 2 trouble.`;
  static override examples = [
    { description: "After a crash", command: "<%= config.bin %> recover IMG" },
    {
      description: "What was found, for a script",
      command: "<%= config.bin %> recover fixtures/criu/logger --json",
    },
  ];
  static override json = {
    image: "path of the set or stream",
    found: "nothing, finished, taken back, or removed (what an edit had staged before its commit)",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    force: boolean({
      description:
        "although the editing process cannot be seen from here, or others may write into the directory",
    }),
  };

  async run(): Promise<Answer> {
    const found = recoverImage(this.image, { force: this.flags.force });
    if (this.flags.json) this.printJson({ image: this.image, found });
    else this.print(`${this.image}: ${found === "nothing" ? "no edit was interrupted" : RECOVERED[found]}`);
    return EXIT.ok;
  }
}
