import { boolean, integer } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { pidFlag, positional } from "../src/cli/flags.js";
import { grepJson, grepLine } from "../src/cli/grep-lines.js";
import { plural } from "../src/cli/units.js";
import {
  type GrepHit,
  type GrepOptions,
  grep,
  isCrimgError,
  lookAt,
  openDocument,
  searchable,
  targetsOf,
  type Unsearched,
  UsageError,
} from "../src/index.js";

const MAX_CONTEXT = 4096;
const MAX_ERRORS = 10;

interface ImageHit {
  readonly image: string;
  readonly hit: GrepHit;
}

export default class Grep extends BaseCommand<typeof Grep> {
  static override summary =
    "search memory, queues and deleted files for a text, bytes or a regular expression";
  static override description =
    `Searches what images store: the memory of tasks (arguments and environment too) and memory that they share, each page once,
also of parent sets and compressed; what pipes, sockets and message queues hold; contents of deleted files. PATTERN is
a text, also across pages. Each match is printed with its place: task, address, mapping, and file of the image with offset; or the
queue or file. crimg find searches the fields of records.

A regular expression (-e) is one of JavaScript over bytes: other characters than ASCII are their UTF-8, ^ and $ are the start
and end of lines, and a match has at most 8 KiB where a window of the search ends. One that takes more than five seconds on
parts of the image is an error.

Not searched: memory that is not in the image (contents of mapped files, pages that were never touched or were left in the
dumped task), file systems in images (tmpfs), and the root file system and logs in archives.

Exit status: 0 found, 1 not found, 2 trouble (also if only a part could be searched).`;
  static override examples = [
    { description: "where a text stands", command: "<%= config.bin %> grep HOME= example/logger" },
    {
      description: "a regular expression over the memory of one task",
      command: "<%= config.bin %> grep -e 'PATH=[^\\0]+' -p 1000 example/logger",
    },
    {
      description: "bytes, ? for any digit",
      command: "<%= config.bin %> grep -x '7f 45 4c 46 0?' example/logger",
    },
    {
      description: "texts of at least 12 characters that name a path",
      command: "<%= config.bin %> grep --strings 12 / example/logger",
    },
  ];
  static override strict = false;
  static override json = {
    "(lines)": "one object a line, one for each match:",
    image: "path as given",
    in: "memory, shared memory, pipe, fifo, received by socket, unsent by socket, deleted file, message queue, SysV segment",
    name: "of the mapping, file, socket or queue",
    pid: "of memory: the task; comm, address, permissions, area (arguments or environment) too; of shared memory those of the first mapping",
    alsoAt: "of shared memory: list of {pid, address}, other mappings, at most 16",
    segment: "of shared memory: its number",
    offset: "in the segment, queue or file; message too, the number of the message",
    file: "file of the image; fileOffset in it, of its block if compressed is true; level: 0, or which parent set",
    encoding: "utf-8, utf-16le or bytes",
    length: "bytes of the match",
    match: "the match, as text, of bytes in hexadecimal; before and after the same of what is around it",
  };
  static override args = {
    PATTERN: positional("what to search for: a text, unless -e or -x"),
    IMG: positional("image directory, archive, or linux-cr stream; several may be given"),
  };
  static override flags = {
    regex: boolean({
      char: "e",
      description: "PATTERN is a regular expression",
      exclusive: ["hex", "utf16"],
    }),
    hex: boolean({
      char: "x",
      description: "PATTERN is bytes in hexadecimal, ? for any digit",
      exclusive: ["ignore-case", "strings", "utf16"],
    }),
    "ignore-case": boolean({ char: "i", description: "ignore case" }),
    utf16: boolean({ description: "search for the text in UTF-16 (little-endian) too" }),
    strings: integer({
      description:
        "print whole texts of at least N printable characters with PATTERN in them, which may be empty",
      helpValue: "N",
      min: 1,
      max: MAX_CONTEXT,
    }),
    context: integer({
      char: "C",
      description: "print N bytes before and after a match [default: the text around it]",
      helpValue: "N",
      min: 0,
      max: MAX_CONTEXT,
    }),
    "max-count": integer({
      char: "m",
      description: "stop after N matches in an image",
      helpValue: "N",
      min: 1,
    }),
    pid: pidFlag,
  };
  #hadTrouble = false;

  async run(): Promise<Answer> {
    const { json, regex, hex, utf16, strings, context, "ignore-case": ignoreCase } = this.flags;
    const { pattern, images } = this.#asked();
    const options: GrepOptions = { regex, hex, utf16, strings, ignoreCase, context };
    targetsOf(pattern, options);
    let found = 0;
    const count = function* (all: Iterable<ImageHit>): Generator<ImageHit> {
      for (const hit of all) {
        found++;
        yield hit;
      }
    };
    const hits = count(this.#hits(pattern, images, options));
    if (json) this.printJsonLines(mapped(hits, ({ hit, image }) => grepJson(hit, image)));
    else {
      const { style } = this;
      const isOne = images.length === 1;
      this.printLines(mapped(hits, ({ hit, image }) => grepLine(hit, isOne ? undefined : image, style)));
    }
    if (this.#hadTrouble) process.exitCode = EXIT.trouble;
    return found > 0 ? EXIT.ok : EXIT.no;
  }

  *#hits(pattern: string, images: readonly string[], options: GrepOptions): Generator<ImageHit> {
    for (const image of images)
      try {
        yield* this.#inImage(pattern, image, options);
      } catch (error) {
        if (!isCrimgError(error) || error.code === "USAGE" || images.length === 1) throw error;
        this.#trouble(error);
      }
  }

  *#inImage(pattern: string, image: string, options: GrepOptions): Generator<ImageHit> {
    const document = openDocument(image, this.looking);
    try {
      const { answer, damage } = lookAt([document], (read) => searchable(read.checkpoint, this.flags.pid));
      const unsearched: Unsearched = { lazy: 0, missing: 0, errors: [...damage] };
      let left = this.flags["max-count"] ?? Number.POSITIVE_INFINITY;
      for (const hit of grep(answer, pattern, { options, unsearched })) {
        yield { image, hit };
        if (--left === 0) break;
      }
      this.#tell(unsearched);
    } finally {
      document.close();
    }
  }

  #tell({ lazy, missing, errors }: Unsearched): void {
    for (const error of errors.slice(0, MAX_ERRORS)) this.#trouble(error);
    if (errors.length > MAX_ERRORS) this.warn(`${errors.length - MAX_ERRORS} more parts could not be read`);
    if (lazy > 0)
      this.note(`note: ${plural(lazy, "page")} left in the dumped task for lazy migration not searched`);
    if (missing === 0) return;
    this.#hadTrouble = true;
    this.warn(`${plural(missing, "page")} missing in the parent sets not searched`);
  }

  #trouble(error: Error): void {
    this.#hadTrouble = true;
    this.warn(error);
  }

  /** The pattern, and all images; only the first has a name, and -D is one. */
  #asked(): { readonly pattern: string; readonly images: readonly string[] } {
    const [pattern, ...named] = this.words;
    if (pattern === undefined) throw new UsageError("missing PATTERN: crimg grep PATTERN IMG");
    const directory = this.flags["images-dir"];
    const images = directory === undefined ? named : [directory, ...named];
    if (images.length === 0) throw new UsageError("missing IMG: crimg grep PATTERN IMG");
    return { pattern, images };
  }
}

function* mapped<T, U>(all: Iterable<T>, to: (each: T) => U): Generator<U> {
  for (const each of all) yield to(each);
}
