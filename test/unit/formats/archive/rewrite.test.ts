/** Members of tar archives are replaced, added and taken away, and every other byte stays. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { rewrittenTar } from "../../../../src/formats/archive/tar/rewrite.js";
import { TarTree } from "../../../../src/formats/archive/tar/tree.js";
import { ConcatSource } from "../../../../src/io/concat.js";
import { MemorySource } from "../../../../src/io/source.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { suite } from "../../../helpers/suite.js";
import { base256, type Entry, longName, member, pax, tar } from "../../../helpers/tar.js";

const test = suite("rewriting tar archives");
test.after(cleanUp);

const OTHERS: readonly Entry[] = [
  { name: "first", content: "1".repeat(700) },
  { name: "dir/", type: "5" },
];
const LAST: readonly Entry[] = [{ name: "last", content: "zzz" }];

function rewrite(archive: Buffer, changes: Readonly<Record<string, string | null>>): Buffer {
  const tree = new TarTree(new MemorySource(archive, "a.tar"), "a.tar");
  const contents = Object.entries(changes).map(([name, text]): [string, MemorySource | null] => [
    name,
    text === null ? null : new MemorySource(Buffer.from(text), name),
  ]);
  const source = new ConcatSource("a.tar", rewrittenTar(tree, new Map(contents)));
  return source.read(0, source.size);
}

/** What the program tar reads of a member. */
function taken(archive: Buffer, name: string): string {
  const file = path.join(freshDirectory("tar"), "a.tar");
  fs.writeFileSync(file, archive);
  const { status, stdout, stderr } = spawnSync("tar", ["-xOf", file, name], { encoding: "latin1" });
  assert.is(status, 0, stderr);
  return stdout;
}

/** Ways in which a header can tell name and size, and what the new one is to look like for content of 3 and 4000 bytes. */
const KINDS: Readonly<Record<string, (size: number) => readonly Entry[]>> = {
  ustar: (size) => [{ name: "dir/x", content: "x".repeat(size) }],
  "GNU long name": (size) => [
    longName(`dir/${"n".repeat(200)}`),
    { name: "dir/n", content: "x".repeat(size) },
  ],
  "PAX path": (size) => [pax({ path: "dir/x" }), { name: "short", content: "x".repeat(size) }],
  "PAX size": (size) => [
    pax({ comment: "before", size: String(size), mtime: "1.5" }),
    { name: "dir/x", content: "x".repeat(size), size: 0 },
  ],
  "base-256": (size) => [
    { name: "dir/x", content: "x".repeat(size), raw: new Map([[124, base256(BigInt(size), 12)]]) },
  ],
  "blanks around octal digits": (size) => [
    {
      name: "dir/x",
      content: "x".repeat(size),
      raw: new Map([[124, Buffer.from(`${size.toString(8).padStart(10)}  `)]]),
    },
  ],
};

for (const [kind, made] of Object.entries(KINDS))
  test(`a member with ${kind}: another size, and nothing else changes`, () => {
    const name = kind === "GNU long name" ? `dir/${"n".repeat(200)}` : "dir/x";
    for (const [before, after] of [
      [3, 4000],
      [4000, 3],
      [100, 400],
      [512, 513],
      [0, 1],
      [1, 0],
    ] as const) {
      // Other digits than before are written in the usual style; a size of 0 in the header is that of the member too.
      const isKept = kind === "blanks around octal digits" ? false : kind !== "PAX size" || before > 0;
      const archive = tar([...OTHERS, ...made(before), ...LAST]);
      const found = rewrite(archive, { [name]: "x".repeat(after) });
      if (isKept) assert.ok(found.equals(tar([...OTHERS, ...made(after), ...LAST])), `${before} to ${after}`);
      assert.is(taken(found, name), "x".repeat(after));
      if (isKept && after > 0) assert.ok(rewrite(found, { [name]: "x".repeat(before) }).equals(archive));
    }
  });

test("content of the same size changes no header", () => {
  const archive = tar([...OTHERS, { name: "dir/x", content: "abc" }, ...LAST]);
  const found = rewrite(archive, { "dir/x": "abd" });
  assert.equal(
    [...archive].flatMap((byte, at) => (byte === found[at] ? [] : [at])),
    [archive.indexOf("abc") + 2],
  );
});

test("new members come last, and taking them away again leaves the archive as it was", () => {
  const archive = Buffer.concat([tar([...OTHERS, ...LAST]), Buffer.alloc(7680)]);
  const added = rewrite(archive, { "dir/log": "text" });
  const like = member({ name: "dir/log", content: "text" });
  const end = archive.length - 7680 - 1024;
  assert.ok(added.subarray(0, end).equals(archive.subarray(0, end)));
  assert.ok(added.subarray(end, end + like.length).equals(like));
  assert.ok(added.subarray(end + like.length).equals(archive.subarray(end)));
  assert.ok(rewrite(added, { "dir/log": null }).equals(archive));
});

test("a new member is named as the others of its directory, private, and a long path is split", () => {
  const dotted = tar([{ name: "./dir/a", content: "a", raw: new Map([[108, Buffer.from("0001750\0")]]) }]);
  const header = rewrite(dotted, { "dir/log": "x" }).subarray(1024, 1536);
  assert.is(header.toString("latin1", 0, 9), "./dir/log");
  assert.is(header.toString("latin1", 100, 116), "0000600\x000001750\0");
  const long = `${"d".repeat(90)}/${"f".repeat(60)}`;
  assert.is(taken(rewrite(tar(LAST), { [long]: "x" }), long), "x");
  assert.throws(() => rewrite(tar(LAST), { ["d".repeat(150)]: "x" }), /is too long for the header/);
});

test("what has no bytes of its own, or stands twice, is refused", () => {
  const cases: readonly (readonly [readonly Entry[], RegExp])[] = [
    [[{ name: "dir/x", type: "1", link: "first" }], /the member is a hard link, and is not edited/],
    [[{ name: "dir/x", type: "2", link: "first" }], /the member is a symbolic link/],
    [
      [
        { name: "dir/x", content: "a" },
        { name: "./dir/x", content: "b" },
      ],
      /two members "dir\/x": it is not edited/,
    ],
    [
      [
        pax({ "GNU.sparse.realsize": "9", "GNU.sparse.map": "0,3", "GNU.sparse.name": "dir/x" }),
        { name: "s", content: "abc" },
      ],
      /the member is sparse/,
    ],
    [
      [
        { ...pax({ size: "3" }), type: "g" },
        { name: "dir/x", content: "abc", size: 0 },
      ],
      /the size of the member stands in a header for all members/,
    ],
  ];
  for (const [entries, message] of cases)
    assert.throws(() => rewrite(tar([...OTHERS, ...entries]), { "dir/x": "other" }), message);
});

test.run();
