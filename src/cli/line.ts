import { escapeText } from "./escape.js";

/** What may be printed: text, which is escaped on its way out, or text with colours in it. */
export type Line = string | Styled;

/**
 * Text with colours, safe for a terminal. `style`, `styled` and `tableLines` make it out of text that they escape; so
 * colours are the only control sequences that get through the output.
 */
export class Styled {
  private constructor(readonly rendered: string) {}

  /** For what is safe already: colours around escaped text. A test sees to it that only style.ts and table.ts call it. */
  static assured(rendered: string): Styled {
    return new Styled(rendered);
  }

  toString(): string {
    return this.rendered;
  }
}

/** What a terminal gets for a line. */
export function rendered(line: Line): string {
  return typeof line === "string" ? escapeText(line) : line.rendered;
}

/** A template for a line with colours in it: whatever has no colour is escaped. */
export function styled(parts: TemplateStringsArray, ...values: readonly (Line | number | bigint)[]): Styled {
  const shown = values.map((value) => rendered(typeof value === "object" ? value : String(value)));
  return Styled.assured(String.raw({ raw: parts }, ...shown));
}

/** Lines put together to one. */
export function joined(lines: readonly Line[], between: string): Styled {
  return Styled.assured(lines.map(rendered).join(between));
}
