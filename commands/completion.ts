import { BaseCommand } from "../src/cli/base-command.js";
import { completionScript, SHELLS } from "../src/cli/completion.js";
import { EXIT } from "../src/cli/exit-codes.js";
import { requiredChoice } from "../src/cli/flags.js";

export default class Completion extends BaseCommand<typeof Completion> {
  static override summary = "print a completion script for a shell";
  static override description =
    `The script completes commands, flags and their fixed values, and file names everywhere else. Nothing is
installed: the examples show where each shell reads it from.`;
  static override examples = [
    {
      description: "bash: in this shell, or in ~/.bashrc",
      command: ". <(<%= config.bin %> completion bash)",
    },
    {
      description: "zsh: into a directory of $fpath",
      command: "<%= config.bin %> completion zsh > ~/.zfunc/_crimg",
    },
    {
      description: "fish: in this shell, or in config.fish",
      command: "<%= config.bin %> completion fish | source",
    },
  ];
  static override json = { shell: "name of the shell", script: "the script" };
  static override args = { SHELL: requiredChoice("shell", SHELLS) };

  async run() {
    const shell = this.args.SHELL;
    const commands = this.config.commands.filter(({ hidden }) => !hidden);
    const script = completionScript(shell, this.config.bin, commands);
    if (this.flags.json) this.printJson({ shell, script });
    else this.printLines(script.trimEnd().split("\n"));
    return EXIT.ok;
  }
}
