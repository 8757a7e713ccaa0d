import { fileURLToPath } from "node:url";
import { Plugin } from "@oclif/core";
import { settings } from "@oclif/core/settings";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The manifest of the commands as oclif makes it, without what names files: the program is bundled. */
export async function commandManifest(): Promise<Plugin["manifest"]> {
  settings.enableAutoTranspile = false; // tsx runs the commands already
  const plugin = new Plugin({ root: ROOT, isRoot: true, ignoreManifest: true, errorOnManifestCreate: true });
  await plugin.load();
  const { commands, version } = plugin.manifest;
  for (const command of Object.values(commands)) {
    delete command.isESM;
    delete command.relativePath;
  }
  const sorted = Object.entries(commands).sort(([a], [b]) => (a < b ? -1 : 1));
  return { version, commands: Object.fromEntries(sorted) };
}
