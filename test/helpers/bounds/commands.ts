import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EDIT_KINDS } from "../../../src/ops/edit/kinds/index.js";
import { VIEWS } from "../../../src/ops/show/views.js";
import { CRIMG } from "../cli.js";

/** One way to start the program over an image; `scratch` is a fresh directory for what it writes. */
export interface Way {
  readonly name: string;
  /** `file` is the image of a set that is hostile. */
  readonly args: (image: string, scratch: string, file?: string) => readonly string[];
}

const way = (name: string, args: Way["args"]): Way => ({ name, args });

const LOG = fileURLToPath(new URL("../../../fixtures/logs/restore-file-missing.txt", import.meta.url));

/** What each kind of edit is asked for. */
const EDITS: Readonly<Record<string, string>> = {
  "remap-path": "/var=/moved",
  deleted: "/tmp/deleted=contents",
  cgroup: "/crimg-demo=/moved",
  hostname: "new",
  "container-name": "new",
  "container-id": "0".repeat(64),
  comm: "1000=new",
  "remap-address": "127.0.0.1=127.0.0.2",
  "tcp-listen-remap": "80:81",
  fd: "1000:3=/new",
  "drop-fd": "1000:3",
  lease: "1000:3=drop",
  lock: "1000:4=drop",
  "lease-expiry": "all=+1s",
  expiry: "all=+1s",
  env: "1000:PATH=/",
  redact: "HOME=",
  "redact-hex": "48 4f 4d 45 3?",
  "redact-regex": "HOME=[^\\0]*",
  "accept-file": "/**",
  "no-file-check": "/**",
  "rootfs-drop": "/etc/hostname",
  "rootfs-add": `/added=${LOG}`,
  set: "inventory.img[0].img_version=2",
};

/** Edits of every kind, and of all descriptors by policies. */
const EDIT_WAYS: readonly Way[] = [
  ...EDIT_KINDS.map(({ name }) => {
    const value = EDITS[name];
    if (value === undefined) throw new Error(`no value for edit --${name}`);
    return way(`edit --${name}`, (image) => ["edit", image, `--${name}`, value, "--dry-run"]);
  }),
  ...["drop", "reopen", "accept"].flatMap((action) => [
    way(`edit, policy ${action}`, (image, scratch) => [
      ...["edit", image, "-f", policy(scratch, action), "--dry-run"],
    ]),
  ]),
  way("edit -o, policy drop", (image, scratch) => [
    ...["edit", image, "-f", policy(scratch, "drop"), "-o", join(scratch, "edited")],
  ]),
  way("edit --scan-memory", (image) => [
    ...["edit", image, "--remap-path", "/var=/moved", "--scan-memory", "--dry-run"],
  ]),
];

function policy(scratch: string, action: string): string {
  const recipe = join(scratch, "recipe.yaml");
  const which = action === "drop" ? "type: socket" : 'path: "/**"';
  writeFileSync(recipe, `policies:\n  - { ${which}, action: ${action} }\n`);
  return recipe;
}

/** Commands that read a whole image: a set or a stream. */
export const IMAGE_WAYS: readonly Way[] = [
  way("show", (image) => ["show", image]),
  ...Object.keys(VIEWS).map((view) => way(`show ${view}`, (image) => ["show", image, view])),
  way("show record", (image, _, file = "0") => ["show", image, "record", file]),
  way("show maps --json", (image) => ["show", image, "maps", "--json"]),
  way("show fds --json", (image) => ["show", image, "fds", "--json"]),
  way("validate", (image) => ["validate", image]),
  way("validate --root", (image, scratch) => ["validate", image, "--root", scratch]),
  way("validate --host", (image) => ["validate", image, "--host"]),
  way("validate --suspicious", (image) => ["validate", image, "--suspicious"]),
  way("diff", (image) => ["diff", image, image]),
  way("memory", (image) => ["memory", image]),
  way("memory --json", (image) => ["memory", image, "--json"]),
  way("memory --map -o", (image, scratch) => [
    "memory",
    image,
    "--map",
    "0x10000000",
    "-o",
    join(scratch, "map"),
  ]),
  way("core", (image, scratch) => ["core", image, "-o", join(scratch, "core")]),
  way("core --for volatility", (image) => ["core", image, "--for", "volatility", "-o", "/dev/null"]),
  way("extract", (image) => ["extract", image]),
  way("grep", (image) => ["grep", "no such text", image]),
  way("grep -e", (image) => ["grep", "-e", "no [s]uch +text", image]),
  way("grep --strings", (image) => ["grep", "--strings", "12", "no such text", image]),
  way("seal", (image) => ["seal", image, "-o", "/dev/null"]),
  way("verify", (image, scratch) => {
    const seal = join(scratch, "seal");
    spawnSync(process.execPath, [CRIMG, "seal", image, "-o", seal], { stdio: "ignore" });
    return ["verify", image, seal];
  }),
  way("find", (image) => ["find", image, "no such text"]),
  way("find 1", (image) => ["find", image, "1"]),
  way("log", (image) => ["log", image]),
  way("restore --print", (image) => ["restore", image, "--print"]),
  way("convert", (image, scratch) => ["convert", image, join(scratch, "converted"), "--lossy"]),
  way("list", (image) => ["list", image]),
  way("undo", (image) => ["undo", image, "--dry-run"]),
  way("recover", (image) => ["recover", image]),
  ...EDIT_WAYS,
];

/** Commands that take a stream, or one image file of a set. */
export const FILE_WAYS: readonly Way[] = ["info", "dump", "decode"].map((command) =>
  way(command, (image, _, file = "") => [command, join(image, file)]),
);

/** Every command that reads an image: at the whole image, and at the file of it that is hostile. */
export const ALL_WAYS: readonly Way[] = [
  ...IMAGE_WAYS,
  ...FILE_WAYS,
  ...["ps", "fds", "mems", "rss"].map((what) => way(`x ${what}`, (image) => ["x", image, what])),
  way("explain", (image) => ["explain", LOG, image]),
  way("encode", (image, scratch, file = "") => {
    const json = join(scratch, "decoded.json");
    spawnSync(process.execPath, [CRIMG, "decode", join(image, file), "-o", json], { stdio: "ignore" });
    return ["encode", json, "-o", join(scratch, "encoded")];
  }),
];

/** Commands that read no image; all others are in `ALL_WAYS`. */
export const WITHOUT_IMAGE: ReadonlySet<string> = new Set(["checkpoint", "completion", "example", "facts"]);
