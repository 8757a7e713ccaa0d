// The few requests of man(7) and tbl(1) that the generated pages are made of. Text may hold `code`, shown in bold.

/** Lines of a page. */
export type Roff = readonly string[];

export function page(name: string, section: number, version: string, ...body: Roff[]): string {
  const head = [
    "'\\\" t",
    '.\\" Made by scripts/man.ts; change what it reads, not this file.',
    `.TH ${name.toUpperCase()} ${section} "" "crimg ${version}" "crimg manual"`,
    ".nh",
    ".ad l",
  ];
  return `${[...head, ...body.flat()].join("\n")}\n`;
}

export function section(name: string, ...body: Roff[]): Roff {
  return [`.SH ${name}`, ...body.flat()];
}

export function subsection(name: string, ...body: Roff[]): Roff {
  return [`.SS ${inline(name)}`, ...body.flat()];
}

/** Paragraphs parted by blank lines; lines that start with "- " are a list, indented ones an example. */
export function prose(text: string): Roff {
  return text
    .trim()
    .split(/\n\s*\n/)
    .flatMap((paragraph) => {
      const lines = paragraph.split("\n");
      if (lines.every((line) => /^\s{2,}\S/.test(line))) return example(lines.map((line) => line.trim()));
      if (lines[0]?.startsWith("- ")) return list(paragraph.split(/^- /m).filter(Boolean));
      return [".PP", ...sentence(paragraph)];
    });
}

export function list(items: readonly string[]): Roff {
  return items.flatMap((item) => [".IP \\(bu 2", ...sentence(item)]);
}

/** A term and what it means. */
export function tagged(term: string, meaning: string): Roff {
  return [".TP", term, ...sentence(meaning)];
}

export function example(lines: readonly string[]): Roff {
  return [".PP", ".RS 4", ".EX", ...lines.map((line) => guard(escapeRoff(line))), ".EE", ".RE"];
}

/** A table whose last column is filled text. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): Roff {
  const left = heads.slice(1).map(() => "l2");
  const last = (cell: string): string => (cell === "" ? "" : `T{\n${guard(inline(cell))}\nT}`);
  return [
    ".PP",
    ".TS",
    [...left.map(() => "lb2"), "lb"].join(" "),
    `${[...left, "lx"].join(" ")}.`,
    heads.map(escapeRoff).join("\t"),
    ...rows.map((row) =>
      row.map((cell, at) => (at === row.length - 1 ? last(cell) : escapeRoff(cell))).join("\t"),
    ),
    ".TE",
  ];
}

export function bold(text: string): string {
  return `\\fB${escapeRoff(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${escapeRoff(text)}\\fR`;
}

/** Text with `code` in bold. */
export function inline(text: string): string {
  return text
    .split("`")
    .map((part, at) => (at % 2 === 1 ? bold(part) : escapeRoff(part)))
    .join("");
}

function sentence(text: string): Roff {
  return text
    .trim()
    .split("\n")
    .map((line) => guard(inline(line.trim())));
}

/** A hyphen is written so that it can be copied; a backslash prints itself. */
function escapeRoff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti");
}

/** A line that starts with a dot would be a request. */
function guard(line: string): string {
  return line.startsWith(".") ? `\\&${line}` : line;
}
