import { boolean, string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { damageJson } from "../src/cli/failure.js";
import { imageArg, pidFlag, withOptionalValue } from "../src/cli/flags.js";
import { hexdumpLines } from "../src/cli/hexdump.js";
import { memoryLines } from "../src/cli/memory-lines.js";
import { terminalWidth } from "../src/cli/output.js";
import { writeOutput } from "../src/cli/output-file.js";
import {
  type ChosenMemory,
  chooseMemory,
  type Document,
  hex,
  lookAt,
  MAX_MEMORY_READ_BYTES,
  memoryContents,
  memoryView,
  openDocument,
  parseAddress,
  UsageError,
  type Wanted,
} from "../src/index.js";

export default class Memory extends BaseCommand<typeof Memory> {
  static override summary = "show what is stored of the memory of tasks, and extract it";
  static override description =
    `Shows by task and mapping how much memory is stored in the image, stored in parent sets, left in the dumped task (lazy),
missing in the parent sets, zero (never touched, or all zeros), and not in the image at all: contents of mapped files and
memory of the kernel. Memory that tasks share is stored once and listed once. Pages are not read.

With --map and -o, one mapping is written as it was: pages in parent sets, compressed and shared ones too; zeros become holes
of the file. With --hexdump, memory is shown as hexdump -C does it; without LEN, 256 bytes.

Exit status: 0 done; 1 no such task or mapping; 2 trouble, such as memory that is not in the image.`;
  static override examples = [
    { description: "what is stored", command: "<%= config.bin %> memory example/logger" },
    {
      description: "write the heap to a file",
      command: "<%= config.bin %> memory example/logger --map '[heap]' -o heap.bin",
    },
    {
      description: "show the stack in hexadecimal",
      command: "<%= config.bin %> memory example/logger -p 1000 --map '[stack]' --hexdump",
    },
  ];
  static override json = {
    pageSize: "bytes of a page; all counts are pages",
    total: "{stored, inParent, lazy, missing, zero, elsewhere} of all below, shared memory once",
    tasks:
      "list of {pid, comm, sharesWith: task with the same address space, listed before, the counts, mappings: {start, end, size, permissions, kind, name, shared, the counts}}; those of a task are without shared memory",
    segments: "shared memory: list of {segment, name, the counts, mappedBy: {pid, start}}",
    damage:
      "list of {code, file, offset, path, message}: parts that could not be read; absent if there are none",
    memory:
      "with --hexdump instead of all these: {pid, comm, name, start, end, bytes in base64, filled: bytes that --zeros made}; with -o the same without bytes",
  };
  static override args = { IMG: imageArg };
  static override flags = {
    pid: pidFlag,
    map: string({
      description: "one mapping: its name as it is listed, or an address in it",
      helpValue: "NAME|ADDR",
    }),
    hexdump: string({
      description: "show memory in hexadecimal: from an address on, or the mapping of --map",
      helpValue: "[ADDR[,LEN]]",
    }),
    output: string({
      char: "o",
      aliases: ["out"],
      description: "file for the mapping; - for stdout",
      helpValue: "FILE",
    }),
    zeros: boolean({
      description: "zeros in the place of memory that is not in the image, which is an error otherwise",
    }),
  };

  override async init(): Promise<void> {
    this.argv = withOptionalValue(this.argv, "--hexdump", (word) => /^\d/.test(word));
    await super.init();
  }

  async run(): Promise<Answer> {
    const { map, hexdump, output, zeros, json, pid: pids } = this.flags;
    if (map === undefined && output !== undefined)
      throw new UsageError("missing --map: -o writes one mapping");
    if (output !== undefined && hexdump !== undefined)
      throw new UsageError("-o and --hexdump are mutually exclusive");
    const wanted = wantedOf(map, hexdump);
    if (output === "-" && json) throw new UsageError("--json and -o - both write to stdout");
    if (wanted === undefined && zeros) throw new UsageError("--zeros needs --map or --hexdump");
    if (wanted !== undefined && output === undefined && hexdump === undefined)
      throw new UsageError("missing -o FILE: where to write the mapping; or --hexdump to show it");
    const document = openDocument(this.image, this.looking);
    try {
      if (wanted !== undefined) return this.#contents(chooseMemory(document, wanted, { pids }));
      return this.#view(document);
    } finally {
      document.close();
    }
  }

  #view(document: Document): Answer {
    const { answer, damage } = lookAt([document], (read) => memoryView(read, { pids: this.flags.pid }));
    if (this.flags.json) this.printJson({ ...answer, ...damageJson(damage) });
    else this.printLines(memoryLines(answer, { style: this.style, width: terminalWidth() }));
    return this.withDamage(damage, EXIT.ok);
  }

  #contents(chosen: ChosenMemory): Answer {
    const { output, zeros, json } = this.flags;
    const filled = new Map<string, bigint>();
    const fill = (bytes: bigint, why: string) => void filled.set(why, (filled.get(why) ?? 0n) + bytes);
    const contents = memoryContents(chosen, zeros ? fill : undefined);
    if (output !== undefined) {
      writeOutput(output, contents);
      if (json) this.printJson({ memory: memoryJson(chosen, filled) });
    } else if (json) {
      if (chosen.end - chosen.start > MAX_JSON_MEMORY_BYTES)
        throw new UsageError(
          `--json shows at most ${MAX_JSON_MEMORY_BYTES} bytes; write them to a file with -o`,
        );
      const bytes = [...contents].map((piece) =>
        Buffer.isBuffer(piece) ? piece : Buffer.alloc(piece.zeros),
      );
      this.printJson({ memory: { ...memoryJson(chosen, filled), bytes: Buffer.concat(bytes) } });
    } else this.printLines(hexdumpLines(chosen.start, contents));
    for (const [why, bytes] of filled) this.note(`note: ${bytes} bytes are zeros here: memory that ${why}`);
    return EXIT.ok;
  }
}

const MAX_JSON_MEMORY_BYTES = 16n * 1024n * 1024n;

/** What --map and --hexdump ask for. Errors: USAGE for what is no address or length. */
function wantedOf(map: string | undefined, hexdump: string | undefined): Wanted | undefined {
  if (map !== undefined) {
    if (hexdump !== undefined && hexdump !== "")
      throw new UsageError(
        "--map and --hexdump ADDR are mutually exclusive; --map NAME --hexdump shows the mapping",
      );
    return { map };
  }
  if (hexdump === undefined) return undefined;
  if (hexdump === "") throw new UsageError("missing address: --hexdump ADDR[,LEN], or --map NAME --hexdump");
  const [place = "", size, ...more] = hexdump.split(",");
  const address = parseAddress(place);
  const length = size === undefined ? undefined : parseAddress(size);
  if (address === undefined || (size !== undefined && !length) || more.length > 0)
    throw new UsageError(
      `invalid --hexdump ${JSON.stringify(hexdump)} (expected ADDR or ADDR,LEN, such as 0x7ffd1000,64)`,
    );
  if (length !== undefined && length > MAX_MEMORY_READ_BYTES)
    throw new UsageError(`invalid length ${length} (expected at most ${MAX_MEMORY_READ_BYTES})`);
  return { address, length: length === undefined ? undefined : Number(length) };
}

function memoryJson({ pid, comm, name, start, end }: ChosenMemory, filled: ReadonlyMap<string, bigint>) {
  const sum = [...filled.values()].reduce((all, bytes) => all + bytes, 0n);
  return { pid, comm, name, start: hex(start), end: hex(end), filled: sum };
}
