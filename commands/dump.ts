import { BaseCommand } from "../src/cli/base-command.js";
import { escapeText } from "../src/cli/escape.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inputFlag, inputPath } from "../src/cli/image-file.js";
import { terminalWidth } from "../src/cli/output.js";
import { type DumpRange, dumpImage, dumpStream, LinuxCrImage, openAnyImage } from "../src/index.js";

export default class Dump extends BaseCommand<typeof Dump> {
  static override summary = "show what each byte of an image file belongs to";
  static override description =
    `One line per range, from the first byte to the last: start and end offset in hexadecimal (the end is exclusive), size, type
(magic, size, tag, length, value, unknown, payload, padding, raw), record and field, and the decoded value. In a linux-cr
stream each record has a tag and a length; a page without a header is raw, and bytes after the end are unknown.`;
  static override examples = [
    "<%= config.bin %> dump example/logger/files.img",
    {
      description: "where a file name is stored",
      command: "<%= config.bin %> dump example/logger/files.img | grep -F 'reg.name'",
    },
  ];
  static override json = {
    image: "path as given, or stdin",
    file: "the same, an older name",
    kind: "crimg's name of the kind, or linux-cr stream; absent for raw images",
    size: "bytes of the file",
    ranges: "list of {offset, size, what, owner, text}, without gap or overlap",
  };
  static override args = { IMAGEFILE: positional("image file or linux-cr stream; - or nothing for stdin") };
  static override flags = { input: inputFlag };

  async run(): Promise<Answer> {
    const image = openAnyImage(inputPath(this.args.IMAGEFILE, this.flags));
    const isStream = image instanceof LinuxCrImage;
    const ranges = isStream ? dumpStream(image) : dumpImage(image);
    const kind = isStream ? "linux-cr stream" : image.kind?.name;
    const { name, size } = image.source;
    if (this.flags.json) this.printJson({ image: name, file: name, kind, size, ranges });
    else this.printLines(lines(ranges, size));
    return EXIT.ok;
  }
}

const WHAT_WIDTH = "payload".length;

function* lines(ranges: Iterable<DumpRange>, fileSize: number): Generator<string> {
  const digits = Math.max(4, fileSize.toString(16).length);
  const sizeWidth = String(fileSize).length;
  const width = terminalWidth();
  // Each range starts where the one before ended.
  let start = hex(0, digits);
  for (const { offset, size, what, owner, text = "" } of ranges) {
    const end = hex(offset + size, digits);
    const who = text === "" || owner === "" ? `${owner}${text}` : `${owner}  ${text}`;
    const line = `${start}-${end} ${String(size).padStart(sizeWidth)} ${what.padEnd(WHAT_WIDTH)} ${who}`;
    yield width === undefined ? line : cut(escapeText(line), width);
    start = end;
  }
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

function hex(offset: number, digits: number): string {
  return offset.toString(16).padStart(digits, "0");
}
