import fs from "node:fs";
import path from "node:path";
import { string } from "@oclif/core/flags";
import { UsageError } from "../index.js";

/** `-i FILE`, as in crit. */
export const inputFlag = string({
  char: "i",
  aliases: ["in"],
  description: "read this file, instead of the argument",
  helpValue: "FILE",
});

/** `-o FILE`, written completely or not at all. */
export const outputFlag = string({
  char: "o",
  aliases: ["out"],
  description: "write to this file, instead of stdout",
  helpValue: "FILE",
});

/** The input file of a command: its argument or `-i`, relative to the directory of `-D`; undefined for stdin. */
export function inputPath(argument: string | undefined, flags: InputFlags): string | undefined {
  if (argument !== undefined && flags.input !== undefined)
    throw new UsageError(`two inputs given: ${argument} and -i ${flags.input}`);
  const file = argument ?? flags.input;
  const directory = flags["images-dir"];
  if (file === undefined || file === "-") {
    if (directory !== undefined)
      throw new UsageError(`missing IMAGEFILE: name an image file in ${directory}`);
    return undefined;
  }
  if (directory === undefined) return file;
  const isArchive = fs.statSync(directory, { throwIfNoEntry: false })?.isFile() === true;
  return isArchive ? `${directory}//${file}` : path.resolve(directory, file);
}

interface InputFlags {
  readonly input?: string | undefined;
  readonly "images-dir"?: string | undefined;
}
