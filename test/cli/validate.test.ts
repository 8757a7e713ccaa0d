import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { needCriu } from "../helpers/criu.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { forOtherUser } from "../helpers/other-user.js";
import { suite } from "../helpers/suite.js";
import { unpackedFiles } from "../helpers/unpacked-files.js";
import { DamagedSet } from "../unit/ops/validate/damaged-set.js";

const test = suite("crimg validate");
const FIXTURES = fileURLToPath(new URL("../../fixtures/", import.meta.url));
const LOGGER = join(FIXTURES, "criu/logger");

interface Finding {
  readonly id: string;
  readonly severity: string;
  readonly object: { readonly path?: string; readonly pid?: number; readonly fd?: number };
  readonly fix?: string;
  readonly count: number;
}

interface Answer {
  readonly schema: string;
  readonly command: string;
  readonly verdict: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly checked: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  readonly options: readonly { readonly option: string; readonly reason: string }[];
}

test.after(cleanUp);

/** A set on disk: a copy of a fixture with the changed images in it. */
function onDisk(
  fixture: string,
  changes: (set: DamagedSet) => DamagedSet,
  images: readonly string[],
): string {
  const directory = join(freshDirectory("set"), "img");
  cpSync(join(FIXTURES, "criu", fixture), directory, { recursive: true });
  const set = changes(new DamagedSet(fixture));
  for (const image of images) writeFileSync(join(directory, image), set.read(image));
  return directory;
}

async function validated(args: readonly string[]): Promise<Answer & { readonly code: number | null }> {
  const { code, json } = await crimgJson(["validate", ...args]);
  return { ...(json as Answer), code };
}

test("a whole set is one line that says what was checked", async () => {
  const { code, stdout, stderr } = await crimg(["validate", LOGGER]);
  assert.match(
    stdout,
    /^valid: [^\n]+logger: 13 images, 30 records, 1 task, 8 open files, 0 locks checked by \d+ rules\n$/,
  );
  assert.equal([code, stderr], [0, ""]);
});

test("check is the same command", async () => {
  const [validate, check] = await Promise.all([crimg(["validate", LOGGER]), crimg(["check", "-D", LOGGER])]);
  assert.is(check.stdout, validate.stdout);
  assert.is((await crimgJson(["check", LOGGER])).code, 0);
});

test("a finding has its id, place, what was expected and found, and what mends it", async () => {
  const set = onDisk("logger", (each) => each.set("fdinfo-2.img[3].id", 99), ["fdinfo-2.img"]);
  const { code, stdout } = await crimg(["validate", set, "--only", "FD_FILE"]);
  assert.is(
    stdout,
    `error FD_FILE: descriptor of a missing open file
  fdinfo-2.img[3] (fd 3 of task 1000): expected an open file of type REG with id 99, found none
    crimg edit ${set} --drop-fd 1000:3 --in-place
invalid: ${set}: 1 error
`,
  );
  assert.is(code, 1);
});

test("the JSON has a version, counts, findings and the options of a restore", async () => {
  const answer = await validated([join(FIXTURES, "criu/locks")]);
  assert.equal(
    [answer.schema, answer.command, answer.verdict, answer.code],
    ["crimg/1", "validate", "valid", 0],
  );
  assert.equal(answer.counts, { error: 0, warning: 3, note: 0 });
  assert.is(answer.checked.locks, 12);
  assert.equal(answer.findings[0]?.object, {
    image: "filelocks.img",
    record: 9,
    pid: 1000,
    fd: 10,
    path: "/var/lib/crimg-demo/locks/lease-read-to-none",
  } as object);
  assert.equal(
    answer.options.map(({ option }) => option),
    ["--file-locks"],
  );
});

test("--ignore leaves a rule out, --only checks nothing else", async () => {
  const locks = join(FIXTURES, "criu/locks");
  assert.equal((await validated([locks, "--ignore", "LEASE_BREAKING"])).findings, []);
  const only = await validated([locks, "--only", "LEASE_BREAKING", "--only", "FILE_PATH"]);
  assert.equal([only.checked.rules, only.findings.length], [2, 3]);
  const unknown = await crimg(["validate", locks, "--ignore", "NOPE"]);
  assert.equal(
    [unknown.code, unknown.stderr],
    [2, "error: unknown rule NOPE; crimg validate --rules lists them\n"],
  );
});

test("--suspicious warns, and the image stays valid", async () => {
  const sockets = join(FIXTURES, "criu/sockets");
  const warned = await crimg(["validate", sockets, "--suspicious"]);
  assert.is(warned.code, 0);
  assert.match(warned.stdout, /^warning SUSPICIOUS_SOCKET: a task has a packet socket/m);
  assert.not.match((await crimg(["validate", sockets])).stdout, /SUSPICIOUS/);
});

test("--rules lists every rule with its severity", async () => {
  const { code, json } = await crimgJson(["validate", "--rules"]);
  const { rules } = json as { rules: { id: string; severity: string; about: string; mend: string }[] };
  assert.ok(rules.length > 190 && rules.every(({ about, mend }) => about !== "" && mend !== ""));
  const { stdout } = await crimg(["validate", "--rules"]);
  assert.is(stdout.trimEnd().split("\n").length, rules.length + 1);
  assert.is(code, 0);
});

test("equal findings are one line with a count, in JSON too", async () => {
  const root = freshDirectory("equal");
  mkdirSync(join(root, "dev"));
  writeFileSync(join(root, "dev/null"), "");
  const args = [LOGGER, "--root", root, "--only", "FILE_TYPE"];
  const { stdout } = await crimg(["validate", ...args]);
  assert.match(stdout, /^ {2}\/dev\/null .*, found a regular file \(2 times\)$/m);
  const { findings, counts } = await validated(args);
  assert.equal([findings.map(({ count }) => count), counts.error], [[2], 1]);
});

test("--only and --ignore take several rules, one by one or with commas", async () => {
  for (const flag of ["--only", "--ignore"]) {
    const [one, list] = await Promise.all([
      validated([LOGGER, flag, "FD_FILE", flag, "FILE_PATH"]),
      validated([LOGGER, flag, "FD_FILE,FILE_PATH"]),
    ]);
    assert.equal([list.code, list.checked], [0, one.checked]);
  }
});

test("many findings of a kind are shown five at a time", async () => {
  const set = onDisk("tree", (each) => each, []);
  for (const pid of [1003, 1004, 1005, 1007, 1008, 1010, 1013]) rmSync(join(set, `fs-${pid}.img`));
  const short = await crimg(["validate", set, "--only", "IMAGE_MISSING"]);
  assert.match(short.stdout, /\n {2}and 2 more \(--only IMAGE_MISSING --all\)\n/);
  const all = await crimg(["validate", set, "--only", "IMAGE_MISSING", "--all"]);
  assert.is(all.stdout.match(/^ {2}fs-/gm)?.length, 7);
});

test("--root looks at the files, --policy at those that no descriptor names", async () => {
  const root = unpackedFiles("logger").root;
  assert.is((await validated([LOGGER, "--root", root])).verdict, "valid");
  const policy = join(freshDirectory("policy"), "p.yaml");
  writeFileSync(policy, "watch:\n  - $" + "{home}/run/*.tmp\n");
  const args = [LOGGER, "--root", root, "--policy", policy, "--var", "home=/var/lib/crimg-demo/logger"];
  const missing = await validated(args);
  assert.equal([missing.code, missing.findings.map(({ id }) => id)], [1, ["WATCH_MISSING"]]);
  writeFileSync(join(root, "var/lib/crimg-demo/logger/run/a.tmp"), "");
  assert.is((await validated(args)).code, 0);
});

test("a root that is none is trouble", async () => {
  const { code, stderr } = await crimg(["validate", LOGGER, "--root", "/no/such/root"]);
  assert.equal(
    [code, stderr],
    [2, "error: /no/such/root: cannot look below it: no such file or directory (ENOENT)\n"],
  );
});

test("--host asks the criu that is named", async () => {
  const broken = await validated([LOGGER, "--host", "--criu", "/bin/false"]);
  assert.ok(broken.findings.some(({ id }) => id === "CRIU_MISSING"));
  assert.is(broken.code, 1);
});

test("--host is content with a criu that works", async () => {
  const { findings } = await validated([LOGGER, "--host", "--criu", needCriu()]);
  assert.equal(
    findings.filter(({ id }) => id.startsWith("CRIU_")),
    [],
  );
});

const PASTED: readonly (readonly [
  id: string,
  fixture: string,
  image: string,
  change: (set: DamagedSet) => DamagedSet,
])[] = [
  ["FD_FILE", "logger", "fdinfo-2.img", (set) => set.set("fdinfo-2.img[3].id", 99)],
  [
    "COMM_LENGTH",
    "logger",
    "core-1000.img",
    (set) => set.set("core-1000.img[0].thread_core.comm", "a name with 20 bytes"),
  ],
  ["FILE_PATH_FORM", "logger", "files.img", (set) => set.set("files.img[3].reg.name", "/var/log/ (deleted)")],
  [
    "FILE_PATH_PARENT",
    "logger",
    "files.img",
    (set) => set.set("files.img[3].reg.name", "/../it's $HOME/\u001b[2J"),
  ],
  ["FILE_FLAGS", "logger", "files.img", (set) => set.set("files.img[3].reg.flags", 0o1001)],
  ["DEATH_SIGNAL", "logger", "core-1000.img", (set) => set.set("core-1000.img[0].thread_core.pdeath_sig", 9)],
  ["LOCK_TYPE", "locks", "filelocks.img", (set) => set.set("filelocks.img[2].type", 9)],
  ["LOCK_TASK", "locks", "filelocks.img", (set) => set.set("filelocks.img[0].pid", 4242)],
  ["LOCK_FD", "locks", "filelocks.img", (set) => set.set("filelocks.img[11].fd", 77)],
  [
    "LEASE_BREAKING",
    "locks",
    "filelocks.img",
    (set) => set.drop("filelocks.img", 11).drop("filelocks.img", 10),
  ],
  ["LEASE_BUILD_ID", "locks", "files.img", (set) => set.set("files.img[9].reg.build_id", [1, 2, 3, 4, 5])],
  ["LINK_REMAP_CHECKED", "deleted", "files.img", (set) => set.set("files.img[11].reg.size", 200n)],
];

for (const [id, fixture, image, change] of PASTED)
  test(`${id} is mended by its command, as pasted`, async () => {
    const set = onDisk(fixture, change, [image]);
    const before = (await validated([set])).findings.filter((finding) => finding.id === id);
    assert.is(before.length, 1);
    paste(before[0]?.fix as string);
    assert.equal(
      (await validated([set])).findings.filter((finding) => finding.id === id),
      [],
    );
  });

test("a log that grew and other permissions are mended by their commands, as pasted", async () => {
  const root = unpackedFiles("logger").root;
  const set = onDisk("logger", (each) => each, []);
  const records = join(root, "var/lib/crimg-demo/logger/data/records");
  writeFileSync(records, "more", { flag: "a" });
  chmodSync(records, 0o640);
  const { findings } = await validated([set, "--root", root]);
  assert.equal(findings.map(({ id }) => id).sort(), ["FILE_MODE", "FILE_SIZE"]);
  for (const { fix } of findings) paste(fix as string);
  assert.is((await validated([set, "--root", root])).verdict, "valid");
});

/** Runs a command line in a shell that knows crimg. */
function paste(line: string): void {
  const bin = freshDirectory("bin");
  symlinkSync(CRIMG, join(bin, "crimg"));
  const { status, stderr } = spawnSync("bash", ["--norc", "-c", line], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH}` },
  });
  assert.is(status, 0, `${line}: ${stderr}`);
}

test("IMAGE_UNREADABLE: files that the user may not read", () => {
  const set = onDisk("logger", (each) => each, []);
  chmodSync(dirname(set), 0o755);
  chmodSync(set, 0o755);
  for (const image of readdirSync(set))
    chmodSync(join(set, image), ["files.img", "pages-1.img"].includes(image) ? 0 : 0o644);
  const isRoot = process.getuid?.() === 0;
  const { node, crimg, ...user } = isRoot ? forOtherUser() : { node: process.execPath, crimg: CRIMG };
  const options = { ...user, encoding: "utf8", cwd: "/" } as const;
  const { status, stdout, stderr } = spawnSync(node, [crimg, "validate", set, "--json"], options);
  assert.ok(stdout.startsWith("{"), stderr);
  const { findings } = JSON.parse(stdout) as { findings: { id: string; object: { image: string } }[] };
  const unreadable = findings.filter(({ id }) => id === "IMAGE_UNREADABLE").map(({ object }) => object.image);
  assert.equal([status, unreadable], [1, ["files.img", "pages-1.img"]]);
});

test("what is no set is trouble, in one sentence", async () => {
  const empty = freshDirectory("empty");
  mkdirSync(join(empty, "sub"));
  for (const path of [empty, "/no/such/set"]) {
    const { code, stdout, stderr } = await crimg(["validate", path]);
    assert.equal([code, stdout], [2, ""]);
    assert.match(stderr, /^error: [^\n]+\n$/);
  }
});

test.run();
