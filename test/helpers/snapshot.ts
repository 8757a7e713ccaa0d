import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** Everything at and below a directory: names, kinds, modes, owners, inodes, times and contents, one line each. */
export function snapshot(directory: string): string[] {
  const names = ["", ...(fs.readdirSync(directory, { recursive: true }) as string[]).sort()];
  return names.map((name) => {
    const file = path.join(directory, name);
    const { mode, uid, ino, nlink, mtimeNs } = fs.lstatSync(file, { bigint: true });
    return [name, mode.toString(8), uid, ino, nlink, mtimeNs, content(file)].join(" ");
  });
}

/** Names and contents alone, without the log, which holds the time of an edit, and the lock of an edit: what an image is. */
export function imageDigest(file: string): string {
  const hash = createHash("sha256");
  if (fs.statSync(file).isFile()) return hash.update(fs.readFileSync(file)).digest("hex");
  for (const name of fs.readdirSync(file).sort())
    if (name !== "crimg-edits.jsonl" && !name.startsWith(".crimg-"))
      hash.update(`${name} ${content(path.join(file, name))}\n`);
  return hash.digest("hex");
}

function content(file: string): string {
  const stat = fs.lstatSync(file);
  if (stat.isSymbolicLink()) return fs.readlinkSync(file);
  return stat.isFile() ? createHash("sha256").update(fs.readFileSync(file)).digest("hex") : "";
}
