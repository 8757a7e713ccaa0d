import * as assert from "uvu/assert";
import { rendered } from "../../../src/cli/line.js";
import { styleFor } from "../../../src/cli/style.js";
import { type Cell, type Column, displayWidth, tableLines } from "../../../src/cli/table.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/cli/table");
const plain = styleFor(1, "never");
const COLUMNS: Column[] = [
  { head: "PID", align: "right" },
  { head: "TYPE" },
  { head: "PATH", cut: "start" },
  { head: "NOTE", cut: "end" },
];
const ROWS: Cell[][] = [
  [7, "reg", "/srv/data/a-rather-long-directory/file.db", "short"],
  [12345n, { text: "fifo", role: "name" }, "/tmp/日本語/\u001b[31m", "a note that goes on for quite a while"],
];

const lines = (rows: readonly Cell[][], width?: number): string[] => [
  ...Array.from(tableLines(COLUMNS, rows, { style: plain, width }), rendered),
];

test("columns are aligned and parted by two blanks, with nothing at the ends", () => {
  assert.equal(
    lines([
      [7, "reg", "/a", "x"],
      [12345, "fifo", "/a/b", ""],
    ]),
    ["  PID  TYPE  PATH  NOTE", "    7  reg   /a    x", "12345  fifo  /a/b"],
  );
});

test("text from an image is escaped", () => {
  assert.ok(lines(ROWS)[2]?.includes("\\x1b[31m"));
});

for (const width of [200, 80, 60, 48]) {
  test(`a table fits ${width} columns`, () => {
    for (const line of lines(ROWS, width)) assert.ok(displayWidth(line) <= width, line);
  });
}

test("paths lose their start and prose its end, and only when they must", () => {
  const narrow = lines(ROWS, 60);
  assert.match(narrow[1] as string, /…\S+file\.db/);
  assert.match(narrow[2] as string, / {2}a note that.*…$/);
  assert.not.ok(lines(ROWS).join("").includes("…"));
});

test("a last name that is too long for its column keeps its start and its end", () => {
  const library = "/usr/lib/python3.11/lib-dynload/_bz2.cpython-311-x86_64-linux-gnu.so";
  const [, line] = Array.from(
    tableLines([{ head: "FILE", cut: "start" }], [[library]], { style: plain, width: 24 }),
    rendered,
  );
  assert.match(line as string, /^_bz2\.\S*…\S*gnu\.so$/);
  assert.is(displayWidth(line as string), 24);
});

test("without a width nothing is cut", () => {
  assert.ok(lines([["1", "reg", "/x".repeat(500), "n"]])[1]?.includes("/x".repeat(500)));
});

test("columns that may not be cut stay whole on the narrowest terminal", () => {
  assert.ok(lines(ROWS, 10)[2]?.includes("12345  fifo"));
});

test("a long table looks like a short one", () => {
  for (const width of [undefined, 60]) {
    const long = lines(Array.from({ length: 101 }, () => ROWS).flat(), width);
    assert.equal(long.slice(0, 3), lines(ROWS, width));
  }
});

test("a long table is coloured like a short one", () => {
  const style = styleFor(1, "always");
  const short = Array.from(tableLines(COLUMNS, ROWS, { style, width: 60 }), rendered);
  const rows = Array.from({ length: 101 }, () => ROWS).flat();
  const long = Array.from(tableLines(COLUMNS, rows, { style, width: 60 }), rendered);
  assert.equal(long.slice(0, 3), short);
  assert.ok(short[2]?.includes("\u001b[1mfifo\u001b[22m"));
});

test("20,000 rows take a fraction of a second", () => {
  const rows = Array.from({ length: 20_000 }, (_, at): Cell[] => [
    at,
    "reg",
    `/var/lib/data/file-${at}`,
    "note",
  ]);
  const start = performance.now();
  assert.is(lines(rows, 60).length, 20_001);
  assert.ok(performance.now() - start < 1500);
});

test.run();
