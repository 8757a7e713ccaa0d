import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inFlag, inputPath } from "../src/cli/image-file.js";
import { ownRecordsTexts } from "../src/cli/own-records.js";
import {
  type ImageInfo,
  imageInfo,
  LinuxCrImage,
  openAnyImage,
  type StreamInfo,
  streamInfo,
} from "../src/index.js";

export default class Info extends BaseCommand<typeof Info> {
  static override summary = "say what an image file is and how many records it has";
  static override description =
    `Like crit info, but payloads between the records do not upset the count. Raw images (memory pages, the output of ip
and iptables) have no magic and no records; what they are is told by their names.

Of a linux-cr stream it tells the revision of the format, the kernel, how many records, tasks and objects there are, and
exactly where it ends, also when it is cut off (exit status 2).`;
  static override examples = [
    "<%= config.bin %> info fixtures/criu/logger/files.img",
    "<%= config.bin %> info --json fixtures/criu/logger/core-1000.img",
    { description: "a linux-cr stream", command: "<%= config.bin %> info fixtures/linux-cr/minimal.ckpt" },
  ];
  static override json = {
    file: "path as given, or stdin",
    kind: "crimg's name of the kind, or linux-cr stream",
    about: "what images of that kind hold",
    magic: "crit's name of it; absent for raw images",
    count: "records; absent for raw images",
    size: "bytes of the file",
    payloadSize: "bytes between the records, padding included",
    envelope: "V1 (criu before 1.6, and every inventory) or V1.1",
    byteOrder: "little-endian or big-endian",
    belongsTo: "{what, id}: what the number in the file name counts, and the number",
    since: "CRIU release that brought the kind",
    isOld: "true when criu no longer writes it",
    "architecture, kernel, time": "of a stream: the machine, and when it was taken",
    revisions: "of a stream: list of {commit, label, date}, the revisions of the format that fit",
    doubts: "of a stream: what does not fit them",
    "tasks, objects, unknown": "of a stream: how many there are, unknown records counted apart",
    dialect: "of a stream: records of crimg's own dialect, {name: count}; absent without any",
    extensions:
      "of a stream: {version, writer, records, unknown}, crimg's extension records by name, later ones by id; absent without any",
    ending: "of a stream: {kind, offset, rest}, where it ends and how many bytes stand behind",
    problem: "of a stream: what is wrong at its end",
  };
  static override args = { IMAGEFILE: positional("image file or linux-cr stream; - or nothing for stdin") };
  static override flags = { in: inFlag };

  async run(): Promise<Answer> {
    const image = openAnyImage(inputPath(this.args.IMAGEFILE, this.flags));
    if (image instanceof LinuxCrImage) return this.#stream(streamInfo(image));
    const info = imageInfo(image);
    if (this.flags.json) this.printJson(info);
    else this.printLines(lines(info));
    return EXIT.ok;
  }

  /** A stream that is cut off is told as far as it goes, but the exit status does not hide it. */
  #stream(info: StreamInfo): Answer {
    if (this.flags.json) this.printJson(info);
    else this.printLines(streamLines(info));
    if (info.problem === undefined) return EXIT.ok;
    this.warn(info.problem);
    process.exitCode = EXIT.trouble;
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
  return rows.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(7)} ${text}`]));
}

function streamLines(info: StreamInfo): string[] {
  const { count, size, byteOrder, architecture, revisions, doubts, kernel, tasks, objects, ending } = info;
  const rows: [string, string | undefined][] = [
    ["file", info.file],
    ["kind", `${info.kind}, ${[...ownRecordsTexts(info.dialect, info.extensions)].join("; ")}`],
    ["format", revisions.map(({ label, commit }) => `${label} (${commit})`).join(" or ")],
    ["doubts", doubts.length === 0 ? undefined : doubts.join("; ")],
    ["kernel", kernel.join(" ")],
    ["taken", new Date(Number(info.time % 100_000_000_000n) * 1000).toISOString()],
    ["machine", `${architecture}, ${byteOrder}`],
    ["count", `${count} records, ${tasks} tasks, ${objects} objects`],
    ["unknown", info.unknown === 0 ? undefined : `${info.unknown} records`],
    ["size", `${size} bytes`],
    ["end", `${ENDINGS[ending.kind] ?? ending.kind} at ${ending.offset}, ${ending.rest} bytes behind`],
  ];
  return rows.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(7)} ${text}`]));
}

const ENDINGS: Readonly<Record<string, string>> = {
  tail: "TAIL",
  "no tail": "without TAIL",
  truncated: "cut off",
  damaged: "damaged",
};
