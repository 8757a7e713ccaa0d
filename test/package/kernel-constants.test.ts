import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../helpers/suite.js";

const test = suite("kernel constants");
const SRC = fileURLToPath(new URL("../../src/", import.meta.url));

/** Definitions by a literal: `const O_PATH = 0x200000`, also with a type, a sign, a shift. */
const DEFINITION =
  /^(?:export )?const ([A-Z_][A-Z0-9_]*)(?:: [^=\n]+)? = (?:-?(?:0x|0o)?[0-9a-f_]+n?)(?: (?:<<|\*\*|-|\*) [0-9_]+n?)*;/gm;

/** Names that belong to one interface of the kernel by their prefix. */
const KERNEL =
  /^(O|S_I[A-Z]|F|FD|AT|PROT|MAP|VM|CLONE|AF|SOCK|IPPROTO|SOL|SO|SCM|MSG|PR|SIGEV|SI|SA|SS|CAP|SECBIT|SECCOMP|IPC|SEEK|KCMP|MFD|EFD|TFD|TIOC|LOCK|FL|IOPRIO|NSEC|ERESTART)_[A-Z]|^SIG[A-Z]{2,}$|^E(PERM|NOENT|SRCH|INTR|AGAIN|ACCES|EXIST|XDEV|INVAL|NOTTY)$|^(TIOC|SIOC|TC[GS]ETS)[A-Z0-9]+$/;

/** Names that look like the kernel's and are not: CRIU's kinds of locks, record ids and sizes of linux-cr streams. */
const NOT_KERNEL: Readonly<Record<string, string>> = {
  "formats/criu/tables/file-lock.ts": "LOCK_",
  "formats/linux-cr/revision.ts": "SIGPENDING",
};

const files = (readdirSync(SRC, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"));
const textOf = (name: string): string => readFileSync(join(SRC, name), "utf8");
const definitions = files.flatMap((file) =>
  [...textOf(file).matchAll(DEFINITION)].map(([, name]) => ({ file, name: name as string })),
);

/** Every name that src/linux exports, and every one in its tables. */
const known = new Set(
  files
    .filter((file) => file.startsWith("linux/"))
    .flatMap((file) => [
      ...[...textOf(file).matchAll(/^export const ([A-Z_][A-Z0-9_]*)/gm)].map(([, name]) => name as string),
      ...[...textOf(file).matchAll(/^ {2}([A-Z][A-Z0-9_]*_[A-Z0-9_]+)(?:: |,$)/gm)].map(
        ([, name]) => name as string,
      ),
    ]),
);

test("src/linux has the constants", () => {
  assert.ok(known.size > 250, `${known.size}`);
  assert.ok(["O_CLOEXEC", "SIGKILL", "CLOCK_BOOTTIME", "NSEC_PER_SEC"].every((name) => known.has(name)));
});

test("no constant of the kernel is defined outside of src/linux", () => {
  const wrong = definitions.filter(
    ({ file, name }) =>
      !file.startsWith("linux/") &&
      ((known.has(name) && name.includes("_")) || KERNEL.test(name)) &&
      !name.endsWith("_BYTES") &&
      !(NOT_KERNEL[file] !== undefined && name.startsWith(NOT_KERNEL[file])),
  );
  assert.equal(
    wrong.map(({ file, name }) => `${file}: ${name}`),
    [],
  );
});

test("src/linux defines each name once", () => {
  const seen = new Set<string>();
  const twice = definitions
    .filter(({ file }) => file.startsWith("linux/"))
    .filter(({ name }) => seen.size === seen.add(name).size);
  assert.equal(twice, []);
});

test.run();
