import type { Command, Interfaces } from "@oclif/core";
import { bold, example, inline, italic, page, prose, type Roff, section, tagged } from "./roff.js";

/** A command of the manifest; `json` are the keys of its `--json` answer and their meaning. */
export type CommandFacts = Command.Cached & { readonly json?: Readonly<Record<string, string>> };

type Flag = Command.Flag.Cached;

const EXIT_STATUS = section(
  "EXIT STATUS",
  tagged("0", "Success, or the answer is yes."),
  tagged("1", "The answer is no: invalid, different, not found."),
  tagged("2", "Trouble: usage, unreadable input, I/O. One sentence on stderr explains it."),
);

/** crimg-COMMAND(1). */
export function commandPage(command: CommandFacts, pages: readonly string[], version: string): string {
  const name = `crimg-${command.id}`;
  const flags = Object.values(command.flags).filter(({ hidden }) => !hidden);
  const own = flags.filter(({ helpGroup }) => helpGroup !== "GLOBAL");
  const args = Object.values(command.args).filter(({ hidden }) => !hidden);
  const aliases =
    command.aliases.length > 0 ? [`Also called ${command.aliases.map((it) => `\`${it}\``).join(", ")}.`] : [];
  return page(
    name,
    1,
    version,
    section("NAME", [`${name.replaceAll("-", "\\-")} \\- ${inline(command.summary ?? "")}`]),
    section("SYNOPSIS", [synopsis(command, own)]),
    section("DESCRIPTION", prose([command.description ?? command.summary ?? "", ...aliases].join("\n\n"))),
    args.length > 0 ? section("ARGUMENTS", ...args.map(argument)) : [],
    own.length > 0 ? section("OPTIONS", ...own.map(option)) : [],
    section("GLOBAL OPTIONS", ...flags.filter((flag) => !own.includes(flag)).map(option)),
    command.json ? section("JSON", ...json(command.json)) : [],
    section("EXAMPLES", ...(command.examples ?? []).flatMap(exampleOf)),
    EXIT_STATUS,
    section("SEE ALSO", seeAlso(pages.filter((each) => each !== `${name}(1)`))),
  );
}

/** crimg(1). */
export function overviewPage(
  commands: readonly CommandFacts[],
  pages: readonly string[],
  pjson: Interfaces.PJSON,
): string {
  const globals = Object.values(commands[0]?.flags ?? {}).filter(({ helpGroup }) => helpGroup === "GLOBAL");
  return page(
    "crimg",
    1,
    pjson.version,
    section("NAME", [
      "crimg \\- show, validate, diff, edit and restore process checkpoint images, losslessly",
    ]),
    section("SYNOPSIS", [`${bold("crimg")} ${italic("COMMAND")} [${italic("ARGUMENT")} ...]`]),
    section("DESCRIPTION", prose(ABOUT)),
    section(
      "COMMANDS",
      ...commands.map(({ id, summary }) => tagged(`${bold(`crimg-${id}`)}(1)`, summary ?? "")),
    ),
    section(
      "GLOBAL OPTIONS",
      ...globals.map(option),
      tagged(`${bold("-h")}, ${bold("--help")}`, "Help for crimg or a command."),
      tagged(`${bold("-V")}, ${bold("--version")}`, "The version, alone on the command line; so does `-v`."),
    ),
    EXIT_STATUS,
    section(
      "ENVIRONMENT",
      tagged(bold("NO_COLOR"), "If set and not empty, disables colour, unless `--color always`."),
      tagged(bold("COLUMNS"), "Width for tables, also if stdout is not a terminal."),
      tagged(bold("CRIMG_DEBUG"), "If `1`, errors include a stack trace."),
    ),
    section("SEE ALSO", seeAlso(pages.filter((each) => each !== "crimg(1)"))),
  );
}

const ABOUT = `crimg opens the images that a checkpoint left, shows what is in them, says whether a restore would work
and how to fix problems, edits them without touching any other byte, and restores them.

Everything crimg does not understand is kept as it is and written back. Images are never trusted: every length is
checked before it is used, and text from an image is escaped before it reaches the terminal.

The images of the examples are written by crimg-example(1).

What all commands have in common (units, colours, JSON, escapes, errors) is in crimg-conventions(7).`;

function synopsis(command: CommandFacts, own: readonly Flag[]): string {
  const flags = own
    .filter(({ required }) => required)
    .map((flag) => `${bold(`--${flag.name}`)} ${italic(valueName(flag))}`);
  const args = Object.values(command.args).map(({ name, required }) =>
    required ? italic(name) : `[${italic(name)}]`,
  );
  const rest = command.strict === false ? [`[${italic("...")}]`] : [];
  return [bold(`crimg ${command.id}`), ...flags, ...args, `[${italic("OPTION")} ...]`, ...rest].join(" ");
}

function argument({ name, description, options }: Command.Arg.Cached): Roff {
  const words =
    options && options.length > 0 ? ` One of ${options.map((it) => `\`${it}\``).join(", ")}.` : "";
  return tagged(italic(name), `${sentence(description)}${words}`);
}

function option(flag: Flag): Roff {
  const value = flag.type === "option" ? ` ${italic(valueName(flag))}` : "";
  const long = [flag.name, ...(flag.aliases ?? [])].map((name) => `--${name}`);
  const names = [...(flag.char ? [`-${flag.char}`] : []), ...long].map((name) => `${bold(name)}${value}`);
  const words =
    flag.type === "option" && flag.options
      ? ` One of ${flag.options.map((it) => `\`${it}\``).join(", ")}.`
      : "";
  const preset = flag.type === "option" && flag.default !== undefined ? ` Default: \`${flag.default}\`.` : "";
  const again = flag.type === "option" && flag.multiple ? " Repeatable." : "";
  return tagged(names.join(", "), `${sentence(flag.description ?? flag.summary)}${words}${preset}${again}`);
}

function valueName(flag: Flag): string {
  const help = flag.type === "option" ? flag.helpValue : undefined;
  return (Array.isArray(help) ? help[0] : help) ?? "VALUE";
}

function json(keys: Readonly<Record<string, string>>): Roff[] {
  return [
    prose("`--json` prints one object. Besides `schema` (`crimg/1`) and `command` it has:"),
    ...Object.entries(keys).map(([key, meaning]) => tagged(bold(key), sentence(meaning))),
  ];
}

function exampleOf(each: Command.Example): Roff[] {
  const { description, command } = typeof each === "string" ? { description: "", command: each } : each;
  return [
    description ? prose(sentence(description, ":")) : [],
    example(command.replaceAll("<%= config.bin %>", "crimg").split("\n")),
  ];
}

function seeAlso(pages: readonly string[]): Roff {
  return [
    pages
      .map((each) => each.replace(/^(.*)\((\d)\)$/, (_, name, number) => `${bold(name)}(${number})`))
      .join(",\n"),
  ];
}

/** On the command line descriptions are fragments without capital and full stop. */
function sentence(text: string | undefined, end = "."): string {
  const trimmed = (text ?? "").trim();
  if (trimmed === "") return "";
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.:?!]$/.test(trimmed) ? "" : end}`;
}
