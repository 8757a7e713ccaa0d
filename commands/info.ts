import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { inputFlag, inputPath } from "../src/cli/image-file.js";
import { MANY_FLAGS, manyImages } from "../src/cli/many/flags.js";
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
  static override summary = "show the kind of an image file and its number of records";
  static override description =
    `Like crit info, but payloads between records are not counted as records. Raw images (memory pages, the output of ip and
iptables) have no magic and no records; they are identified by name.

For a linux-cr stream it shows the revision of the format, the kernel, the numbers of records, tasks and objects, and the
offset at which it ends, also if it is truncated (exit status 2).`;
  static override examples = [
    "<%= config.bin %> info example/logger/files.img",
    "<%= config.bin %> info --json example/logger/core-1000.img",
    { description: "a linux-cr stream", command: "<%= config.bin %> info example/minimal.ckpt" },
  ];
  static override json = {
    image: "path as given, or stdin",
    file: "the same, an older name",
    kind: "crimg's name of the kind, or linux-cr stream",
    about: "what images of this kind hold",
    magic: "crit's name of it; absent for raw images",
    count: "records; absent for raw images",
    size: "bytes of the file",
    payloadSize: "bytes between the records, padding included",
    envelope: "V1 (criu before 1.6, and every inventory) or V1.1",
    byteOrder: "little-endian or big-endian",
    belongsTo: "{what, id}: what the number in the file name identifies, and the number",
    since: "first CRIU release with this kind",
    isOld: "true if criu no longer writes it",
    "architecture, kernel, time": "of a stream: the machine, and the time of the checkpoint",
    revisions: "of a stream: list of {commit, label, date}, the revisions of the format that match",
    doubts: "of a stream: what does not match them",
    "tasks, objects, unknown": "of a stream: how many; unknown records are counted separately",
    dialect: "of a stream: its records that only crimg writes, {name: count}; absent if none",
    extensions:
      "of a stream: {version, writer, records, unknown}, its crimg extension records by name, those of later versions by id; absent if none",
    ending: "of a stream: {kind, offset, rest}, where it ends and how many bytes follow",
    problem: "of a stream: what is wrong at its end",
  };
  static override args = {
    IMAGEFILE: positional("image file or linux-cr stream; - or nothing for stdin; several may be given"),
  };
  static override many = manyImages(["shown", "not found", "failed"]);
  static override flags = { ...MANY_FLAGS, input: inputFlag };

  async run(): Promise<Answer> {
    const image = openAnyImage(inputPath(this.args.IMAGEFILE, this.flags));
    if (image instanceof LinuxCrImage) return this.#stream(streamInfo(image));
    const info = imageInfo(image);
    if (this.flags.json) this.printJson({ image: info.file, ...info });
    else this.printLines(lines(info));
    return EXIT.ok;
  }

  /** A truncated stream is shown as far as it goes; the exit status reports it. */
  #stream(info: StreamInfo): Answer {
    if (this.flags.json) this.printJson({ image: info.file, ...info });
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
    ["magic", info.magic ?? "none (criu copies this file as it is)"],
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
    ["end", `${ENDINGS[ending.kind] ?? ending.kind} at ${ending.offset}, followed by ${ending.rest} bytes`],
  ];
  return rows.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(7)} ${text}`]));
}

const ENDINGS: Readonly<Record<string, string>> = {
  tail: "TAIL",
  "no tail": "without TAIL",
  truncated: "truncated",
  damaged: "damaged",
};
