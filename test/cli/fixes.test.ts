/** The command that is printed as a fix, pasted into a shell, fixes what it is printed for. */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { CRIMG, crimgJson } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { fixture } from "../unit/ops/edit/planned.js";

const test = suite("printed fixes");
const ARCHIVES = fileURLToPath(new URL("../../fixtures/files/", import.meta.url));

test.after(cleanUp);

interface Case {
  readonly what: string;
  readonly id: string;
  readonly set: string;
  /** Makes it happen; `home` is the directory of the program below the root, `set` that of the images. */
  readonly make: (home: string, set: string) => void;
  /** What a person puts in the place of words such as NEWPATH. */
  readonly words?: Readonly<Record<string, string>>;
}

const HOME = "/var/lib/crimg-demo/logger";
const edited = (set: string, field: string): void => {
  execFileSync(process.execPath, [CRIMG, "edit", set, "--set", field, "--in-place"]);
};

const CASES: readonly Case[] = [
  {
    what: "a file of another mode",
    id: "FILE_MODE",
    set: "logger",
    make: (home) => fs.chmodSync(path.join(home, "etc/logger.conf"), 0o600),
  },
  {
    what: "a directory of another mode",
    id: "FILE_MODE",
    set: "logger",
    make: (home) => fs.chmodSync(path.join(home, "run"), 0o1777),
  },
  {
    what: "a log that has grown",
    id: "FILE_SIZE",
    set: "logger",
    make: (home) => fs.appendFileSync(path.join(home, "log/messages"), "more\n"),
  },
  {
    what: "data that has grown",
    id: "FILE_SIZE",
    set: "logger",
    make: (home) => fs.appendFileSync(path.join(home, "etc/logger.conf"), "more\n"),
  },
  {
    what: "data that has lost its end",
    id: "FILE_SIZE",
    set: "logger",
    make: (home) => fs.truncateSync(path.join(home, "data/records"), 10),
  },
  {
    what: "a file that has moved",
    id: "FILE_MISSING",
    set: "logger",
    make: (home) => fs.renameSync(path.join(home, "log/messages"), path.join(home, "log/new file")),
    words: { NEWPATH: `'${HOME}/log/new file'` },
  },
  {
    what: "a directory that has moved",
    id: "FILE_MISSING",
    set: "logger",
    make: (home) => fs.renameSync(path.join(home, "etc"), path.join(home, "conf")),
    words: { NEWPATH: `${HOME}/conf` },
  },
  {
    what: "an address that no interface has",
    id: "ADDRESS_MISSING",
    set: "sockets",
    make: (_, set) => edited(set, "files.img[18].isk.src_addr=203.0.113.1"),
    words: { NEW: "127.0.0.1" },
  },
];

for (const { what, id, set: name, make, words = {} } of CASES)
  test(`${id}: ${what}`, async () => {
    const directory = freshDirectory("fixes");
    fs.chmodSync(directory, 0o755);
    execFileSync("tar", ["xzpf", path.join(ARCHIVES, `${name}.tar.gz`), "-C", directory]);
    const set = path.join(directory, "a set");
    fs.cpSync(fixture(name), set, { recursive: true });
    make(path.join(directory, "var/lib/crimg-demo", name), set);
    const findings = async () => {
      const where = id === "ADDRESS_MISSING" ? ["--host"] : ["--root", directory];
      const { json } = await crimgJson(["validate", set, ...where, "--only", id]);
      return (json as { findings: { fix?: string }[] }).findings;
    };
    const [finding, ...others] = await findings();
    assert.equal(others, []);
    let fix = finding?.fix ?? "";
    for (const [word, meant] of Object.entries(words)) fix = fix.replace(`=${word}`, `=${meant}`);
    pasted(directory, fix);
    assert.equal(await findings(), [], fix);
  });

/** Runs a command as a shell does in which crimg is on the PATH. */
function pasted(directory: string, command: string): void {
  const bin = path.join(directory, "bin of crimg");
  fs.mkdirSync(bin);
  fs.writeFileSync(path.join(bin, "crimg"), `#!/bin/sh\nexec '${process.execPath}' '${CRIMG}' "$@"\n`, {
    mode: 0o755,
  });
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const { status, stderr } = spawnSync("sh", ["-c", command], { env, encoding: "utf8" });
  assert.is(status, 0, `${command}: ${stderr}`);
}

test.run();
