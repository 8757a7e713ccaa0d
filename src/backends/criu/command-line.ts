import { UsageError } from "../../io/errors.js";
import type { RestoreOption } from "../../ops/restore-options/option.js";

/** Input and output paths of criu, absolute or relative to its working directory. */
export interface CriuPlaces {
  readonly images: string;
  readonly root?: string | undefined;
}

/** Options of criu restore that crimg sets itself, and what to use instead. */
const OWN_OPTIONS: readonly { readonly names: readonly string[]; readonly instead: string }[] = [
  { names: ["-D", "--images-dir"], instead: "give the image as IMG" },
  { names: ["-d", "--restore-detached"], instead: "use crimg's --detach" },
  { names: ["--pidfile"], instead: "use crimg's --pidfile" },
  { names: ["-r", "--root"], instead: "use crimg's --root" },
  { names: ["-o", "--log-file"], instead: "use crimg's --log" },
  { names: ["-v", "--verbosity"], instead: "criu always logs everything; keep the log with --log FILE" },
];

/** Options of the user that replace needed ones. */
const RULED_OUT: ReadonlyMap<string, readonly string[]> = new Map([
  ["--tcp-established", ["--tcp-close"]],
  ["--tcp-close", ["--tcp-established"]],
]);

/** Errors: UsageError for options that crimg sets itself. */
export function checkExtraOptions(extra: readonly string[]): void {
  for (const word of extra) {
    const own = OWN_OPTIONS.find(({ names }) => names.some((name) => isOption(word, name)));
    if (own !== undefined) throw new UsageError(`${word} cannot be passed to criu after --: ${own.instead}`);
  }
}

/** Arguments of criu: those that the images need, unless overridden, then those of the user. */
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

/** The needed options without those that the user gives or overrides. */
export function stillNeeded(needed: readonly RestoreOption[], extra: readonly string[]): RestoreOption[] {
  return needed.filter(({ option, value, open }) => {
    if (RULED_OUT.get(option)?.some((other) => extra.includes(other))) return false;
    return !extra.some((word, at) => {
      if (!isOption(word, option)) return false;
      const given = word === option ? extra[at + 1] : word.slice(option.length + 1);
      // The value of an option that the user decides says only what kind of value it takes, unless it has a key.
      if (value === undefined || (open && !value.includes(":"))) return true;
      return keyOf(option, value) === keyOf(option, given ?? "");
    });
  });
}

/** What tells the values of a repeatable option apart: `--external KEY:VALUE`, `--inherit-fd fd[N]:KEY`. */
function keyOf(option: string, value: string): string {
  const at = value.indexOf(":");
  if (option === "--inherit-fd") return value.slice(at + 1);
  return at === -1 ? value : value.slice(0, at);
}

/** The directory for what criu shares with its helpers, if the user names one. */
export function workDirectoryIn(words: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => isOption(word, "--work-dir"));
  return at < 0 ? undefined : (words[at]?.split("=", 2)[1] ?? words[at + 1]);
}

function isOption(word: string, name: string): boolean {
  if (word === name || word.startsWith(`${name}=`)) return true;
  if (name === "--work-dir" && word === "-W") return true;
  return name === "-v" && /^-v+\d*$/.test(word);
}
