// npm run build: bundles the program into dist/cli, where bin/load.js finds it, writes the manifest of its commands,
// and keeps V8's compiled code beside each chunk. (tsc compiles the library, apart from this.)
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { directImports } from "./direct-imports.js";
import { commandManifest } from "./manifest.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = join(ROOT, "dist/cli");

interface Chunk {
  readonly name: string;
  readonly code: string;
}

/** The program in chunks, so that a command loads only what it uses. esbuild can split only ES modules… */
async function bundle(): Promise<Chunk[]> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ["bin/main.mts"],
    outdir: PROGRAM,
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    minify: true,
    write: false,
    alias: { "wsl-utils": join(ROOT, "scripts/not-windows.ts") },
    plugins: [directImports(join(ROOT, "src/index.ts"))],
    // oclif asks for a compiler only to run TypeScript commands in place, which a built program never does; koffi is
    // loaded from its package, where its binary is.
    external: ["typescript", "ts-node", "koffi"],
  });
  return outputFiles.map(({ path, text }) => ({ name: basename(path), code: text }));
}

/** …and V8 gives out its compiled code only for scripts, so each chunk becomes a function for bin/load.js. */
async function asScript({ name, code }: Chunk): Promise<Chunk> {
  const { code: body } = await transform(code, {
    format: "cjs",
    platform: "node",
    target: "node20",
    minify: true,
    supported: { "dynamic-import": false },
    // createRequire(import.meta.url) finds packages from where the chunk is.
    define: { "import.meta.url": "__dirname" },
    logOverride: { "empty-import-meta": "error" },
  });
  return { name, code: `(function(module,exports,require,__dirname){${body}})` };
}

const chunks = await Promise.all((await bundle()).map(asScript));
// Beside the old program until complete: a crimg that starts meanwhile finds one or the other.
const fresh = `${PROGRAM}.new`;
rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });
for (const { name, code } of chunks) {
  // esbuild escapes other characters of texts, not those of regular expressions.
  const [odd] = /[\u0100-\uffff].{0,40}/.exec(code) ?? [];
  if (odd !== undefined) throw new Error(`${name} is not Latin-1: ${odd}`);
  writeFileSync(join(fresh, name), code, "latin1");
}
writeFileSync(join(ROOT, "oclif.manifest.json"), JSON.stringify(await commandManifest()));
rmSync(PROGRAM, { recursive: true, force: true });
rmSync(join(ROOT, "dist/src"), { recursive: true, force: true });
renameSync(fresh, PROGRAM);
const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/code-cache.cjs")], {
  cwd: ROOT,
  stdio: ["ignore", "ignore", "pipe"],
});
if (status !== 0) {
  process.stderr.write(stderr);
  process.exit(1);
}
writeFileSync(join(ROOT, "dist/built"), "");
