import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MessagePort } from "node:worker_threads";
import type { Interfaces } from "@oclif/core";
import { run } from "@oclif/core/run";
import { reportFailure, wantsJson } from "../src/cli/failure.js";
import { serve as serveRuns } from "../src/cli/many/worker.js";
import { nearest } from "../src/cli/nearest.js";
import { UsageError } from "../src/index.js";

const ROOT = join(__dirname, "../..");

/** A flag that every command takes, with or without its value in the same word. */
const GLOBAL_FLAG = /^(-v|--verbose|--json|-D.*|--images-dir(=.*)?|--color(=.*)?)$/;
/** Its value is the next word. */
const TAKES_VALUE = /^(-D|--images-dir|--color)$/;

/** Runs crimg with these arguments. Errors outside of a command, such as an unknown command, are reported here. */
export async function main(argv: string[]): Promise<void> {
  const fail = (error: unknown): void =>
    reportFailure(error, { command: "crimg", json: wantsJson(argv), color: "auto" });
  process.on("uncaughtException", (error) => {
    fail(error);
    process.exit();
  });
  try {
    const plugin = thisPlugin();
    const args = inOrder(argv[0] === "help" ? [...argv.slice(1), "--help"] : argv);
    refuseUnknown(args[0], plugin);
    await run(args, { root: ROOT, plugins: new Map([[plugin.name, plugin]]) } as Interfaces.Options);
  } catch (error) {
    fail(error);
  }
}

/** Runs the command lines that come by the port of a worker thread. */
export function serve(port: MessagePort): void {
  serveRuns(port, main);
}

/** Global flags may stand before the command, as in git; oclif wants them after it. */
function inOrder(argv: readonly string[]): string[] {
  const flags: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (!GLOBAL_FLAG.test(word)) return [...argv.slice(at, at + 1), ...flags, ...argv.slice(at + 1)];
    flags.push(word);
    if (TAKES_VALUE.test(word) && argv[at + 1] !== undefined) flags.push(argv[++at] as string);
  }
  return [];
}

/**
 * What oclif needs to know of crimg, from the manifest that the build made. oclif would find it by itself, but
 * that takes a third of bare Node's start-up.
 */
function thisPlugin(): Interfaces.Plugin {
  const pjson = readJson("package.json");
  const manifest = readJson("oclif.manifest.json");
  const { name, version } = pjson;
  const commands = Object.values(manifest.commands as Record<string, { id: string }>);
  return {
    ...{ _base: name, alias: name, name, version, root: ROOT, pjson, options: { root: ROOT } },
    ...{ type: "core", isRoot: true, valid: true, hasManifest: true, moduleType: "module" },
    ...{ hooks: {}, topics: [], commandsDir: undefined, load: async () => {} },
    commandIDs: commands.map(({ id }) => id),
    commands: commands.map((command) => ({ ...command, load: () => commandClass(command.id) })),
    findCommand: commandClass,
  } as unknown as Interfaces.Plugin;
}

/** oclif's own message for this is about oclif. */
function refuseUnknown(word: string | undefined, { commands }: Interfaces.Plugin): void {
  if (word === undefined || word.startsWith("-")) return;
  const names = commands.flatMap(({ id, aliases }) => [id, ...aliases]);
  if (names.includes(word)) return;
  const meant = nearest(word, names);
  const advice = meant === undefined ? "see crimg --help" : `did you mean ${JSON.stringify(meant)}?`;
  throw new UsageError(`unknown command ${JSON.stringify(word)}; ${advice}`);
}

async function commandClass(id: string): Promise<unknown> {
  const { default: command } = await import(`../commands/${id}.ts`);
  command.id = id;
  return command;
}

function readJson(name: string) {
  return JSON.parse(readFileSync(join(ROOT, name), "utf8"));
}
