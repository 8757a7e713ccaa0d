import path from "node:path";
import { boolean } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imagesArg, positional } from "../src/cli/flags.js";
import { MANY_FLAGS, manyImages } from "../src/cli/many/flags.js";
import {
  type CrimgError,
  type CriuImage,
  findInImage,
  findInStream,
  isCrimgError,
  LinuxCrImage,
  type Match,
  type Matcher,
  matcherOf,
  openAnyImage,
  openImages,
  openStreamFile,
  UsageError,
} from "../src/index.js";

const NOT_SEARCHED =
  "memory, contents of deleted files and data in queues were not searched: crimg grep TEXT IMG searches them";

export default class Find extends BaseCommand<typeof Find> {
  static override summary = "search all fields of an image for a text, number or address";
  static override description =
    `Searches every decoded field of an image directory, an image file or a linux-cr stream. Texts and bytes match if they
contain TEXT; numbers if they are equal to it (decimal or 0x); IP addresses in any notation; flags and enum values by name.
Memory, contents of deleted files and data in queues are not searched: crimg grep does that.

Exit status: 0 found, 1 not found, 2 trouble (also if only some of the images could be read).`;
  static override examples = [
    {
      description: "fields that mention a directory",
      command: "<%= config.bin %> find example/logger /var/lib",
    },
    {
      description: "fields that hold a number",
      command: "<%= config.bin %> find example/locks 0x1",
    },
    {
      description: "by regular expression, ignoring case",
      command: "<%= config.bin %> find --regex -i example/logger 'LOGGER$'",
    },
  ];
  static override json = {
    matches:
      "list of {image, record, path, value, text}: file name, record index, field, and the value as stored (bytes in base64, addresses as words) and as text",
  };
  static override many = manyImages(["with matches", "without", "failed"], (words) => words.length - 1);
  static override args = { IMG: imagesArg, TEXT: positional("text, number or address to search for") };
  static override flags = {
    ...MANY_FLAGS,
    fixed: boolean({ description: "TEXT is text, even if it looks like a number or an address" }),
    regex: boolean({ description: "TEXT is a regular expression", exclusive: ["fixed"] }),
    "ignore-case": boolean({ char: "i", description: "ignore case" }),
  };
  #hadTrouble = false;

  async run(): Promise<Answer> {
    const { fixed, regex, json, "ignore-case": ignoreCase } = this.flags;
    const { TEXT } = this.args;
    if (TEXT === undefined)
      throw new UsageError("missing TEXT: crimg find IMG TEXT, or crimg find -D DIR TEXT");
    const matcher = matcherOf(TEXT, { fixed, regex, ignoreCase });
    const matches = this.#matches(matcher);
    let found = 0;
    const counted = count(matches, () => {
      found++;
    });
    if (json) this.printJson({ matches: counted });
    else this.printLines(lines(counted));
    if (found === 0) this.note(`note: ${NOT_SEARCHED}`);
    if (this.#hadTrouble) process.exitCode = EXIT.trouble;
    return found > 0 ? EXIT.ok : EXIT.no;
  }

  *#matches(matcher: Matcher): Generator<ImageMatch> {
    const trouble = (error: CrimgError): void => {
      this.#hadTrouble = true;
      this.warn(error);
    };
    for (const image of this.#images(trouble)) {
      try {
        yield* inImage(image, matcher);
      } catch (error) {
        if (!isCrimgError(error) || error.code === "USAGE") throw error;
        trouble(error);
      }
    }
  }

  /** A single file may be a linux-cr stream, and stdin only that. */
  *#images(trouble: (error: CrimgError) => void): Generator<CriuImage | LinuxCrImage> {
    const stream = this.image === "-" ? openAnyImage(undefined) : openStreamFile(this.image);
    if (stream === undefined) yield* openImages(this.image, trouble, this.opening);
    else yield stream;
  }
}

interface ImageMatch extends Match {
  readonly image: string;
}

function* inImage(image: CriuImage | LinuxCrImage, matcher: Matcher): Generator<ImageMatch> {
  if (image instanceof LinuxCrImage) {
    for (const match of findInStream(image, matcher)) yield { image: path.basename(image.name), ...match };
    return;
  }
  for (const match of findInImage(image, matcher)) yield { image: image.fileName, ...match };
}

function* count<T>(items: Iterable<T>, each: () => void): Generator<T> {
  for (const item of items) {
    each();
    yield item;
  }
}

function* lines(matches: Iterable<ImageMatch>): Generator<string> {
  for (const { image, record, path, text } of matches) yield `${image}[${record}].${path} = ${text}`;
}
