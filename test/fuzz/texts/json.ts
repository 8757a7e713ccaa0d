import { EDGE_NUMBERS, edgeText } from "../edges.js";
import type { Random } from "../random.js";

/** JSON as its text has it: keys may occur twice, numbers have any digits. */
type Node = string | { readonly items: Node[] } | { readonly members: [key: string, value: Node][] };

/** JSON with one thing changed, and what that was. */
export function changedJson(text: string, random: Random): [text: string, what: string] {
  if (random.chance(0.15)) return changedText(text, random);
  let tree: Node;
  try {
    tree = nodeOf(JSON.parse(text));
  } catch {
    return changedText(text, random);
  }
  const inside = containersOf(tree);
  const container = random.pick(inside);
  const what = typeof container === "string" ? "nothing" : changeIn(container, random);
  return [textOf(tree), what];
}

function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) return { items: value.map(nodeOf) };
  if (typeof value === "object" && value !== null)
    return { members: Object.entries(value).map(([key, each]) => [key, nodeOf(each)]) };
  return JSON.stringify(value);
}

function containersOf(root: Node): Node[] {
  const all: Node[] = [root];
  for (const node of all) {
    if (typeof node === "string") continue;
    const children = "items" in node ? node.items : node.members.map(([, value]) => value);
    for (const child of children) if (typeof child !== "string") all.push(child);
  }
  return all;
}

function changeIn(node: Exclude<Node, string>, random: Random): string {
  const how = random.pick(["value", "value", "value", "value", "drop", "double", "add", "key"] as const);
  if ("items" in node) {
    const at = random.below(node.items.length + 1);
    const fresh = how === "double" ? (node.items[at] ?? "0") : anyValue(random);
    node.items.splice(at, how === "add" || how === "double" ? 0 : 1, ...(how === "drop" ? [] : [fresh]));
    return `element ${at}: ${how}`;
  }
  const at = random.below(node.members.length + 1);
  const [key, value] = node.members[at] ?? ["x", "0"];
  const fresh: [string, Node] =
    how === "double"
      ? [key, random.chance(0.5) ? value : anyValue(random)]
      : how === "key" || how === "add"
        ? [random.pick([edgeText(random), "_unknown", "_wire", "extra", "magic", "entries", "type"]), value]
        : [key, anyValue(random)];
  node.members.splice(at, how === "add" || how === "double" ? 0 : 1, ...(how === "drop" ? [] : [fresh]));
  return `${key}: ${how}`;
}

function anyValue(random: Random): Node {
  return random.pick<() => Node>([
    () => random.pick(["null", "true", "false", '""', "[]", "{}", "0", "-0", "-1", "1.5", "1e400", "1e-400"]),
    () => String(random.pick(EDGE_NUMBERS)),
    () => JSON.stringify(String(random.pick(EDGE_NUMBERS))),
    () => JSON.stringify(`0x${random.pick(EDGE_NUMBERS).toString(16)}`),
    () => JSON.stringify(edgeText(random)),
    () =>
      random.pick([
        '"\\ud800"',
        '"\\udc80"',
        '"\\u0000"',
        '"===="',
        '"AA=A"',
        '"O_RDWR | x"',
        '"1:2"',
        '"::"',
      ]),
    () => "9".repeat(random.pick([20, 400, 100_000])),
    () => `${"[".repeat(random.pick([70, 20_000]))}`,
    () => ({ items: Array<Node>(random.pick([1, 2, 5000])).fill(random.pick(["1", '"x"', "{}", "[]"])) }),
    () => ({ members: [[edgeText(random), "1"]] }),
  ])();
}

function changedText(text: string, random: Random): [string, string] {
  const at = random.below(text.length + 1);
  const fresh = random.pick([
    "",
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\u0000",
    "é",
    "\ud800",
    "1",
    "-",
    "e",
    "//",
  ]);
  const left = random.chance(0.3) ? text.length : at + random.below(3);
  return [
    text.slice(0, at) + fresh + text.slice(left),
    `${JSON.stringify(fresh)} from character ${at} to ${left}`,
  ];
}

function textOf(node: Node): string {
  if (typeof node === "string") return node;
  if ("items" in node) return `[${node.items.map(textOf).join(",")}]`;
  return `{${node.members.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join(",")}}`;
}
