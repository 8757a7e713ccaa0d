import fs from "node:fs";

/** A user of this machine with the groups of a login. */
export interface User {
  readonly uid: number;
  /** Undefined for a uid without an entry. */
  readonly name: string | undefined;
  /** The primary group. */
  readonly gid: number;
  readonly gids: ReadonlySet<number>;
}

/** The user with a uid by /etc/passwd and /etc/group, passwd(5) and group(5); without an entry, gid is the uid. */
export function userOf(uid: number): User {
  const entry = entries("/etc/passwd").find(([, , id]) => Number(id) === uid);
  if (entry === undefined) return { uid, name: undefined, gid: uid, gids: new Set([uid]) };
  const [name = "", , , gid] = entry;
  const groups = entries("/etc/group").filter(([, , , members]) => members?.split(",").includes(name));
  return {
    uid,
    name,
    gid: Number(gid),
    gids: new Set([Number(gid), ...groups.map(([, , id]) => Number(id))]),
  };
}

/** Whether a group is private to a user: the primary group of no other user, and without other members. */
export function isPrivateGroup(gid: number, uid: number): boolean {
  if (userOf(uid).gid !== gid) return false;
  const users = entries("/etc/passwd");
  const names = new Set(users.filter(([, , id]) => Number(id) === uid).map(([name]) => name));
  const others = users.some(([, , id, group]) => Number(group) === gid && Number(id) !== uid);
  const members = entries("/etc/group").flatMap(([, , id, list = ""]) =>
    Number(id) === gid ? list.split(",").filter(Boolean) : [],
  );
  return !others && members.every((name) => names.has(name));
}

function entries(file: string): string[][] {
  try {
    const lines = fs.readFileSync(file, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => line.split(":"));
  } catch {
    return [];
  }
}
