import { custom, string as stringArg } from "@oclif/core/args";
import { boolean, integer, option, string } from "@oclif/core/flags";
import { COLOR_CHOICES } from "./style.js";

/** A positional argument. oclif would read a missing one from stdin as text, which crimg keeps for images. */
export function positional(description: string) {
  return stringArg({ description, ignoreStdin: true });
}

/** A positional argument that must be given. */
export function requiredPositional(description: string) {
  return stringArg({ description, ignoreStdin: true, required: true });
}

/** A positional argument that is one of `options`. */
export function choice<T extends string>(description: string, options: readonly T[]) {
  return word<T>()({ description, options: [...options], ignoreStdin: true });
}

/** A positional argument that must be given and is one of `options`. */
export function requiredChoice<T extends string>(description: string, options: readonly T[]) {
  return word<T>()({ description, options: [...options], ignoreStdin: true, required: true });
}

/** oclif checks `options` before it parses, so the text is a `T` by then. */
function word<T extends string>() {
  return custom<T>({ parse: async (text) => text as T });
}

/** The image set, first of a command's arguments as `IMG: imageArg`; `-D` gives it too and then frees the place. */
export const imageArg = positional("directory of images");

/** `-p PID`: look at one task only. */
export const pidFlag = integer({
  char: "p",
  min: 1,
  description: "only the task with this pid",
  helpValue: "PID",
});

/** Flags that every command takes. */
export const GLOBAL_FLAGS = {
  "images-dir": string({
    char: "D",
    description: "directory of images, instead of the argument IMG",
    helpGroup: "GLOBAL",
    helpValue: "DIR",
  }),
  color: option({ options: COLOR_CHOICES })({
    default: "auto",
    description: "use colour: on a terminal, never or always",
    helpGroup: "GLOBAL",
  }),
  json: boolean({ description: "answer as JSON, see crimg-conventions(7)", helpGroup: "GLOBAL" }),
  verbose: boolean({ char: "v", description: "say more on stderr", helpGroup: "GLOBAL" }),
};
