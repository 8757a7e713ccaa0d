import fs from "node:fs";
import path from "node:path";
import { checkpointsBelow, ioError, NotFoundError, UsageError } from "../../index.js";
import { MANY_FLAGS, type Typed } from "./flags.js";

/** One image and the words of a command line for it alone. */
export interface OneRun {
  readonly image: string;
  readonly argv: readonly string[];
}

/**
 * The command lines for each image alone: flags as typed, then `IMAGE` and the other words. `-o DIR` becomes the name of the
 * image in DIR. Errors: USAGE for stdin, which can be read once, and for two images of one name in DIR.
 */
export function runsOf(
  command: string,
  { images, others }: { readonly images: readonly string[]; readonly others: readonly string[] },
  typed: readonly Typed[],
  takesValue: (flag: string) => boolean,
): OneRun[] {
  if (images.includes("-")) throw new UsageError("stdin (-) is one image; several are read from files");
  const names = new Map<string, string>();
  return images.map((image) => {
    const flags = typed.flatMap(({ flag, input }) => {
      if (flag in MANY_FLAGS) return [];
      if (!takesValue(flag)) return [`--${flag}`];
      if (flag === "output") return [`--output=${inDirectory(input, image, names)}`];
      if (input === "-") throw new UsageError(`--${flag} - is stdin, which can be read once; name a file`);
      // In one word, since a value may be empty.
      return [`--${flag}=${input}`];
    });
    return { image, argv: [command, ...flags, "--", image, ...others] };
  });
}

function inDirectory(directory: string, image: string, names: Map<string, string>): string {
  if (directory === "-") throw new UsageError("stdout (-) takes one image; name a directory with -o");
  const name = path.basename(path.resolve(image));
  const other = names.get(name);
  if (other !== undefined)
    throw new UsageError(`two images with the name ${name} for -o: ${other} and ${image}`);
  names.set(name, image);
  return path.join(directory, name);
}

/** The directory of -o for several images, private. Errors: IO. */
export function makeOutputDirectory(directory: string | undefined): void {
  if (directory === undefined) return;
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw ioError("create the directory", directory, error);
  }
}

/** The checkpoints below directories, at any depth. Errors: NotFoundError if there are none. */
export function imagesBelow(places: readonly string[]): string[] {
  const found = places.flatMap((place) => [...checkpointsBelow(place)]);
  if (found.length === 0) throw new NotFoundError(`no checkpoints in ${places.join(" and ")}`);
  return found;
}
