import { boolean } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inputFlag, inputPath, outputFlag } from "../src/cli/image-file.js";
import { writeBinary } from "../src/cli/output.js";
import { writeOutput } from "../src/cli/output-file.js";
import { decodeImage, decodeStream, LinuxCrImage, openAnyImage, UsageError } from "../src/index.js";

export default class Decode extends BaseCommand<typeof Decode> {
  static override summary = "decode an image file or a linux-cr stream to JSON";
  static override description =
    `The JSON of an image of a CRIU set parses equal to that of crit 4. What crit would lose is in extra keys that appear only
when needed: _unknown (fields unknown to crimg), _wire (the bytes of a record whose fields alone would not encode to the
same bytes) and _padding in a record; _byte_order and _head beside magic. So decoding and encoding any image gives the
same bytes, and editing a field changes only that field. In a name that is not UTF-8, \\udcNN stands for each invalid byte.

The JSON of a linux-cr stream has one line per record: its name, its fields, and its payload as text, values, items,
addresses and pages, or data (base64). Other bytes are in _wire, _padding, _raw and _rest, so that every stream is encoded
to the same bytes. A truncated stream is decoded completely too, with a warning and exit status 2.`;
  static override examples = [
    {
      description: "open files, readable",
      command: "<%= config.bin %> decode --pretty example/logger/files.img",
    },
    {
      description: "decode and encode through pipes",
      command:
        "<%= config.bin %> decode < example/logger/mm-1000.img | <%= config.bin %> encode | cmp - example/logger/mm-1000.img",
    },
    {
      description: "records of a stream, without memory",
      command: "<%= config.bin %> decode --nopl example/minimal.ckpt",
    },
  ];
  static override json = {
    magic: "crit's name of the image kind; as in crit, there are no keys schema and command",
    entries: "the records by field, each with extra if a payload follows it",
    _byte_order: "big-endian, for images from big-endian machines",
    _head: "none, common or service, if the first magic word is not the one that criu writes today",
    format: "linux-cr/1; this key and all below are those of a stream",
    byteOrder: "little-endian or big-endian",
    "revision, architecture": "the linux-cr revision whose layouts are used, and the machine",
    records:
      "list of {record, fields}: the name (for unknown records the id) and the fields by name; also size for powerpc registers, whose layout depends on it",
    "records[].text": "the text of a text record, without its NUL; textBytes if not exactly one NUL follows",
    "records[].values, records[].items": "numbers (groups) and structures (signal actions, queued signals)",
    "records[].addresses, records[].pages":
      "saved pages: their addresses or page indexes, and the base64 of each page; {offset, size} with --leave-pages",
    "records[].data": "other bytes, in base64",
    "records[].page": "the page after SOCKET_FRAG, which has no record header",
    "records[]._wire": "the fixed part after the header, if its padding is not zero",
    "records[]._padding": "unused bytes after the values, if not zero",
    "records[]._raw": "all bytes after the header of a record that is too short for its fields",
    _rest:
      "bytes of a stream that are not a whole record: after TAIL, or from where it is truncated or damaged",
  };
  static override args = { IMAGEFILE: positional("image file or linux-cr stream; - or nothing for stdin") };
  static override flags = {
    input: inputFlag,
    output: outputFlag,
    pretty: boolean({ description: "indent, and show numbers as names, flags, addresses or hexadecimal" }),
    nopl: boolean({ description: "show only the size of payloads (pipe data, file contents, pages)" }),
    "leave-pages": boolean({
      description: "for a stream: give offsets instead of pages, for encode --pages-from",
    }),
  };

  async run(): Promise<Answer> {
    const { output: out, pretty, nopl, "leave-pages": leavePages } = this.flags;
    const image = openAnyImage(inputPath(this.args.IMAGEFILE, this.flags), {
      keepPages: !nopl && !leavePages,
    });
    if (!(image instanceof LinuxCrImage)) {
      if (leavePages)
        throw new UsageError("--leave-pages is for linux-cr streams only (this is an image of a CRIU set)");
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
