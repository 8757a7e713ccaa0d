import { integer, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { imageArg } from "../src/cli/flags.js";
import { writeOutput } from "../src/cli/output-file.js";
import { plural, sizeText } from "../src/cli/units.js";
import { type Core as CoreFile, type CoreReader, coreOf, openDocument, UsageError } from "../src/index.js";

const READERS: readonly CoreReader[] = ["gdb", "volatility"];

export default class Core extends BaseCommand<typeof Core> {
  static override summary = "write an ELF core file of a task, for a debugger";
  static override description =
    `Writes what gdb's gcore would have written of the task: registers of every thread (its leader is the first), signals, the
auxiliary vector, mapped files, and memory at its addresses, also that of parent sets, compressed and shared. It works for
every architecture of an image, whatever this machine is; gdb (for another architecture gdb-multiarch) opens it as
gdb PROGRAM CORE.

Contents of mapped files are not in an image: such memory has no bytes in the core, and gdb reads it from the files. Memory
that was never touched is a hole of the file; reserves of more than 256 MiB of it, and those that nobody may access, have no
bytes. With --for volatility only memory with bytes is written, with its address as the physical one too.

A thread that was in a system call stands at its instruction, where criu sets it for a restart. Not in the core: times,
shadow stacks, transactional registers of Power, tiles of AMX, and the floating point of Power in a linux-cr stream.

Exit status: 0 written, 1 no such task, 2 trouble (also if memory is missing in parent sets; the rest is written).`;
  static override examples = [
    { description: "the only task", command: "<%= config.bin %> core example/logger -o logger.core" },
    {
      description: "of a task, for volatility",
      command: "<%= config.bin %> core example/logger -p 1000 --for volatility -o logger.elf",
    },
  ];
  static override json = {
    core: "{pid, comm, architecture, threads, segments, empty: segments without bytes, size in bytes with holes}",
    lazy: "pages left in the dumped task",
    missing: "pages missing in the parent sets",
    output: "the file",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    pid: integer({ char: "p", min: 1, description: "the task, if the image has several", helpValue: "PID" }),
    output: string({
      char: "o",
      aliases: ["out"],
      description: "file to write; - for stdout",
      helpValue: "FILE",
    }),
    for: string({
      description: "who reads it",
      options: [...READERS],
      default: "gdb",
    }),
  };

  async run(): Promise<Answer> {
    const { pid, output, json } = this.flags;
    if (output === undefined) throw new UsageError("missing -o FILE: where to write the core");
    if (output === "-" && json) throw new UsageError("--json and -o - both write to stdout");
    const document = openDocument(this.image, this.looking);
    try {
      const core = coreOf(document, { pid, reader: this.flags.for as CoreReader });
      writeOutput(output, core.contents());
      const { lazy, missing, contents, ...rest } = core;
      if (json) this.printJson({ core: rest, lazy, missing, output });
      else if (output !== "-") this.print(lineOf(core, output));
      if (lazy > 0) this.note(`note: ${plural(lazy, "page")} left in the dumped task are not in the core`);
      if (missing > 0) this.warn(`${plural(missing, "page")} missing in the parent sets are not in the core`);
      if (missing > 0) process.exitCode = EXIT.trouble;
      return EXIT.ok;
    } finally {
      document.close();
    }
  }
}

function lineOf({ pid, comm, architecture, threads, segments, size }: CoreFile, output: string): string {
  return `${output}: core of [${pid}] ${comm}, ${architecture}, ${plural(threads, "thread")}, ${plural(segments, "segment")}, ${sizeText(size)}`;
}
