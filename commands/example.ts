import { cpSync } from "node:fs";
import { basename, join } from "node:path";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { createDirectory } from "../src/index.js";

/** Images of the package; package.json lists them too. */
const IMAGES = ["fixtures/criu/logger", "fixtures/criu/locks", "fixtures/linux-cr/minimal.ckpt"];

export default class Example extends BaseCommand<typeof Example> {
  static override summary = "write the small images that the examples of help use";
  static override description =
    `Makes a directory with two CRIU image sets (logger, locks) and a linux-cr stream (minimal.ckpt), to try the examples of
every command on.

Exit status: 0 written, 2 trouble.`;
  static override examples = [
    {
      description: "write ./example, and look at an image",
      command: "<%= config.bin %> <%= command.id %> && <%= config.bin %> show example/logger",
    },
  ];
  static override json = { directory: "path of the directory", images: "names of the images in it" };
  static override args = { DIR: positional("directory to make [default: example]") };

  async run(): Promise<Answer> {
    const { DIR: directory = "example" } = this.args;
    createDirectory(directory, undefined, (temporary) => {
      for (const image of IMAGES)
        cpSync(join(this.config.root, image), join(temporary, basename(image)), { recursive: true });
    });
    const images = IMAGES.map((image) => basename(image));
    if (this.flags.json) this.printJson({ directory, images });
    else this.print(`wrote ${directory}: ${images.join(", ")}`);
    return EXIT.ok;
  }
}
