import { string } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { writeOutput } from "../src/cli/output-file.js";
import { type HostFacts, hostFacts } from "../src/index.js";

export default class Facts extends BaseCommand<typeof Facts> {
  static override summary = "write down what a restore depends on of this machine";
  static override description =
    `Collects what \`crimg validate --host\` looks at: the kernel and its settings, CPU, criu, the vDSO, ids of tasks, sockets,
addresses, interfaces, control groups, namespaces, users, limits and capabilities of the caller. Elsewhere
\`crimg validate IMG --host HOST.json\` then checks an image against this machine. Run it as the user who will restore.

Files are not among the facts: those that a restore opens, locks on them, directories of unix sockets and of bind mounts.
\`crimg validate --root / --host\` checks them on the machine itself.

Without -o and --json a summary is shown. Nothing else is written.

Exit status: 0 written, 2 trouble.`;
  static override examples = [
    "<%= config.bin %> <%= command.id %>",
    {
      description: "write the facts on the target, check an image against them anywhere",
      command:
        "<%= config.bin %> <%= command.id %> -o host.json && <%= config.bin %> validate example/logger --host host.json",
    },
  ];
  static override json = {
    "platform, arch, machine": "the system and processor, as Node and uname -m name them",
    criu: "{path, version, problem: why it cannot restore here}",
    vdso: "{layout, code in base64} of the kernel's vDSO; absent if there is none",
    terminal: "{fd, name, session, canBeTaken} of the terminal that crimg runs on; absent if there is none",
    addresses: "addresses of the interfaces",
    programs: "paths of programs that criu may start",
    tasks: "list of texts, one a task: pid (name) state, parent, group, session, ids of the threads",
    files: "{path: text} of files of /proc, /sys and /etc; of /etc/passwd without what is not needed",
    directories: "{path: names} of directories of /proc, /sys and /dev",
  };
  static override flags = {
    output: string({
      char: "o",
      aliases: ["out"],
      description: "write the facts to FILE as JSON, - for stdout",
      helpValue: "FILE",
    }),
    criu: string({ description: "criu to use, instead of CRIMG_CRIU and PATH", helpValue: "PATH" }),
  };

  async run(): Promise<Answer> {
    const facts = hostFacts(this.flags.criu);
    const { output } = this.flags;
    if (output !== undefined && output !== "-") writeOutput(output, [this.jsonBytes(facts)]);
    else if (output === "-" || this.flags.json) this.printJson(facts);
    else this.printTable([{ head: "FACT" }, { head: "VALUE" }], summary(facts));
    return EXIT.ok;
  }
}

function summary({ machine, criu, addresses, tasks, files, directories }: HostFacts): [string, string][] {
  const line = (path: string): string => files[path]?.trimEnd() ?? "unknown";
  return [
    ["host", line("/proc/sys/kernel/hostname")],
    ["kernel", `${line("/proc/sys/kernel/osrelease")} ${machine}`],
    ["criu", criu.problem ?? `${criu.version} (${criu.path})`],
    ["tasks", String(tasks.length)],
    ["highest pid", `below ${line("/proc/sys/kernel/pid_max")}`],
    ["addresses", addresses.join(", ")],
    ["interfaces", (directories["/sys/class/net"] ?? []).join(", ")],
  ];
}
