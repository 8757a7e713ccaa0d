import fs from "node:fs";
import path from "node:path";
import { fixture } from "../unit/ops/edit/planned.js";
import { streamFixture } from "./images.js";
import { freshDirectory } from "./live.js";

/** nobody, whose images root works on. */
export const STRANGER = 65534;

/** Whose the directory is: the stranger's, or root's and open to all as /tmp is. */
export type Place = "a stranger's directory" | "a sticky directory";

export const FAMILIES = {
  set: {
    original: fixture("logger"),
    name: "set",
    member: "core-1000.img",
    edit: ["--comm", "1000=renamed"],
  },
  stream: {
    original: streamFixture("locks"),
    name: "app.ckpt",
    member: "app.ckpt",
    edit: ["--remap-path", "/var=/srv/elsewhere"],
  },
} as const;

export type Family = keyof typeof FAMILIES;

/** An image of a stranger on which root works, and what is root's alone. */
export interface StrangersImage {
  readonly family: Family;
  /** All of it. */
  readonly top: string;
  readonly image: string;
  /** Where the lock and the log are: the set, or the directory that holds the stream. */
  readonly beside: string;
  readonly lock: string;
  readonly log: string;
  readonly member: string;
  /** A directory of root's with `secret`, and `decoy`, a directory with files of the names that are in `beside`. */
  readonly outside: string;
}

export function strangersImage(family: Family, place: Place): StrangersImage {
  const { original, name, member } = FAMILIES[family];
  const top = freshDirectory("other-user");
  const outside = path.join(top, "outside");
  const directory = path.join(top, "place");
  const image = path.join(directory, name);
  const beside = family === "set" ? image : directory;
  fs.mkdirSync(directory);
  fs.cpSync(original, image, { recursive: true });
  fs.mkdirSync(outside, { mode: 0o700 });
  fs.writeFileSync(path.join(outside, "secret"), "root's", { mode: 0o600 });
  fs.cpSync(beside, path.join(outside, "decoy"), { recursive: true });
  give(directory);
  if (place === "a sticky directory") {
    fs.chownSync(beside, 0, 0);
    fs.chmodSync(beside, 0o1777);
  }
  const lock = path.join(beside, family === "set" ? ".crimg-edit" : `.${name}.crimg-edit`);
  const log = family === "set" ? path.join(image, "crimg-edits.jsonl") : `${image}.crimg-log`;
  return { family, top, image, beside, lock, log, member: path.join(beside, member), outside };
}

/** Makes all at and below a path the stranger's; links themselves, not what they lead to. */
export function give(file: string): void {
  fs.lchownSync(file, STRANGER, STRANGER);
  if (!fs.lstatSync(file).isDirectory()) return;
  for (const name of fs.readdirSync(file)) give(path.join(file, name));
}
