import { boolean } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inFlag, inputPath, outFlag } from "../src/cli/image-file.js";
import { readInput } from "../src/cli/input.js";
import { writeOutput } from "../src/cli/output-file.js";
import { encodeImage, MAX_JSON_BYTES } from "../src/index.js";

export default class Encode extends BaseCommand<typeof Encode> {
  static override summary = "make an image file from JSON, as crit does";
  static override description =
    `Takes the JSON of crimg decode, of crit (plain and pretty) and of go-crit. A key that the message does not have, a
value out of range or an unknown name is refused, with the record and the field.`;
  static override examples = [
    {
      description: "give the log file of a set another path",
      command:
        "<%= config.bin %> decode fixtures/criu/logger/files.img | sed 's,/service.log,/other.log,' | <%= config.bin %> encode -o /tmp/files.img",
    },
    {
      description: "JSON of a newer crit, with fields that are not known yet",
      command: "crit decode -i files.img | <%= config.bin %> encode --lax -o files.img",
    },
  ];
  static override json = {
    file: "the image that was written; with -o only, since the image itself goes to stdout without",
    size: "its bytes",
  };
  static override args = { JSONFILE: positional("JSON file; - or nothing for stdin") };
  static override flags = {
    in: inFlag,
    out: outFlag,
    lax: boolean({ description: "ignore keys that are not known" }),
  };

  async run(): Promise<Answer> {
    const { out, lax, json: asJson } = this.flags;
    const file = inputPath(this.args.JSONFILE, this.flags);
    const json = readInput(file, MAX_JSON_BYTES);
    const image = encodeImage(json, { lax, name: file ?? "stdin" });
    writeOutput(out, [image]);
    if (asJson && out !== undefined && out !== "-") this.printJson({ file: out, size: image.length });
    return EXIT.ok;
  }
}
