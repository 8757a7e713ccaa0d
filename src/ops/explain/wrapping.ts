/** How criu begins a line: the time, or below -v1 in old versions only the task and the level. */
const START =
  /\(\d{2,9}\.\d{2,9}\)\s|(?:pie: {1,8})?(?:(?<![\d:.])\d{1,10}: {1,8})?(?:Error|Warn) {1,2}\([^()\s]{1,120}:\d{1,6}\): /;
/** Colours and other terminal sequences, as bytes or as what editors and journald make of them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins the sequences
const COLOURS = /(?:\x1b|\^\[|#033|\\x1b|\\u001b|\\e|\\033)\[[0-9;:]{0,40}[A-Za-z]/g;
/** Marks of a quotation in mail and Markdown. */
const QUOTED = /^(?:\s{0,8}>)+ ?/;
/** The beginning that syslog, journald, container engines and the kubelet give each line. */
const STAMPS: readonly RegExp[] = [
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \S{1,255} [^\s:[]{1,255}(?:\[\d{1,10}\])?: /,
  /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S{0,40} (?:(?:stdout|stderr) [FP] |\S{1,255} [^\s:[]{1,255}(?:\[\d{1,10}\])?: )?/,
];
/** A line whose beginning is lost, from the end of the place in criu's source on. */
const HEADLESS = /^[^:]{0,80}\.[ch]:\d{1,6}\): /;

/**
 * The lines of criu in a line of a log as people have it: without colours, marks of quotation, and what a journal, a
 * container engine or a structured logger wrote before and around it. `first`: the line may have lost its beginning.
 */
export function unwrapped(raw: string, first: boolean): string[] {
  const text = raw.replace(COLOURS, "").replace(QUOTED, "");
  const at = START.exec(text)?.index;
  if (at === undefined) {
    if (first && HEADLESS.test(text)) return [text.replace(HEADLESS, (head) => restoredHead(head))];
    const stamp = STAMPS.find((pattern) => pattern.test(text));
    return [stamp === undefined ? text : text.replace(stamp, "")];
  }
  const before = text.slice(0, at);
  if (before.trim() === "") return [text];
  const rest = text.slice(at);
  return isOpenQuote(before) ? quotedLines(rest) : [rest];
}

/** The level is told by the spaces before the place: `Error (`, but `Warn  (`. */
function restoredHead(head: string): string {
  const place = head.slice(head.lastIndexOf("(") + 1);
  return `${/ {2}\(/.test(head) ? "Warn " : "Error"} (${place}`;
}

function isOpenQuote(before: string): boolean {
  return (before.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1;
}

/** Up to the closing quote, without the escapes of JSON and of Go's %q. */
function quotedLines(rest: string): string[] {
  const text = /^(?:[^"\\]|\\.)*/.exec(rest)?.[0] ?? rest;
  const plain = text.replace(/\\(.)/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
  return plain.replace(/\n+$/, "").split("\n");
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "" };
