import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CRIMG } from "../helpers/cli.js";
import { suite } from "../helpers/suite.js";

const test = suite("README: every console block shows what the commands really print", {}, 120);

const BLOCK = /```console\n([\s\S]*?)```/g;

/** The commands of a block: lines after `$ `, with the lines that a backslash continues. */
function commandsOf(block: string): string[] {
  return [...block.matchAll(/^\$ ((?:.*\\\n)*.*)$/gm)].map(([, command]) => command as string);
}

/** Without the lines that depend on what the file system can share. */
function stable(text: string): string {
  return text.replaceAll(/^(other files: |pages-).*\n/gm, "");
}

/** Runs one command as a person would, in a directory for what it writes; times are made alike. */
function run(command: string, scratch: string): string {
  const script = `umask 022; crimg() { node "$CRIMG" "$@"; }\n{ ${command.replaceAll("/tmp/", `${scratch}/`)}\n} 2>&1`;
  const { stdout, error } = spawnSync("bash", ["-c", script], {
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      CRIMG,
      CRIMG_OWNER: "0",
      HOME: scratch,
      COLUMNS: "100",
      LC_ALL: "C.UTF-8",
      TZ: "UTC",
      NO_COLOR: "1",
    },
    timeout: 60_000,
  });
  assert.is(error, undefined);
  return stdout
    .replaceAll(scratch, "/tmp")
    .replaceAll(/[0-9a-f]{64}/g, "3f0b1d5c6f5a4c1ce0a5dbd2a4b38a4d0a43a30b4d9f1b8c2e8f0d6a7c5b4e21")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "2026-11-21T10:00:00Z")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "2026-11-21 10:00:00 UTC");
}

test("README.md", () => {
  const scratch = mkdtempSync(join(tmpdir(), "crimg-readme-"));
  try {
    const readme = readFileSync("README.md", "utf8");
    const fresh = readme.replaceAll(BLOCK, (_, block: string) => {
      const parts = commandsOf(block).map((command) => `$ ${command}\n${run(command, scratch)}`);
      return `\`\`\`console\n${parts.join("\n").replace(/\n+$/, "\n")}\`\`\``;
    });
    if (process.env.BLESS === "1") writeFileSync("README.md", fresh);
    else assert.fixture(stable(fresh), stable(readme), "if intended run with BLESS=1 and check the diff");
  } finally {
    rmSync(scratch, { recursive: true });
  }
});

test.run();
