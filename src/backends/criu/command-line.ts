import { UsageError } from "../../io/errors.js";
import type { RestoreOption } from "../../ops/restore-options/option.js";

/** Where criu finds and puts things. Paths are absolute or relative to the directory that criu is started in. */
export interface CriuPlaces {
  readonly images: string;
  readonly root?: string | undefined;
}

/** Options of criu restore that crimg gives itself, and what a user says instead. */
const OWN_OPTIONS: readonly { readonly names: readonly string[]; readonly instead: string }[] = [
  { names: ["-D", "--images-dir"], instead: "name the images as IMG" },
  { names: ["-d", "--restore-detached"], instead: "use crimg's --detach" },
  { names: ["--pidfile"], instead: "use crimg's --pidfile" },
  { names: ["-r", "--root"], instead: "use crimg's --root" },
  { names: ["-o", "--log-file"], instead: "use crimg's --log" },
  { names: ["-W", "--work-dir"], instead: "criu works in a directory that is removed afterwards" },
  { names: ["-v", "--verbosity"], instead: "criu's log is always complete; --log FILE keeps it" },
];

/** A choice of the user's that rules out what the images ask for. */
const RULED_OUT: ReadonlyMap<string, readonly string[]> = new Map([
  ["--tcp-established", ["--tcp-close"]],
  ["--tcp-close", ["--tcp-established"]],
]);

/** Errors: UsageError for options that crimg gives criu itself. */
export function checkExtraOptions(extra: readonly string[]): void {
  for (const word of extra) {
    const own = OWN_OPTIONS.find(({ names }) => names.some((name) => isOption(word, name)));
    if (own !== undefined)
      throw new UsageError(`${word} is not for criu's own options after --: ${own.instead}`);
  }
}

/** The words after `criu`: what the images need, unless the user has said otherwise, and then the user's own. */
export function restoreArguments(
  { images, root }: CriuPlaces,
  needed: readonly RestoreOption[],
  extra: readonly string[],
): string[] {
  return [
    "restore",
    "--images-dir",
    images,
    ...(root === undefined ? [] : ["--root", root]),
    ...stillNeeded(needed, extra).flatMap(({ option, value }) =>
      value === undefined ? [option] : [option, value],
    ),
    ...extra,
  ];
}

/** The needed options without those that the user gives, or rules out. */
export function stillNeeded(needed: readonly RestoreOption[], extra: readonly string[]): RestoreOption[] {
  return needed.filter(({ option, value }) => {
    if (RULED_OUT.get(option)?.some((other) => extra.includes(other))) return false;
    // Options that may be given more than once are told apart by the key before the colon.
    const key = value?.split(":", 1)[0];
    return !extra.some(
      (word, at) =>
        isOption(word, option) &&
        (key === undefined || word.startsWith(`${option}=${key}`) || extra[at + 1]?.startsWith(key) === true),
    );
  });
}

function isOption(word: string, name: string): boolean {
  if (word === name || word.startsWith(`${name}=`)) return true;
  return name === "-v" && /^-v+\d*$/.test(word);
}
