import { string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg, positional } from "../src/cli/flags.js";
import { readInput } from "../src/cli/input.js";
import { plural } from "../src/cli/units.js";
import {
  MAX_KEY_BYTES,
  MAX_SEAL_BYTES,
  openDocument,
  type SealDifference,
  type SealVerdict,
  UsageError,
  verifySeal,
} from "../src/index.js";

const MAX_SHOWN = 20;

export default class Verify extends BaseCommand<typeof Verify> {
  static override summary = "compare an image with a seal, and name what differs";
  static override description =
    `Reads an image through and compares it with what crimg seal wrote: files that are missing or were added, and of changed
files the records, or ranges of bytes where there are none. With --key the seal must have a signature by that key; without
it nothing tells who made the seal. With --previous it must follow that seal.

Exit status: 0 the image is as it was sealed, 1 it differs, or the signature or chain is not right, 2 trouble.`;
  static override examples = [
    {
      description: "whether anything has changed",
      command:
        "<%= config.bin %> seal example/logger -o s.json && <%= config.bin %> verify example/logger s.json",
    },
  ];
  static override json = {
    verified: "whether all is as it should be",
    differences:
      "list of {file, what: missing, added, changed or size changed, part: header, record N or range of bytes}",
    signed: "with --key: whether the seal has a signature by that key",
    follows: "with --previous: whether it follows that seal",
    seal: "{whole, time, tool, command, previous}",
  };
  static override args = { IMG: imageArg, SEAL: positional("file that crimg seal wrote") };
  static override flags = {
    key: string({ description: "Ed25519 public key that must have signed it", helpValue: "KEY.pem" }),
    previous: string({ description: "the seal that it must follow", helpValue: "SEAL" }),
  };

  async run(): Promise<Answer> {
    const { key, previous, json } = this.flags;
    const { SEAL: file } = this.args;
    if (file === undefined) throw new UsageError("missing SEAL: crimg verify IMG SEAL");
    const document = openDocument(this.image, this.looking);
    try {
      const verdict = verifySeal(document, {
        ...{ bytes: readInput(file, MAX_SEAL_BYTES), name: file },
        publicKey: key === undefined ? undefined : readInput(key, MAX_KEY_BYTES),
        previous: previous === undefined ? undefined : readInput(previous, MAX_SEAL_BYTES),
      });
      const { differences, isSigned, follows, seal } = verdict;
      const isRight = differences.length === 0 && isSigned !== false && follows !== false;
      const { files, ...rest } = seal;
      if (json) this.printJson({ verified: isRight, differences, signed: isSigned, follows, seal: rest });
      else this.#tell(verdict, isRight, file);
      return this.answering(isRight ? EXIT.ok : EXIT.no);
    } finally {
      document.close();
    }
  }

  #tell({ differences, isSigned, follows, seal }: SealVerdict, isRight: boolean, file: string): void {
    for (const each of differences.slice(0, MAX_SHOWN)) this.print(lineOf(each));
    const more = differences.length - MAX_SHOWN;
    if (more > 0) this.print(`${more} more differences`);
    if (isSigned === false) this.print(`${file} has no signature by that key`);
    if (follows === false) this.print(`${file} does not follow that seal`);
    if (isRight)
      this.print(`${this.image} is as it was sealed at ${seal.time}: ${plural(seal.files.length, "file")}`);
    if (isSigned === undefined) this.note("note: without --key nothing tells who made the seal");
  }
}

function lineOf({ file, what, part }: SealDifference): string {
  return part === undefined ? `${file}: ${what}` : `${file}: ${what}: ${part}`;
}
