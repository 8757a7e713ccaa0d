import { isatty } from "node:tty";
import { Chalk } from "chalk";
import { escapeText } from "./escape.js";
import { Styled } from "./line.js";

/** When colour is used: `auto` means on a terminal, unless NO_COLOR is set or TERM is dumb. */
export const COLOR_CHOICES = ["auto", "never", "always"] as const;
export type ColorChoice = (typeof COLOR_CHOICES)[number];

const colored = new Chalk({ level: 1 });

const ROLES = {
  address: colored.cyan,
  name: colored.bold,
  path: colored.blue,
  faint: colored.dim,
  added: colored.green,
  removed: colored.red,
  changed: colored.yellow,
  good: colored.green,
  warning: colored.yellow,
  error: colored.red.bold,
  heading: colored.bold,
} as const;

/** Roles of text; each has one colour. */
export type Role = keyof typeof ROLES;

/** Colours text by its role, if colour is on. The text is escaped here. */
export type Style = (role: Role, text: string) => Styled;

/** The style for output to `fd` (1 or 2). */
export function styleFor(fd: 1 | 2, choice: ColorChoice): Style {
  const isColored = wantsColor(fd, choice);
  return (role, text) => {
    const safe = escapeText(text);
    return Styled.assured(isColored ? ROLES[role](safe) : safe);
  };
}

function wantsColor(fd: 1 | 2, choice: ColorChoice): boolean {
  if (choice !== "auto") return choice === "always";
  const { NO_COLOR, TERM } = process.env;
  return isatty(fd) && !NO_COLOR && TERM !== "dumb";
}
