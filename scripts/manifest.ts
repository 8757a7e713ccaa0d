import { fileURLToPath } from "node:url";
import { type Command, Plugin } from "@oclif/core";
import { settings } from "@oclif/core/settings";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The manifest of the commands as oclif makes it, without what names files: the program is bundled. */
export async function commandManifest(): Promise<Plugin["manifest"]> {
  settings.enableAutoTranspile = false; // tsx runs the commands already
  const plugin = new Plugin({ root: ROOT, isRoot: true, ignoreManifest: true, errorOnManifestCreate: true });
  await plugin.load();
  const { commands, version } = plugin.manifest;
  for (const command of Object.values(commands)) {
    delete command.isESM;
    delete command.relativePath;
    command.usage ??= usage(command);
    if (command.description) command.description = reflow(command.description);
  }
  const sorted = Object.entries(commands).sort(([a], [b]) => (a < b ? -1 : 1));
  return { version, commands: Object.fromEntries(sorted) };
}

/** Paragraphs as one line each, since help wraps them to the terminal; lists and indented lines stay. */
function reflow(text: string): string {
  return text.trim().replace(/(?<=\S)\n(?=\S)(?!- )/g, " ");
}

/** oclif would list every flag with every value, which the flags' own section does better. */
function usage({ args, flags, strict }: Command.Cached): string {
  const required = Object.values(flags).filter((flag) => flag.required);
  return [
    "<%= command.id %>", // an alias says its own name
    ...Object.values(args).map(({ name, required }) => (required ? name : `[${name}]`)),
    ...required.map((flag) => `--${flag.name} ${"helpValue" in flag ? flag.helpValue : "VALUE"}`),
    "[OPTION]...",
    ...(strict === false ? ["[...]"] : []),
  ].join(" ");
}
