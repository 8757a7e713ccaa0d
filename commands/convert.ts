import { tmpdir } from "node:os";
import { isatty } from "node:tty";
import { boolean, option, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg, positional } from "../src/cli/flags.js";
import { writeOutput } from "../src/cli/output-file.js";
import { Progress } from "../src/cli/progress.js";
import {
  ARCHIVE_FORMS,
  type ArchiveForm,
  archiveOf,
  COMPRESSIONS,
  type Conversion,
  chunksOf,
  conversionBytes,
  type Document,
  openDocument,
  planConversion,
  UsageError,
  writeArchive,
  writeConversion,
} from "../src/index.js";

export default class Convert extends BaseCommand<typeof Convert> {
  static override summary =
    "convert a CRIU image set to a linux-cr stream or an archive, or a stream to a set";
  static override description =
    `What both formats can express is converted. What linux-cr never had a record for is written in crimg extension records,
so that a set converted to a stream and back is the same. What the other format cannot express is listed by object, and
nothing is written unless --lossy is given. Memory is copied page by page from the original. The new image appears
complete or not at all, and only its owner can read it.

A set in an archive is taken out of it. --as writes the archive of an engine: podman and cri-o a container archive, oci an
image layout in a tar archive (oci-archive) with such an archive as its layer and the annotations of Podman, CRI-O and
checkpointctl. The files beside the images come with them, or those of --like; a plain set has none.

A stream is one file and works in pipes: - is stdin as IMG and stdout as OUT.

Exit status: 0 converted, 1 something cannot be expressed and --lossy was not given, 2 trouble.`;
  static override examples = [
    {
      description: "a whole set to one file, and back",
      command:
        "<%= config.bin %> convert example/logger /tmp/logger.ckpt && <%= config.bin %> convert /tmp/logger.ckpt /tmp/logger-again",
    },
    {
      description: "take a set out of an archive, and put it back after changes",
      command:
        "<%= config.bin %> convert web.tar DIR && <%= config.bin %> convert DIR new.tar --as podman --like web.tar",
    },
    {
      description: "make an image of an archive",
      command:
        "<%= config.bin %> convert web.tar web-oci.tar --as oci && skopeo copy oci-archive:web-oci.tar docker://REGISTRY/web",
    },
    {
      description: "to another machine, through a pipe",
      command: "<%= config.bin %> convert IMG - | ssh HOST crimg restore -",
    },
  ];
  static override json = {
    from: "criu or linux-cr",
    to: "criu, linux-cr, podman, cri-o or oci",
    losses: "what cannot be expressed: list of {object, what, why}",
    written: "{path, size in bytes}; absent when nothing was written",
  };
  static override args = {
    IMG: imageArg,
    OUT: positional("directory or file to write; - for stdout (streams)"),
  };
  static override flags = {
    as: option({ options: ARCHIVE_FORMS })({
      description: "write an archive that a container engine restores",
      exclusive: ["to"],
    }),
    like: string({
      description: "archive whose other files come with the images: configuration, changed files, volumes",
      helpValue: "ARCHIVE",
      dependsOn: ["as"],
    }),
    compress: option({ options: COMPRESSIONS })({
      description: "compression of the archive [default: none]",
      dependsOn: ["as"],
    }),
    to: option({ options: ["criu", "linux-cr"] as const })({
      description: "format of the new image [default: the other one]",
    }),
    lossy: boolean({ description: "convert even if something cannot be expressed" }),
    force: boolean({ description: "replace an existing file (never a directory)" }),
  };

  async run(): Promise<Answer> {
    const { flags } = this;
    const toStdout = this.#out === "-";
    if (toStdout && isatty(1))
      throw new UsageError("cannot write a binary stream to a terminal; name a file, or use a pipe");
    const document = openDocument(this.image, { ...this.looking, spoolIn: tmpdir() });
    try {
      if (flags.as !== undefined) return this.#writeArchive(document, flags.as);
      const conversion = planConversion(document, flags.to);
      if (toStdout && conversion.to === "criu")
        throw new UsageError("cannot write a CRIU set to stdout; name a directory");
      const isNo = conversion.losses.length > 0 && !flags.lossy;
      const size = isNo ? undefined : this.#write(conversion);
      this.#tell(document.family, conversion, size);
      return isNo ? EXIT.no : EXIT.ok;
    } finally {
      document.close();
    }
  }

  #writeArchive(document: Document, form: ArchiveForm): Answer {
    const { like, compress = "none", force } = this.flags;
    const model = like === undefined ? undefined : openDocument(like, this.looking);
    try {
      const { content, notes } = archiveOf(document, form, compress, model);
      if (this.#out === "-") {
        writeOutput(undefined, Symbol.iterator in content ? content : chunksOf(content));
        for (const note of notes) this.note(`note: ${note}`);
        return EXIT.ok;
      }
      const written = { path: this.#out, size: writeArchive(content, this.#out, force) };
      if (this.flags.json) this.printJson({ from: document.family, to: form, losses: [], written });
      else this.print(`wrote ${written.path} (${form}, ${written.size} bytes)`);
      for (const note of notes) this.note(`note: ${note}`);
      return EXIT.ok;
    } finally {
      model?.close();
    }
  }

  get #out(): string {
    const { OUT } = this.args;
    if (OUT === undefined) throw new UsageError("missing OUT: name the new image, or - for stdout");
    return OUT;
  }

  #write(conversion: Conversion): number {
    const OUT = this.#out;
    const progress = new Progress("writing");
    const onWritten = (done: number, total: number) => progress.at(done, total);
    try {
      if (OUT !== "-" || conversion.to === "criu")
        return writeConversion(conversion, OUT, this.flags.force, onWritten);
      writeOutput(undefined, conversionBytes(conversion.stream, onWritten));
      return conversion.stream.size;
    } finally {
      progress.end();
    }
  }

  #tell(from: string, { to, losses }: Conversion, size: number | undefined): void {
    const OUT = this.#out;
    const written = size === undefined ? undefined : { path: OUT, size };
    if (OUT !== "-" && this.flags.json) {
      this.printJson({ from, to, losses, written });
      return;
    }
    const tell = (text: string): void => (OUT === "-" ? this.note(text) : this.print(text));
    for (const { object, what, why } of losses) tell(`${object}: ${what} (${why})`);
    if (size === undefined)
      this.note(
        `${losses.length} ${losses.length === 1 ? "loss" : "losses"}; nothing was written (convert anyway with --lossy)`,
      );
    else if (OUT !== "-") this.print(`wrote ${OUT} (${to}, ${size} bytes)`);
  }
}
