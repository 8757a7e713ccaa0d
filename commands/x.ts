import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { damageJson } from "../src/cli/failure.js";
import { choice, imageArg, pidFlag } from "../src/cli/flags.js";
import { terminalWidth } from "../src/cli/output.js";
import { viewLines } from "../src/cli/show/lines.js";
import { lookAt, openDocument, UsageError, VIEWS, type ViewName } from "../src/index.js";

/** Names in crit and go-crit, and the corresponding view. */
const EXPLORES = {
  ps: "tree",
  fds: "fds",
  fd: "fds",
  mems: "maps",
  mem: "maps",
  rss: "rss",
  sk: "sockets",
} as const satisfies Readonly<Record<string, ViewName>>;

type Explore = keyof typeof EXPLORES;

export default class X extends BaseCommand<typeof X> {
  static override summary = "explore an image with the commands of crit x";
  static override description =
    `Accepts the arguments of crit x, and shows the corresponding views of crimg show:

  ps          process tree: show tree
  fds, fd     descriptors, current directory and root: show fds
  mems, mem   mappings: show maps
  rss         runs of stored pages by mapping: show rss --runs
  sk          sockets: show sockets`;
  static override examples = [
    { description: "process tree", command: "<%= config.bin %> x example/logger ps" },
    {
      description: "descriptors of one task",
      command: "<%= config.bin %> x example/logger fds -p 1000",
    },
  ];
  static override json = {
    view: "the corresponding view of crimg show",
    tasks: "as in crimg show, see crimg-show(1)",
    damage: "as in crimg show",
  };
  static override args = {
    IMG: imageArg,
    WHAT: choice("what to explore", Object.keys(EXPLORES) as Explore[]),
  };
  static override flags = { pid: pidFlag };

  async run(): Promise<Answer> {
    const what = this.args.WHAT;
    if (what === undefined)
      throw new UsageError(`missing WHAT (expected ${Object.keys(EXPLORES).join(", ")})`);
    const view = EXPLORES[what];
    const document = openDocument(this.image, this.looking);
    const { answer, damage } = lookAt([document], (read) =>
      VIEWS[view](read, { pids: this.flags.pid, runs: true }),
    );
    if (this.flags.json) this.printJson({ ...answer, ...damageJson(damage) });
    else this.printLines(viewLines(view, answer, { style: this.style, width: terminalWidth() }));
    return this.withDamage(damage, EXIT.ok);
  }
}
