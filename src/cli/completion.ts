/** The part of oclif's manifest that completion needs. */
export interface CommandFacts {
  readonly id: string;
  readonly summary?: string | undefined;
  readonly flags: Readonly<Record<string, FlagFacts>>;
  readonly args: Readonly<Record<string, { readonly options?: readonly string[] | undefined }>>;
}

interface FlagFacts {
  readonly name: string;
  readonly char?: string | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly type: "boolean" | "option";
  readonly options?: readonly string[] | undefined;
}

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The completion script of `bin` for a shell: commands, flags with their fixed values, else file names. */
export function completionScript(shell: Shell, bin: string, commands: readonly CommandFacts[]): string {
  return `${{ bash, zsh, fish }[shell](bin, commands).join("\n")}\n`;
}

function bash(bin: string, commands: readonly CommandFacts[]): string[] {
  const values = commands.flatMap(({ id, flags }) =>
    Object.values(flags).flatMap((flag) => {
      const words = flag.options ? `words=${quote(flag.options.join(" "))}` : "return";
      return flag.type === "option"
        ? [
            `    ${spellings(flag)
              .map((it) => `"${id} ${it}"`)
              .join("|")}) ${words} ;;`,
          ]
        : [];
    }),
  );
  const flags = commands.map((command) => {
    const words = Object.values(command.flags).flatMap(spellings);
    return `    "${command.id} -"*) words=${quote(words.join(" "))} ;;`;
  });
  const args = commands.flatMap((command) => {
    const words = argumentWords(command);
    // The image precedes a fixed word; bash completes its name by itself.
    const guard = Object.values(command.args)[0]?.options ? "" : '[ "$COMP_CWORD" -gt 2 ] && ';
    return words.length > 0 ? [`    "${command.id} "*) ${guard}words=${quote(words.join(" "))} ;;`] : [];
  });
  const names = quote(commands.map(({ id }) => id).join(" "));
  return [
    `# ${bin} completion for bash: . <(${bin} completion bash)`,
    `_${bin}() {`,
    `  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words=""`,
    `  if [ "$COMP_CWORD" -eq 1 ]; then`,
    `    COMPREPLY=($(compgen -W ${names}" help" -- "$cur"))`,
    "    return",
    "  fi",
    `  case "\${COMP_WORDS[1]} $prev" in`,
    ...values,
    `    *) case "\${COMP_WORDS[1]} $cur" in`,
    ...[...flags, ...args, `    "help "*) words=${names} ;;`].map((line) => `  ${line}`),
    "    esac ;;",
    "  esac",
    `  COMPREPLY=($(compgen -W "$words" -- "$cur"))`,
    "}",
    `complete -o bashdefault -o default -F _${bin} ${bin}`,
  ];
}

function zsh(bin: string, commands: readonly CommandFacts[]): string[] {
  const spec = (flag: FlagFacts): string => {
    const about = (flag.description ?? "").replace(/[[\]:\\]/g, "\\$&");
    const value =
      flag.type === "boolean" ? "" : `:value:${flag.options ? `(${flag.options.join(" ")})` : "_files"}`;
    return spellings(flag)
      .map((it) => quote(`*${it}[${about}]${value}`))
      .join(" ");
  };
  return [
    `#compdef ${bin}`,
    `# ${bin} completion for zsh: ${bin} completion zsh > a directory of $fpath, as _${bin}`,
    `_${bin}() {`,
    "  local -a commands",
    "  commands=(",
    ...commands.map(({ id, summary }) => `    ${quote(`${id}:${(summary ?? "").replace(/:/g, "\\:")}`)}`),
    "  )",
    "  if (( CURRENT == 2 )); then",
    "    _describe command commands",
    "    return",
    "  fi",
    "  local command=$words[2]",
    "  shift words; (( CURRENT-- ))",
    `  case "$command" in`,
    ...commands.map((command) => {
      const places = Object.values(command.args).map(({ options }, at) =>
        quote(`${at + 1}:argument:${options ? `(${options.join(" ")})` : "_files"}`),
      );
      const specs = [...Object.values(command.flags).map(spec), ...places, "'*:file:_files'"];
      return `    ${command.id}) _arguments -s ${specs.join(" ")} ;;`;
    }),
    "  esac",
    "}",
    // In a directory of $fpath this file is the function body on the first call.
    `if [ "$funcstack[1]" = _${bin} ]; then _${bin} "$@"; else compdef _${bin} ${bin}; fi`,
  ];
}

function fish(bin: string, commands: readonly CommandFacts[]): string[] {
  const line = (id: string, rest: string): string =>
    `complete -c ${bin} -n '__fish_seen_subcommand_from ${id}' ${rest}`;
  return [
    `# ${bin} completion for fish: ${bin} completion fish | source`,
    ...commands.map(
      ({ id, summary }) =>
        `complete -c ${bin} -n __fish_use_subcommand -f -a ${id} -d ${quote(summary ?? "")}`,
    ),
    ...commands.flatMap((command) => [
      ...Object.values(command.flags).map((flag) => {
        const value =
          flag.type === "boolean" ? "" : flag.options ? ` -x -a ${quote(flag.options.join(" "))}` : " -r";
        const char = flag.char ? ` -s ${flag.char}` : "";
        const names = [flag.name, ...(flag.aliases ?? [])].map((name) => `-l ${name}`).join(" ");
        return line(command.id, `${names}${char}${value} -d ${quote(flag.description ?? "")}`);
      }),
      ...argumentWords(command).map((word) => line(command.id, `-a ${word}`)),
    ]),
  ];
}

function spellings({ name, char, aliases = [] }: FlagFacts): string[] {
  return [...[name, ...aliases].map((word) => `--${word}`), ...(char ? [`-${char}`] : [])];
}

function argumentWords({ args }: CommandFacts): string[] {
  return Object.values(args).flatMap(({ options }) => options ?? []);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
