import { boolean } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inFlag, inputPath, openInput, outFlag } from "../src/cli/image-file.js";
import { writeTo } from "../src/cli/output.js";
import { writeOutput } from "../src/cli/output-file.js";
import { decodeImage } from "../src/index.js";

export default class Decode extends BaseCommand<typeof Decode> {
  static override summary = "write an image file as JSON, as crit does";
  static override description =
    `The JSON parses equal to that of crit 4. What crit would lose stands in keys that appear only when needed: in a
record _unknown (fields that crimg does not know), _wire (the record's bytes, when its fields alone would not give the
same bytes again) and _padding; beside magic _byte_order and _head. So decode and then encode give the same bytes for
every image, and an edited field changes alone. Names that are not UTF-8 have \\udcNN for each such byte.`;
  static override examples = [
    {
      description: "the open files, as a person reads them",
      command: "<%= config.bin %> decode --pretty fixtures/criu/logger/files.img",
    },
    {
      description: "there and back, through pipes",
      command:
        "<%= config.bin %> decode < fixtures/criu/logger/mm-1000.img | <%= config.bin %> encode | cmp - fixtures/criu/logger/mm-1000.img",
    },
  ];
  static override json = {
    magic: "the kind of image, as crit calls it; schema and command are not there, since crit has none",
    entries: "the records by their fields, each with extra where bytes follow it",
    _byte_order: "big-endian, for images of such a machine",
    _head: "none, common or service, where the first magic word is not the one that criu writes today",
  };
  static override args = { IMAGEFILE: positional("image file; - or nothing for stdin") };
  static override flags = {
    in: inFlag,
    out: outFlag,
    pretty: boolean({ description: "lines, and numbers as names, flags, addresses or in hexadecimal" }),
    nopl: boolean({ description: "tell the size of payloads (pipe data, file contents) only" }),
  };

  async run(): Promise<Answer> {
    const { out, pretty, nopl } = this.flags;
    const image = openInput(inputPath(this.args.IMAGEFILE, this.flags));
    const text = decodeImage(image, { pretty, noPayload: nopl });
    if (out === undefined || out === "-") for (const piece of text) writeTo(1, asciiBytes(piece));
    else writeOutput(out, bytesOf(text));
    return EXIT.ok;
  }
}

function* bytesOf(text: Iterable<string>): Generator<Buffer> {
  for (const piece of text) yield asciiBytes(piece);
}

/** The JSON is ASCII throughout. */
function asciiBytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
