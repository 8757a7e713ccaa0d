import { UsageError } from "./errors.js";

/**
 * A pattern over paths: `*` any text without a slash, `**` any text, `?` one character but a slash, `[a-z]` `[!a]` one
 * of a set, `{a,b}` either, `\x` the character itself. A pattern without a slash is matched against the last component, as
 * in `*.log`. Errors: USAGE.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const expression = compile(pattern);
  if (!pattern.includes("/")) return (path) => expression.test(path.slice(path.lastIndexOf("/") + 1));
  return (path) => expression.test(path);
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(`^${translate(pattern)}$`, "su");
  } catch {
    throw new UsageError(`${JSON.stringify(pattern)} is no pattern: a range in [] runs backwards`);
  }
}

function translate(pattern: string): string {
  let out = "";
  let depth = 0;
  const chars = [...pattern];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] as string;
    if (char === "*" && chars[i + 1] === "*") {
      i++;
      // "/**/" also stands for one slash: /a/**/b matches /a/b.
      if (chars[i + 1] === "/" && out.endsWith("/")) {
        i++;
        out += "(?:.*/)?";
      } else out += ".*";
    } else if (char === "*") out += "[^/]*";
    else if (char === "?") out += "[^/]";
    else if (char === "\\" && i + 1 < chars.length) out += literal(chars[++i] as string);
    else if (char === "[" && chars.indexOf("]", i + 2) > 0) {
      const end = chars.indexOf("]", i + 2);
      const negated = chars[i + 1] === "!" || chars[i + 1] === "^";
      const set = chars
        .slice(i + (negated ? 2 : 1), end)
        .map((each) => (each === "-" ? each : literal(each)));
      out += `[${negated ? "^/" : ""}${set.join("")}]`;
      i = end;
    } else if (char === "{" && chars.indexOf("}", i) > 0) {
      depth++;
      out += "(?:";
    } else if (char === "}" && depth > 0) {
      depth--;
      out += ")";
    } else if (char === "," && depth > 0) out += "|";
    else out += literal(char);
  }
  return out + ")".repeat(depth);
}

/** In a Unicode expression only these may be escaped. */
function literal(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}
