import { boolean, integer } from "@oclif/core/flags";

/** Flags of a command that takes several images. */
export const MANY_FLAGS = {
  recursive: boolean({
    char: "r",
    description: "take all images below directories; with --json a line for each image",
  }),
  jobs: integer({
    description: "images at once [default: one for each processor, at most 4]",
    helpValue: "N",
    min: 1,
    max: 64,
  }),
};

/** How a command takes several images: which words name them, and what becomes of an image by its exit status. */
export interface ManyImages {
  readonly split: (words: readonly string[]) => { readonly images: string[]; readonly others: string[] };
  /** For the summary, by exit status: `valid`, `invalid`, `not read`. */
  readonly outcomes: readonly [ok: string, no: string, trouble: string];
}

/** `end` gives the number of words that name images: all, unless it says so. */
export function manyImages(
  outcomes: ManyImages["outcomes"],
  end: (words: readonly string[]) => number = (words) => words.length,
): ManyImages {
  return {
    outcomes,
    split: (words) => ({ images: words.slice(0, end(words)), others: words.slice(end(words)) }),
  };
}

/** A flag as typed. */
export interface Typed {
  readonly type: "flag";
  readonly flag: string;
  readonly input: string;
}

/** The values of flags that matter for several images. */
export interface ManyFlags {
  readonly json: boolean;
  readonly recursive?: boolean;
  readonly jobs?: number;
  readonly output?: string;
}
