import { boolean } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inFlag, inputPath, outFlag } from "../src/cli/image-file.js";
import { writeBinary } from "../src/cli/output.js";
import { writeOutput } from "../src/cli/output-file.js";
import { decodeImage, decodeStream, LinuxCrImage, openAnyImage, UsageError } from "../src/index.js";

export default class Decode extends BaseCommand<typeof Decode> {
  static override summary = "write an image file or a linux-cr stream as JSON";
  static override description =
    `The JSON of an image of a set parses equal to that of crit 4. What crit would lose stands in keys that appear only
when needed: in a record _unknown (fields that crimg does not know), _wire (the record's bytes, when its fields alone
would not give the same bytes again) and _padding; beside magic _byte_order and _head. So decode and then encode give the
same bytes for every image, and an edited field changes alone. Names that are not UTF-8 have \\udcNN for each such byte.

The JSON of a linux-cr stream has one line a record: its name, its fields, and what it holds behind them as text, values,
items, addresses and pages, or data (base64). Bytes that this cannot tell stand in _wire, _padding, _raw and _rest, so that
every stream comes back to the byte, also one that is cut off: it is written whole, with a warning and exit status 2.`;
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
    {
      description: "the records of a stream, without memory",
      command: "<%= config.bin %> decode --nopl fixtures/linux-cr/minimal.ckpt",
    },
  ];
  static override json = {
    magic: "the kind of image, as crit calls it; schema and command are not there, since crit has none",
    entries: "the records by their fields, each with extra where bytes follow it",
    _byte_order: "big-endian, for images of such a machine",
    _head: "none, common or service, where the first magic word is not the one that criu writes today",
    format: "linux-cr/1, of a stream, which has all keys from here on",
    byteOrder: "little-endian or big-endian",
    "revision, architecture": "the header set by whose layouts the records are told, and the machine",
    records:
      "list of {record, fields}: the name, for unknown ones the id, and the fields by their names; also size for registers of powerpc, where it tells the layout",
    "records[].text": "what a text record holds, without its NUL; textBytes when not exactly one NUL follows",
    "records[].values, records[].items": "numbers (groups) and structures (signal actions, queued signals)",
    "records[].addresses, records[].pages":
      "saved pages: their addresses or page indexes, and for each page its base64; {offset, size} with --leave-pages",
    "records[].data": "other bytes, in base64",
    "records[].page": "the page that follows SOCKET_FRAG without a record of its own",
    "records[]._wire": "the fixed part behind the header, where its padding is not zero",
    "records[]._padding": "unused bytes behind the values, where they are not zero",
    "records[]._raw": "all bytes behind the header of a record that is too short for its fields",
    _rest: "bytes of a stream that are no whole record: behind TAIL, or from where it is cut off or damaged",
  };
  static override args = { IMAGEFILE: positional("image file or linux-cr stream; - or nothing for stdin") };
  static override flags = {
    in: inFlag,
    out: outFlag,
    pretty: boolean({ description: "lines, and numbers as names, flags, addresses or in hexadecimal" }),
    nopl: boolean({ description: "tell the size of payloads (pipe data, file contents, pages) only" }),
    "leave-pages": boolean({
      description: "of a stream: tell where pages stand in it; encode copies them --pages-from it",
    }),
  };

  async run(): Promise<Answer> {
    const { out, pretty, nopl, "leave-pages": leavePages } = this.flags;
    const image = openAnyImage(inputPath(this.args.IMAGEFILE, this.flags), {
      keepPages: !nopl && !leavePages,
    });
    if (!(image instanceof LinuxCrImage)) {
      if (leavePages)
        throw new UsageError("--leave-pages is for linux-cr streams; this is an image of a set");
      this.#write(decodeImage(image, { pretty, noPayload: nopl }), out);
      return EXIT.ok;
    }
    this.#write(decodeStream(image, { pretty, noPayload: nopl, leavePages }), out);
    if (image.ending.error === undefined) return EXIT.ok;
    this.warn(image.ending.error.message);
    process.exitCode = EXIT.trouble;
    return EXIT.ok;
  }

  #write(text: Iterable<string>, out: string | undefined): void {
    if (out === undefined || out === "-") for (const piece of text) writeBinary(asciiBytes(piece));
    else writeOutput(out, bytesOf(text));
  }
}

function* bytesOf(text: Iterable<string>): Generator<Buffer> {
  for (const piece of text) yield asciiBytes(piece);
}

/** The JSON is ASCII throughout. */
function asciiBytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
