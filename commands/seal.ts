import { string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import { readInput } from "../src/cli/input.js";
import { writeOutput } from "../src/cli/output-file.js";
import { plural } from "../src/cli/units.js";
import {
  MAX_KEY_BYTES,
  MAX_SEAL_BYTES,
  openDocument,
  sealImage,
  shellCommand,
  UsageError,
} from "../src/index.js";

export default class SealCommand extends BaseCommand<typeof SealCommand> {
  static override summary = "write digests of an image, of all its files and records, as evidence";
  static override description =
    `Writes SHA-256 digests of each file of an image and of each of its records, of the whole, the time, and how crimg was
called, to a file that crimg verify compares the image with. Keep it elsewhere: whoever can write both can seal anew. Parent
sets are images of their own, and of an archive the set in it is sealed.

The file is a DSSE envelope around an in-toto statement, whose subjects are the files, as sha256sum prints them. With --sign
it has an Ed25519 signature: openssl genpkey -algorithm ed25519 -out key.pem makes a key, and openssl pkey -in key.pem -pubout
its public half. --previous chains it to the seal before.

Exit status: 0 written, 2 trouble.`;
  static override examples = [
    { description: "seal an image", command: "<%= config.bin %> seal example/logger -o logger.seal" },
    {
      description: "and what became of it",
      command:
        "<%= config.bin %> seal example/logger -o first.seal && <%= config.bin %> seal example/logger --previous first.seal -o next.seal",
    },
  ];
  static override json = {
    output: "the file",
    seal: "{whole: SHA-256 of all files, time, tool, command, previous, files: list of {name, size, sha256, records}}",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    output: string({
      char: "o",
      aliases: ["out"],
      description: "file to write; - for stdout",
      helpValue: "FILE",
    }),
    sign: string({ description: "sign with this Ed25519 private key", helpValue: "KEY.pem" }),
    previous: string({ description: "the seal before this one", helpValue: "SEAL" }),
  };

  async run(): Promise<Answer> {
    const { output, sign, previous, json } = this.flags;
    if (output === undefined) throw new UsageError("missing -o FILE: where to write the seal");
    if (output === "-" && json) throw new UsageError("--json and -o - both write to stdout");
    const document = openDocument(this.image, this.looking);
    try {
      const { seal, bytes } = sealImage(document, {
        tool: `crimg ${this.config.version}`,
        command: shellCommand(["crimg", "seal", ...this.argv]),
        privateKey: sign === undefined ? undefined : readInput(sign, MAX_KEY_BYTES),
        previous: previous === undefined ? undefined : readInput(previous, MAX_SEAL_BYTES),
      });
      writeOutput(output, [bytes]);
      const { files, ...rest } = seal;
      const shown = files.map(({ name, size, sha256, records }) => ({ name, size, sha256, records }));
      if (json) this.printJson({ output, seal: { ...rest, files: shown } });
      else if (output !== "-")
        this.print(`${output}: seal of ${plural(files.length, "file")}, ${seal.whole}`);
      return EXIT.ok;
    } finally {
      document.close();
    }
  }
}
