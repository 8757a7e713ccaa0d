/** Files are put into and taken out of the changed files of a container's root file system. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { applyPlan, openDocument, planEdits, undoEdits } from "../../../../src/index.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { needsRoot } from "../../../helpers/needs.js";
import { containerTar, tickerTar } from "../../../helpers/packages.js";
import { suite } from "../../../helpers/suite.js";
import { tar } from "../../../helpers/tar.js";

const test = suite("changes of the root file system");
test.after(cleanUp);

const DIFF = tar([
  { name: "etc/", type: "5" },
  { name: "etc/a", content: "a".repeat(600) },
  { name: "etc/link", type: "1", link: "etc/a" },
  { name: "log", content: "old" },
]);

function archive(bytes: Buffer = containerTar("logger", { "config.dump": "{}", "spec.dump": "{}" })): string {
  const file = path.join(freshDirectory("root"), "a.tar");
  fs.writeFileSync(file, bytes);
  return file;
}

function edited(file: string, edits: readonly (readonly [kind: string, text: string])[]) {
  const document = openDocument(file);
  const plan = planEdits(
    document,
    edits.map(([kind, text]) => ({ kind, text })),
  );
  if (plan.unmatched.length === 0) applyPlan(document, plan, { to: "in place" }, { version: "0" });
  document.close();
  return plan;
}

/** What tar lists of the changed files, with their contents, and the deleted ones. */
function rootOf(file: string): { readonly list: string[]; readonly deleted: string } {
  needsRoot("reading what tar unpacks with the modes of an archive");
  const directory = freshDirectory("unpacked");
  const take = (from: string, to: string): void =>
    assert.is(spawnSync("tar", ["-C", to, "-xf", from]).status, 0);
  take(file, directory);
  const inner = path.join(directory, "inner");
  fs.mkdirSync(inner);
  take(path.join(directory, "rootfs-diff.tar"), inner);
  const names = (fs.readdirSync(inner, { recursive: true }) as string[]).sort();
  const list = names.flatMap((name) => {
    const stat = fs.lstatSync(path.join(inner, name));
    const text = stat.isFile() ? fs.readFileSync(path.join(inner, name), "utf8") : "";
    return stat.isFile() ? `${name} ${(stat.mode & 0o777).toString(8)} ${text.slice(0, 5)}` : [];
  });
  const deleted = path.join(directory, "deleted.files");
  return { list, deleted: fs.existsSync(deleted) ? fs.readFileSync(deleted, "utf8") : "" };
}

test("a file is added with its mode, in place of a changed or deleted one, and undo takes it back", () => {
  const file = archive(tickerTar());
  const original = fs.readFileSync(file);
  const [one, two] = ["one", "two"].map((name) => path.join(path.dirname(file), name)) as [string, string];
  fs.writeFileSync(one, "first", { mode: 0o751 });
  fs.writeFileSync(two, "other");
  fs.chmodSync(one, 0o751);
  const { changes } = edited(file, [
    ["rootfs-add", `/srv/new=${one}`],
    ["rootfs-add", `/log=${two}`],
    ["rootfs-add", `/etc/motd=${two}`],
  ]);
  assert.equal(
    changes.map(({ field, before, after }) => `${field}: ${before} -> ${after}`),
    ["/srv/new: undefined -> 5 bytes", "/log: 16 bytes -> 5 bytes", "/etc/motd: deleted -> 5 bytes"],
  );
  const { list, deleted } = rootOf(file);
  assert.equal(list, ["etc/motd 644 other", "log 644 other", "srv/new 751 first"]);
  assert.is(deleted, "[]");
  const document = openDocument(file);
  undoEdits(document, 1, { to: "in place" });
  document.close();
  assert.ok(fs.readFileSync(file).equals(original));
});

test("a file, or all below a directory, is dropped; what is not there is told", () => {
  const bytes = containerTar("logger", {
    "config.dump": "{}",
    "spec.dump": "{}",
    "deleted.files": '["/etc/x","/etcetera"]',
  });
  const file = archive(
    Buffer.concat([bytes.subarray(0, -1024), tar([{ name: "rootfs-diff.tar", content: DIFF }])]),
  );
  assert.throws(
    () => edited(file, [["rootfs-drop", "/etc/a"]]),
    /\/etc\/link is a hard link to a file that would be taken away/,
  );
  edited(file, [["rootfs-drop", "/etc"]]);
  assert.equal(rootOf(file), {
    list: ["log 644 old"].map((line) => line.replace("644", "600")),
    deleted: '["/etcetera"]',
  });
  assert.equal(edited(file, [["rootfs-drop", "/none"]]).unmatched, [
    "--rootfs-drop /none: no changed or deleted file of the container is /none or lies below it",
  ]);
});

test("changed files that a moved path does not follow are told", () => {
  const plan = edited(archive(tickerTar()), [["remap-path", "/log=/var/log/ticks"]]);
  assert.equal(
    plan.notes.filter((note) => note.includes("changed files")),
    [
      "/log of the container's changed files stay where they are; --rootfs-add puts a file where the new path is",
    ],
  );
});

test("without changed files, with compressed ones, and paths that are none", () => {
  assert.throws(() => edited(archive(), [["rootfs-drop", "/x"]]), /no rootfs-diff\.tar beside the images/);
  const bytes = containerTar("logger");
  const packed = archive(
    Buffer.concat([bytes.subarray(0, -1024), tar([{ name: "rootfs-diff.tar", content: gzipSync(DIFF) }])]),
  );
  assert.throws(
    () => edited(packed, [["rootfs-drop", "/log"]]),
    /rootfs-diff\.tar is compressed, .* read only/,
  );
  for (const text of ["x=y", "/../x=/etc/motd", "/x", "/x//y=z", "/="])
    assert.throws(() => edited(packed, [["rootfs-add", text]]), /invalid/, text);
  assert.throws(() => edited(packed, [["rootfs-add", "/x=/nonexistent"]]), /\/nonexistent/);
});

test.run();
