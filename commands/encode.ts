import { boolean, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inputFlag, inputPath, outputFlag } from "../src/cli/image-file.js";
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
  static override summary = "encode JSON to an image file or a linux-cr stream";
  static override description =
    `Reads the JSON of crimg decode, crit (plain and pretty) and go-crit, detected by content. An unknown key, a value out of
range or an unknown name is an error that names the record and the field.

For a linux-cr stream, the lengths of records are recomputed; a field that counts the contents of a record may be omitted,
and any other omitted field is zero.`;
  static override examples = [
    {
      description: "change the path of a log file",
      command:
        "<%= config.bin %> decode example/logger/files.img | sed s,/log/messages,/log/other, | <%= config.bin %> encode -o /tmp/files.img",
    },
    {
      description: "JSON of a newer crit, with unknown fields",
      command: "crit decode -i files.img | <%= config.bin %> encode --lax -o files.img",
    },
    {
      description: "a stream of any size, with its pages copied from the original",
      command:
        "<%= config.bin %> decode --leave-pages example/minimal.ckpt | <%= config.bin %> encode --pages-from example/minimal.ckpt -o /tmp/copy.ckpt",
    },
  ];
  static override json = {
    file: "the written image; only with -o, since without it the image goes to stdout",
    size: "size in bytes",
  };
  static override args = { JSONFILE: positional("JSON file; - or nothing for stdin") };
  static override flags = {
    input: inputFlag,
    output: outputFlag,
    lax: boolean({ description: "ignore unknown keys" }),
    "pages-from": string({
      description: "the stream that decode --leave-pages read",
      helpValue: "IMAGE",
    }),
  };

  async run(): Promise<Answer> {
    const { output: out, lax, json: asJson, "pages-from": from } = this.flags;
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
