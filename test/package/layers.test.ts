import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const LIBRARY = ["src/backends", "src/ops", "src/model", "src/formats", "src/schema", "src/linux", "src/io"];

/** Which layers a layer may import, besides itself; the table of CONTRIBUTING.md. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  bin: ["commands", "src/cli", "src/index.ts"],
  commands: ["src/cli", "src/index.ts"],
  "src/cli": ["src/index.ts"],
  "src/index.ts": ["src/*.ts", ...LIBRARY],
  "src/*.ts": LIBRARY,
  "src/backends": ["src/ops", "src/model", "src/formats", "src/linux", "src/io"],
  "src/ops": ["src/model", "src/formats", "src/schema", "src/linux", "src/io"],
  "src/model": ["src/formats", "src/schema", "src/linux", "src/io"],
  "src/formats": ["src/schema", "src/linux", "src/io"],
  "src/schema": ["src/io"],
  "src/linux": ["src/io"],
  "src/io": [],
};

/** Folders whose subfolders are strangers to one another; a file beside the subfolders may be used by all. */
const STRANGERS = ["src/ops", "src/formats", "src/backends"];

/** Packages that only one file may import. */
const SINGLE_IMPORTER: Readonly<Record<string, string>> = {
  chalk: "src/cli/style.ts",
  "cli-table3": "src/cli/table.ts",
};

interface Import {
  readonly from: string;
  readonly to: string;
  /** `import type` leaves no trace at run time, so it cannot make a cycle. */
  readonly typeOnly: boolean;
}

const files = ["bin", "commands", "src"].flatMap((top) =>
  (readdirSync(join(ROOT, top), { recursive: true }) as string[])
    .filter((name) => /\.m?ts$/.test(name))
    .map((name) => join(top, name)),
);
const imports = files.flatMap(importsOf);
const test = suite("layers");

function importsOf(from: string): Import[] {
  const text = readFileSync(join(ROOT, from), "utf8");
  const statements = text.matchAll(
    /^(?:import|export)\s[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(["`]([^"`]+)["`]\)/gm,
  );
  return [...statements].map((found) => {
    const name = (found[1] ?? found[2] ?? found[3]) as string;
    const to = name.startsWith(".") ? normalize(join(dirname(from), name)).replace(/\.js$/, ".ts") : name;
    return { from, to, typeOnly: /^(import|export) type\s/.test(found[0]) };
  });
}

function layerOf(file: string): string {
  if (/^src\/[^/]+\.ts$/.test(file) && file !== "src/index.ts") return "src/*.ts";
  return Object.keys(MAY_IMPORT).find((layer) => file === layer || file.startsWith(`${layer}/`)) ?? file;
}

const isOurs = ({ to }: Import): boolean => /^(bin|commands|src)\//.test(to);
const told = ({ from, to }: Import): string => `${from} imports ${to}`;

test("there are imports to judge", () => {
  assert.ok(imports.filter(isOurs).length > 20);
});

test("every file belongs to a layer", () => {
  assert.equal(
    files.filter((file) => !(layerOf(file) in MAY_IMPORT)),
    [],
  );
});

test("every import points down", () => {
  const wrong = imports.filter(isOurs).filter((each) => {
    const [from, to] = [layerOf(each.from), layerOf(each.to)];
    return from !== to && !MAY_IMPORT[from]?.includes(to);
  });
  assert.equal(wrong.map(told), []);
});

test("operations, formats and backends are strangers to one another", () => {
  const room = (file: string): string | undefined => {
    const folder = STRANGERS.find((each) => file.startsWith(`${each}/`));
    const [first, second] = folder === undefined ? [] : file.slice(folder.length + 1).split("/");
    return second === undefined ? undefined : `${folder}/${first}`;
  };
  const wrong = imports.filter((each) => {
    const [from, to] = [room(each.from), room(each.to)];
    return from !== undefined && to !== undefined && from !== to && layerOf(each.from) === layerOf(each.to);
  });
  assert.equal(wrong.map(told), []);
});

test("chalk and cli-table3 have one importer each", () => {
  const wrong = imports.filter(({ from, to }) => {
    const only = SINGLE_IMPORTER[to.split("/")[0] as string];
    return only !== undefined && from !== only;
  });
  assert.equal(wrong.map(told), []);
});

/** Circles of types alone, to be undone with the objects that they are about; no other may appear. */
const TYPE_CIRCLES: readonly (readonly string[])[] = [["src/model/open-file.ts", "src/model/socket.ts"]];

/** Groups of files that lead back to themselves, by the imports that are wanted: Tarjan's strongly connected components. */
function circles(isWanted: (each: Import) => boolean): string[][] {
  const next = new Map(
    files.map((file) => [file, imports.filter((each) => each.from === file && isWanted(each))]),
  );
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const own = order.size;
    order.set(file, own);
    lowest.set(file, own);
    open.push(file);
    for (const { to } of next.get(file) ?? []) {
      const reached = order.has(to)
        ? open.includes(to)
          ? (order.get(to) as number)
          : own
        : next.has(to)
          ? visit(to)
          : own;
      lowest.set(file, Math.min(lowest.get(file) as number, reached));
    }
    const low = lowest.get(file) as number;
    if (low === own) {
      const circle = open.splice(open.indexOf(file));
      if (circle.length > 1) found.push(circle.sort());
    }
    return low;
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return found;
}

test("no import goes in a circle", () => {
  assert.equal(
    circles(({ typeOnly }) => !typeOnly),
    [],
  );
});

test("no import goes in a circle, those of types included", () => {
  const known = TYPE_CIRCLES.map((circle) => circle.join(" "));
  const found = circles(() => true).map((circle) => circle.join(" "));
  assert.equal(
    found.filter((circle) => !known.includes(circle)),
    [],
  );
});

test("a stream is read and a restore is planned by slim without native code", () => {
  const reached = (file: string, seen = new Set<string>()): Set<string> => {
    if (!seen.has(file)) {
      seen.add(file);
      for (const { from, to, typeOnly } of imports) if (from === file && !typeOnly) reached(to, seen);
    }
    return seen;
  };
  const pure = files.filter((file) => /^src\/backends\/slim\/[a-z-]+\/(image|plan)\.ts$/.test(file));
  assert.ok(pure.length > 10);
  assert.equal(
    pure.filter((file) => reached(file).has("koffi")),
    [],
  );
});

test("file names are kebab-case", () => {
  assert.equal(
    files.filter((file) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.d)?\.m?ts$/.test(file)),
    [],
  );
});

test("only commands have a default export", () => {
  const wrong = files.filter((file) => {
    const hasDefault = /^export default /m.test(readFileSync(join(ROOT, file), "utf8"));
    return hasDefault !== file.startsWith("commands/");
  });
  assert.equal(wrong, []);
});

test.run();
