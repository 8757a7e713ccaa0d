import { custom, string as stringArg } from "@oclif/core/args";
import { boolean, integer, option, string } from "@oclif/core/flags";
import { UsageError } from "../index.js";
import { COLOR_CHOICES } from "./style.js";

/** A positional argument. oclif would read a missing one from stdin as text, but crimg reads images from stdin. */
export function positional(description: string) {
  return stringArg({ description, ignoreStdin: true });
}

/** A required positional argument. */
export function requiredPositional(description: string) {
  return stringArg({ description, ignoreStdin: true, required: true });
}

/** A positional argument that is one of `options`. */
export function choice<T extends string>(description: string, options: readonly T[]) {
  return word<T>()({ description, options: [...options], ignoreStdin: true });
}

/** A required positional argument that is one of `options`. */
export function requiredChoice<T extends string>(description: string, options: readonly T[]) {
  return word<T>()({ description, options: [...options], ignoreStdin: true, required: true });
}

/** oclif checks `options` before it parses, so the text is a `T` by then. */
function word<T extends string>() {
  return custom<T>({ parse: async (text) => text as T });
}

/** The image, first argument of a command as `IMG: imageArg`; `-D` replaces it. */
export const imageArg = positional("image directory, archive, or linux-cr stream");

/** The same of a command that takes several. */
export const imagesArg = positional("image directory, archive, or linux-cr stream; several may be given");

/** `-p PID`: limits a view to some tasks. */
export const pidFlag = integer({
  char: "p",
  min: 1,
  multiple: true,
  description: "limit to the task with this pid; repeatable",
  helpValue: "PID",
});

/** `--head SHA256`: the head of an edit log that was kept elsewhere; `keptHead` reads it. */
export function headFlag(description: string) {
  return string({ description, helpValue: "SHA256" });
}

/** The digest of `--head`, if it was given. Errors: USAGE for what is no SHA-256. */
export function keptHead(text: string | undefined): string | undefined {
  if (text === undefined || /^[0-9a-f]{64}$/i.test(text)) return text?.toLowerCase();
  throw new UsageError(
    `invalid --head ${JSON.stringify(text)} (expected a SHA-256 of 64 hexadecimal digits)`,
  );
}

/** Flags that every command takes. */
export const GLOBAL_FLAGS = {
  "images-dir": string({
    char: "D",
    description: "image directory, instead of the argument IMG",
    helpGroup: "GLOBAL",
    helpValue: "DIR",
  }),
  color: option({ options: COLOR_CHOICES })({
    default: "auto",
    description: "when to use colour",
    helpGroup: "GLOBAL",
  }),
  json: boolean({ description: "output JSON, see crimg-conventions(7)", helpGroup: "GLOBAL" }),
  verbose: boolean({ char: "v", description: "print more details to stderr", helpGroup: "GLOBAL" }),
};

/**
 * Command-line words in which each `flag` (`--host`) without a value has an empty one: oclif has no flag whose value may be
 * missing. The next word is the value if `isValue` says so.
 */
export function withOptionalValue(
  argv: readonly string[],
  flag: string,
  isValue: (word: string) => boolean,
): string[] {
  const end = argv.indexOf("--");
  return argv.map((word, at) => {
    const isOurs = word === flag && (end < 0 || at < end);
    return isOurs && !isValue(argv[at + 1] ?? "") ? `${flag}=` : word;
  });
}
