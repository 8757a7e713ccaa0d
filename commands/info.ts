import { BaseCommand } from "../src/cli/base-command.js";
import { escapeText } from "../src/cli/escape.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inFlag, inputPath, openInput } from "../src/cli/image-file.js";
import { type ImageInfo, imageInfo } from "../src/index.js";

export default class Info extends BaseCommand<typeof Info> {
  static override summary = "say what an image file is and how many records it has";
  static override description = `Like crit info, but payloads between the records do not upset the count.

The JSON answer has file, kind, about, magic and count (as crit has them), size and payloadSize in bytes, envelope
("V1", "V1.1"), byteOrder, belongsTo {what, id}, since (the CRIU release) and isOld. Raw images have no magic and count.`;
  static override examples = [
    "<%= config.bin %> info fixtures/criu/logger/files.img",
    "<%= config.bin %> info --json fixtures/criu/logger/core-1000.img",
  ];
  static override args = { IMAGEFILE: positional("image file; - or nothing for stdin") };
  static override flags = { in: inFlag };

  async run(): Promise<Answer> {
    const info = imageInfo(openInput(inputPath(this.args.IMAGEFILE, this.flags)));
    if (this.flags.json) this.printJson(info);
    else this.printLines(lines(info));
    return EXIT.ok;
  }
}

function lines(info: ImageInfo): string[] {
  const { kind, about, count, size, payloadSize, envelope, byteOrder, belongsTo, since, isOld } = info;
  const rows: [string, string | undefined][] = [
    ["file", info.file],
    ["kind", kind === undefined ? undefined : `${kind}: ${about}`],
    ["magic", info.magic ?? "none: criu copies this file as it is"],
    ["count", count === undefined ? undefined : String(count)],
    ["size", `${size} bytes${payloadSize ? `, ${payloadSize} of them payload` : ""}`],
    ["format", envelope === undefined ? undefined : `${envelope}, ${byteOrder}`],
    ["of", belongsTo === undefined ? undefined : `${belongsTo.what} ${belongsTo.id}`],
    ["since", since === undefined ? undefined : `criu ${since}${isOld ? ", no longer written" : ""}`],
  ];
  return rows.flatMap(([name, text]) =>
    text === undefined ? [] : [`${name.padEnd(7)} ${escapeText(text)}`],
  );
}
