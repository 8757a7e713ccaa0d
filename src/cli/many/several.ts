import { availableParallelism } from "node:os";
import { Progress } from "../progress.js";
import type { Style } from "../style.js";
import { Answers } from "./answers.js";
import type { ManyFlags, ManyImages, Typed } from "./flags.js";
import { runEach } from "./run.js";
import { imagesBelow, makeOutputDirectory, runsOf } from "./words.js";

/** Images at once unless --jobs says so: each may take 256 MiB. */
const MAX_USUAL_JOBS = 4;

/** A command line with several images. */
export interface Several {
  readonly command: string;
  readonly images: readonly string[];
  /** The words after the images. */
  readonly others: readonly string[];
  readonly flags: ManyFlags;
  readonly typed: readonly Typed[];
  readonly takesValue: (flag: string) => boolean;
  readonly outcomes: ManyImages["outcomes"];
  readonly style: Style;
  /** Where crimg is. */
  readonly root: string;
}

/** Runs the command for each image alone, prints the answers, and gives the worst exit status. Errors: USAGE, IO, MISSING. */
export async function runSeveral(asked: Several): Promise<number> {
  const { command, images, others, flags, typed, takesValue, outcomes, style, root } = asked;
  const all = flags.recursive ? imagesBelow(images) : images;
  const runs = runsOf(command, { images: all, others }, typed, takesValue);
  makeOutputDirectory(flags.output);
  const answers = new Answers({ command, json: flags.json, outcomes, style });
  const progress = new Progress("images");
  const { jobs = Math.min(availableParallelism(), MAX_USUAL_JOBS) } = flags;
  let done = 0;
  await runEach(runs, { root, jobs }, (run, result) => {
    progress.end();
    answers.tell(run, result);
    progress.at(++done, runs.length);
  });
  progress.end();
  return answers.end();
}
