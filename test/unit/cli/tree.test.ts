import * as assert from "uvu/assert";
import { treeLines } from "../../../src/cli/tree.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/cli/tree");

test("draws branches", () => {
  const under = (node: number): number[] => ({ 1: [2, 5], 2: [3, 4], 6: [7] })[node] ?? [];
  assert.equal(
    [...treeLines([1, 6], under, String)],
    ["1", "├── 2", "│   ├── 3", "│   └── 4", "└── 5", "6", "└── 7"],
  );
});

test("a cycle is shown once more and not followed", () => {
  assert.equal(
    [...treeLines([1], (node) => [node === 1 ? 2 : 1], String)],
    ["1", "└── 2", "    └── 1 (again)"],
  );
});

test("a chain of 100,000 is drawn in linear time and space", () => {
  let length = 0;
  for (const line of treeLines([0], (node) => (node < 100_000 ? [node + 1] : []), String))
    length += line.length;
  assert.ok(length < 30_000_000);
});

test.run();
