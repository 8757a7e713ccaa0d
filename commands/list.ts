import fs from "node:fs";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { positional } from "../src/cli/flags.js";
import { sizeText } from "../src/cli/units.js";
import { KUBELET_DIRECTORIES, type ListedCheckpoint, listCheckpoints } from "../src/index.js";

export default class List extends BaseCommand<typeof List> {
  static override summary = "list the checkpoints in a directory";
  static override description =
    `Lists files and directories that are checkpoints by their content: image sets, linux-cr streams, archives and directories of
container engines. Others are passed over. Without DIR, the directories of the kubelet: ${KUBELET_DIRECTORIES.join(" and ")}.
Of a compressed archive only the beginning is read.

Exit status: 0 listed, 1 none found, 2 trouble, such as a damaged archive, which is listed too.`;
  static override examples = [
    { description: "what the kubelet has checkpointed", command: "<%= config.bin %> list" },
    { description: "what lies in a directory", command: "<%= config.bin %> list example" },
    { description: "the same as JSON", command: "<%= config.bin %> list example --json" },
  ];
  static override strict = false;
  static override json = {
    checkpoints:
      "list of {path, form, compression, size in bytes, modified, name, id, image, engine, pod, namespace, checkpointed, problem}; what is not known is absent",
  };
  static override args = { DIR: positional("directory, or one checkpoint; several may be given") };

  async run(): Promise<Answer> {
    const named = await this.#places();
    const places = named.length > 0 ? named : KUBELET_DIRECTORIES.filter((place) => fs.existsSync(place));
    const found = places.flatMap((place) => [...listCheckpoints(place)]);
    if (this.flags.json)
      this.printJson({
        checkpoints: found.map((each) => ({ ...each, modified: each.modified.toISOString() })),
      });
    else if (found.length > 0) this.#table(found);
    else this.note(`no checkpoints in ${(named.length > 0 ? named : KUBELET_DIRECTORIES).join(" and ")}`);
    for (const { problem } of found) if (problem !== undefined) this.warn(problem);
    if (found.some(({ problem }) => problem !== undefined)) process.exitCode = EXIT.trouble;
    return found.length > 0 ? EXIT.ok : EXIT.no;
  }

  /** All arguments; only the first has a name. */
  async #places(): Promise<string[]> {
    const { args, baseFlags, flags } = this.ctor;
    const parsed = await this.parse({ args, baseFlags, flags, strict: false });
    return parsed.argv as string[];
  }

  #table(found: readonly ListedCheckpoint[]): void {
    this.printTable(
      [
        { head: "CHECKPOINT", cut: "start" },
        { head: "FORM" },
        { head: "SIZE", align: "right" },
        { head: "MODIFIED" },
        { head: "CONTAINER" },
        { head: "POD" },
      ],
      found.map(({ path, form, compression, size, modified, name, id, pod, namespace }) => [
        path,
        compression === undefined ? form : `${form}, ${compression}`,
        size === undefined ? "" : sizeText(size),
        modified.toISOString().slice(0, 19).replace("T", " "),
        name ?? id?.slice(0, 12) ?? "",
        [namespace, pod].filter((text) => text !== undefined).join("/"),
      ]),
    );
  }
}
