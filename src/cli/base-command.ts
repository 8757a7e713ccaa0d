import type { Interfaces } from "@oclif/core";
import { Command } from "@oclif/core/command";
import { type CrimgError, type Recovery, UsageError } from "../index.js";
import { type Answer, EXIT } from "./exit-codes.js";
import { reportFailure, wantsJson } from "./failure.js";
import { GLOBAL_FLAGS } from "./flags.js";
import { JSON_SCHEMA } from "./json.js";
import { type Line, styled } from "./line.js";
import type { ManyFlags, ManyImages, Typed } from "./many/flags.js";
import { answerBytes, terminalWidth, writeAnswer, writeAnswerLines, writeLines } from "./output.js";
import { type Style, styleFor } from "./style.js";
import { type Cell, type Column, tableLines } from "./table.js";

type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<
  (typeof BaseCommand)["baseFlags"] & T["flags"]
>;
type ArgsOf<T extends typeof Command> = Interfaces.InferredArgs<T["args"]>;

/** Looks like -D, possibly combined with other letters; the parser decides. */
const MAY_GIVE_IMAGES_DIR = /^(-\w*D|--images-dir)/;

const MAX_DAMAGE_SHOWN = 10;

/** A first word after which there may be several images, though it is the only one. */
const MAY_BE_SEVERAL = /^(-\w*r|--recursive|--jobs)/;

/** Messages about an interrupted edit that was recovered. */
export const RECOVERED: Readonly<Record<Exclude<Recovery, "nothing">, string>> = {
  finished: "finished an interrupted edit; all files are the new ones",
  "taken back": "rolled back an interrupted edit; all files are the old ones",
  removed: "removed the staged files of an interrupted edit; no file had changed",
};

/**
 * Base of all commands: the global flags, parsed `flags` and `args`, output helpers, and errors reported as one
 * sentence with an exit code. A command is `class Show extends BaseCommand<typeof Show>` with a `run` that returns
 * EXIT.ok or EXIT.no and throws on trouble.
 */
export abstract class BaseCommand<T extends typeof Command> extends Command {
  static override baseFlags = GLOBAL_FLAGS;
  /** Keys of the `--json` answer and their meaning; the manual page lists them. */
  static json: Readonly<Record<string, string>>;

  /** How the command takes several images; without it takes one. */
  static many?: ManyImages;

  protected flags!: FlagsOf<T>;
  protected args!: ArgsOf<T>;
  /** All arguments, of a command that takes any number of them. */
  protected words: readonly string[] = [];
  /** The flags as typed, in their order. */
  #typed: readonly Typed[] = [];
  #wroteAnswer = false;

  abstract override run(): Promise<Answer>;

  override async init(): Promise<void> {
    await super.init();
    const { args, baseFlags, strict } = this.ctor;
    const flags = oneValueEach(this.ctor.flags);
    const several = await this.#several(flags);
    if (several !== undefined) {
      this.run = several;
      return;
    }
    const takesImage = "IMG" in args && (await this.#givesImagesDir(flags));
    const { IMG: _image, ...others } = args;
    const parsed = await this.parse({ args: takesImage ? others : args, baseFlags, flags, strict });
    this.flags = parsed.flags as FlagsOf<T>;
    this.args = parsed.args as ArgsOf<T>;
    this.words = parsed.argv as string[];
    this.#typed = parsed.raw.filter((token): token is Typed => token.type === "flag");
  }

  /** The flags as typed, without global ones and `others`, to repeat them in advice. */
  protected typedFlags(...others: readonly string[]): string[] {
    return this.#typed
      .filter(({ flag }) => !(flag in GLOBAL_FLAGS) && !others.includes(flag))
      .flatMap(({ flag, input }) => {
        const takesValue = this.ctor.flags[flag]?.type === "option";
        return takesValue ? [`--${flag}`, input] : [`--${flag}`];
      });
  }

  /** The image set named by `-D` or by the first argument. */
  protected get image(): string {
    const image = this.flags["images-dir"] ?? (this.args as { IMG?: string }).IMG;
    if (image === undefined) throw new UsageError(`missing IMG: ${this.#name} IMG, or -D DIR`);
    return image;
  }

  /** Options for opening an image: an untrusted journal beside it is reported as a warning. */
  protected readonly opening = { onWarning: (sentence: string) => void this.warn(sentence) };

  readonly #checks: (() => void)[] = [];

  /** The same for read-only commands, which fail at the end if the image was changed meanwhile. */
  protected readonly looking = {
    ...this.opening,
    onOpened: (assertUnchanged: () => void) => void this.#checks.push(assertUnchanged),
  };

  /** Colours for stdout. */
  protected get style(): Style {
    return styleFor(1, this.flags.color);
  }

  /** Sets the exit code before anything is printed: it stays, even if the reader of stdout ends early (`| head`). */
  protected answering(answer: Answer): Answer {
    process.exitCode = answer;
    return answer;
  }

  /** Writes one line to stdout. */
  protected print(text: Line): void {
    this.printLines([text]);
  }

  /** Writes lines to stdout. */
  protected printLines(lines: Iterable<Line>): void {
    this.#wroteAnswer = true;
    writeLines(1, lines);
  }

  /** Writes a table to stdout that fits the terminal; cells are escaped here. */
  protected printTable(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    this.printLines(tableLines(columns, rows, { style: this.style, width: terminalWidth() }));
  }

  /** Writes the `--json` answer: `{schema, command, ...answer}`. */
  protected printJson(answer: object): void {
    this.#wroteAnswer = true;
    writeAnswer(this.#answer(answer));
  }

  /** The bytes of that answer, for `writeOutput`. */
  protected jsonBytes(answer: object): Buffer {
    return answerBytes(this.#answer(answer));
  }

  #answer(answer: object): object {
    return { schema: JSON_SCHEMA, command: this.#id, ...answer };
  }

  /** Writes the `--json` answer as lines, each `{schema, command, ...answer}`. */
  protected printJsonLines(answers: Iterable<object>): void {
    const head = { schema: JSON_SCHEMA, command: this.#id };
    const started = (): void => {
      this.#wroteAnswer = true;
    };
    writeAnswerLines(
      (function* () {
        for (const answer of answers) {
          started();
          yield { ...head, ...answer };
        }
      })(),
    );
  }

  /** Prints a note to stderr. */
  protected note(text: Line): void {
    writeLines(2, [text]);
  }

  /** Reports the recovery of an interrupted edit, before this command changes the image. */
  protected tellRecovery(found: Recovery): void {
    if (found !== "nothing") this.note(`note: ${RECOVERED[found]}`);
  }

  /** Warns of what could not be read, and returns the exit code: `answer`, or trouble if something is damaged. */
  protected withDamage(damage: readonly CrimgError[], answer: Answer): Answer {
    for (const error of damage.slice(0, MAX_DAMAGE_SHOWN)) this.warn(error);
    const more = damage.length - MAX_DAMAGE_SHOWN;
    if (more > 0) this.warn(`${more} more damaged parts`);
    if (damage.length === 0) return answer;
    this.note("note: what depends on the damaged parts is missing above");
    process.exitCode = EXIT.trouble;
    return answer;
  }

  /** Prints a note to stderr with `-v` only. */
  protected detail(text: string): void {
    if (this.flags.verbose) this.note(text);
  }

  /** Warns on stderr. */
  override warn<E extends string | Error>(input: E): E {
    const text = typeof input === "string" ? input : input.message;
    const { color } = this.flags ?? { color: "auto" };
    writeLines(2, [styled`${styleFor(2, color)("warning", "warning:")} ${text}`]);
    return input;
  }

  protected override async _run<R>(): Promise<R> {
    const answer = await super._run<R>();
    process.exitCode ??= answer as Answer;
    try {
      for (const assertUnchanged of this.#checks) assertUnchanged();
    } catch (error) {
      await this.catch(error);
    }
    return answer;
  }

  protected override async catch(error: unknown): Promise<void> {
    // Part of the answer was written already; a second JSON document would only hide that.
    const json = (this.flags?.json ?? wantsJson(this.argv)) && !this.#wroteAnswer;
    reportFailure(error, { command: this.#name, json, color: this.flags?.color ?? "auto" });
  }

  /** What to do for each image alone, if several are given; undefined for one. */
  async #several(flags: (typeof Command)["flags"]): Promise<(() => Promise<Answer>) | undefined> {
    const { many, baseFlags } = this.ctor as typeof BaseCommand;
    if (many === undefined || !this.argv.some((arg, at) => at > 0 || MAY_BE_SEVERAL.test(arg)))
      return undefined;
    const parsed = await this.parse({ args: {}, baseFlags, flags, strict: false });
    // Not its argv, which puts equal words side by side.
    const words = parsed.raw.filter(({ type }) => type === "arg").map(({ input }) => input);
    const { images, others } = many.split(words);
    const given = parsed.flags as ManyFlags;
    if (images.length < 2 && !given.recursive && given.jobs === undefined) return undefined;
    this.flags = parsed.flags as FlagsOf<T>;
    if (this.flags["images-dir"] !== undefined)
      throw new UsageError("-D names one image; name several as arguments");
    if (images.length === 0) throw new UsageError(`missing IMG: ${this.#name} IMG...`);
    return async () => {
      const { runSeveral } = await import("./many/several.js");
      this.#wroteAnswer = true;
      process.exitCode = await runSeveral({
        ...{ command: this.#id, images, others, flags: given, outcomes: many.outcomes },
        typed: parsed.raw.filter((token): token is Typed => token.type === "flag"),
        takesValue: (flag) => ({ ...flags, ...baseFlags })[flag]?.type === "option",
        ...{ style: this.style, root: this.config.root },
      });
      return EXIT.ok;
    };
  }

  async #givesImagesDir(flags: (typeof Command)["flags"]): Promise<boolean> {
    if (!this.argv.some((arg) => MAY_GIVE_IMAGES_DIR.test(arg))) return false;
    const { baseFlags } = this.ctor;
    const parsed = await this.parse({ args: {}, baseFlags, flags, strict: false });
    return parsed.flags["images-dir"] !== undefined;
  }

  get #id(): string {
    return (this.id ?? "").replaceAll(":", " ");
  }

  get #name(): string {
    return `${this.config.bin} ${this.#id}`;
  }
}

/** A repeatable flag takes one value each time, so that an argument may follow; oclif takes all by default. */
function oneValueEach(flags: (typeof Command)["flags"]): (typeof Command)["flags"] {
  const entries = Object.entries(flags ?? {}).map(([name, flag]) => [
    name,
    flag.type === "option" && flag.multiple ? { ...flag, multipleNonGreedy: true } : flag,
  ]);
  return Object.fromEntries(entries);
}
