// npm run man: writes the generated manual pages, and names all pages in package.json.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CommandFacts, commandPage, overviewPage } from "./man-commands.js";
import { criuPage } from "./man-criu.js";
import { linuxCrPage } from "./man-linux-cr.js";
import { commandManifest } from "./manifest.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Path under the repository → text of each generated page. */
export async function manualPages(): Promise<Map<string, string>> {
  const pjson = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const { commands: all } = await commandManifest();
  const commands = Object.values(all).filter(({ hidden }) => !hidden) as CommandFacts[];
  const names = [
    "crimg(1)",
    ...commands.map(({ id }) => `crimg-${id}(1)`),
    "crimg-criu(5)",
    "crimg-linux-cr(5)",
    "crimg-conventions(7)",
  ];
  return new Map([
    ["man/man1/crimg.1", overviewPage(commands, names, pjson)],
    ...commands.map((command): [string, string] => [
      `man/man1/crimg-${command.id}.1`,
      commandPage(command, names, pjson.version),
    ]),
    ["man/man5/crimg-criu.5", await criuPage(pjson.version)],
    ["man/man5/crimg-linux-cr.5", await linuxCrPage(pjson.version)],
  ]);
}

/** Pages written by hand. */
export const HAND_WRITTEN = ["man/man7/crimg-conventions.7"];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pages = await manualPages();
  for (const section of ["man/man1", "man/man5"])
    rmSync(join(ROOT, section), { recursive: true, force: true });
  for (const [path, text] of pages) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
  // npm installs only the pages that package.json names.
  const pjson = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  pjson.man = [...pages.keys(), ...HAND_WRITTEN].map((path) => `./${path}`).sort();
  writeFileSync(join(ROOT, "package.json"), `${JSON.stringify(pjson, null, 2)}\n`);
}
