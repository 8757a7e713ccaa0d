import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { VIEWS } from "../../../src/ops/show/views.js";

/** One way to start the program over an image; `scratch` is a fresh directory for what it writes. */
export interface Way {
  readonly name: string;
  /** `file` is the image of a set that is hostile. */
  readonly args: (image: string, scratch: string, file?: string) => readonly string[];
}

const way = (name: string, args: Way["args"]): Way => ({ name, args });

const edit = (flag: string, value: string): Way =>
  way(`edit ${flag}`, (image) => ["edit", image, flag, value, "--dry-run"]);

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
  way("grep", (image) => ["grep", "no such text", image]),
  way("grep -e", (image) => ["grep", "-e", "no [s]uch +text", image]),
  way("grep --strings", (image) => ["grep", "--strings", "12", "no such text", image]),
  way("find", (image) => ["find", image, "no such text"]),
  way("find 1", (image) => ["find", image, "1"]),
  way("log", (image) => ["log", image]),
  way("restore --print", (image) => ["restore", image, "--print"]),
  way("convert", (image, scratch) => ["convert", image, join(scratch, "converted"), "--lossy"]),
  edit("--remap-path", "/var=/moved"),
  edit("--comm", "1000=new"),
  edit("--fd", "1000:3=/new"),
  edit("--drop-fd", "1000:3"),
  edit("--hostname", "new"),
  edit("--lock", "1000:4=drop"),
  edit("--expiry", "all=+1s"),
  edit("--no-file-check", "/**"),
];

const LOG = fileURLToPath(new URL("../../../fixtures/logs/restore-file-missing.txt", import.meta.url));

/** Commands that take a stream, or one image file of a set. */
export const FILE_WAYS: readonly Way[] = ["info", "dump", "decode"].map((command) =>
  way(command, (image, _, file = "") => [command, join(image, file)]),
);

/** Every command that only looks, at a whole image and at the file of it that is hostile. */
export const LOOKING_WAYS: readonly Way[] = [
  ...IMAGE_WAYS.filter(({ name }) => !name.startsWith("edit")),
  ...FILE_WAYS,
  ...["ps", "fds", "mems", "rss"].map((what) => way(`x ${what}`, (image) => ["x", image, what])),
  way("explain", (image) => ["explain", LOG, image]),
];
