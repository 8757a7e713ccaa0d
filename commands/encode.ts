import { boolean, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inFlag, inputPath, outFlag } from "../src/cli/image-file.js";
import { readInput } from "../src/cli/input.js";
import { writeOutput } from "../src/cli/output-file.js";
import {
  encodeImage,
  encodeStream,
  FileSource,
  isStreamJson,
  MAX_JSON_BYTES,
  textOfJson,
} from "../src/index.js";

export default class Encode extends BaseCommand<typeof Encode> {
  static override summary = "make an image file or a linux-cr stream from JSON";
  static override description =
    `Takes the JSON of crimg decode, of crit (plain and pretty) and of go-crit, told apart by their content. A key that the
message does not have, a value out of range or an unknown name is refused, with the record and the field.

Of a linux-cr stream, the lengths of records are counted anew; a field that counts what a record holds may be left out,
and any other field left out is zero.`;
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
    {
      description: "a stream of any size, its pages copied and not spelt out",
      command:
        "<%= config.bin %> decode --leave-pages fixtures/linux-cr/minimal.ckpt | <%= config.bin %> encode --pages-from fixtures/linux-cr/minimal.ckpt -o /tmp/copy.ckpt",
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
    "pages-from": string({
      description: "the stream that decode --leave-pages left the pages in",
      helpValue: "IMAGE",
    }),
  };

  async run(): Promise<Answer> {
    const { out, lax, json: asJson, "pages-from": from } = this.flags;
    const file = inputPath(this.args.JSONFILE, this.flags);
    const name = file ?? "stdin";
    const json = textOfJson(readInput(file, MAX_JSON_BYTES), name);
    const pagesFrom = from === undefined ? undefined : new FileSource(from);
    const made = isStreamJson(json, name)
      ? encodeStream(json, { lax, name, pagesFrom })
      : oneChunk(encodeImage(json, { lax, name }));
    writeOutput(out, made);
    pagesFrom?.close();
    if (asJson && out !== undefined && out !== "-") this.printJson({ file: out, size: made.size });
    return EXIT.ok;
  }
}

function oneChunk(image: Buffer): Iterable<Buffer> & { readonly size: number } {
  return { size: image.length, [Symbol.iterator]: () => [image][Symbol.iterator]() };
}
