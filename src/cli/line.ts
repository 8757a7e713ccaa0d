import { escapeText } from "./escape.js";

/** A line to print: plain text, which is escaped on output, or text with colours. */
export type Line = string | Styled;

/**
 * Text with colours, safe for a terminal. `style`, `styled` and `tableLines` make it from text that they escape, so
 * that colours are the only control sequences in the output.
 */
export class Styled {
  private constructor(readonly rendered: string) {}

  /** Marks text as safe: colours around escaped text. A test checks that only style.ts and table.ts call it. */
  static assured(rendered: string): Styled {
    return new Styled(rendered);
  }

  toString(): string {
    return this.rendered;
  }
}

/** A line as written to a terminal. */
export function rendered(line: Line): string {
  return typeof line === "string" ? escapeText(line) : line.rendered;
}

/** A template for a line with colours: plain text in it is escaped. */
export function styled(parts: TemplateStringsArray, ...values: readonly (Line | number | bigint)[]): Styled {
  const shown = values.map((value) => rendered(typeof value === "object" ? value : String(value)));
  return Styled.assured(String.raw({ raw: parts }, ...shown));
}

/** Lines joined into one. */
export function joined(lines: readonly Line[], between: string): Styled {
  return Styled.assured(lines.map(rendered).join(between));
}
