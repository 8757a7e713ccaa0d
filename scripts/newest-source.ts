import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const SOURCES = ["src", "commands", "scripts", "package.json", "tsconfig.json", "tsconfig.build.json"];

/** Time of the last change (ms since 1970) of anything that `npm run build` reads under `root`. */
export function newestSource(root: string): number {
  const newest = (path: string): number => {
    const stat = statSync(path);
    if (!stat.isDirectory()) return stat.mtimeMs;
    return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), stat.mtimeMs);
  };
  return SOURCES.reduce((time, name) => Math.max(time, newest(join(root, name))), 0);
}
