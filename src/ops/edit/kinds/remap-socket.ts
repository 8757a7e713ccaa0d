import { EditError } from "../../../io/errors.js";
import { bytesToText, textToBytes } from "../../../io/text.js";
import { SUN_PATH_BYTES } from "../../../linux/sockets.js";
import { isPath, pathBytes, type UnixName, unixText } from "../../../model/socket.js";
import type { Editor } from "../editor.js";
import type { OwnedRule, PathRules } from "../path-rules.js";

/**
 * Moves the names of unix sockets: absolute paths, and relative ones with their directory. Unnamed and abstract sockets
 * have no path. Errors: EDIT when the new name does not fit into a socket address.
 */
export function remapSockets(editor: Editor, rules: PathRules<OwnedRule>): void {
  for (const { unix } of [...editor.sockets()]) {
    if (unix === undefined) continue;
    if (isPath(unix)) remapName(editor, rules, unix);
    else leaveMentioned(editor, rules, unix, unix.name, "an abstract socket name, which is no path");
    if (unix.peerName !== undefined) remapPeerName(editor, rules, unix, unix.peerName);
  }
}

function remapName(editor: Editor, rules: PathRules<OwnedRule>, unix: UnixName): void {
  const { directory = "" } = unix;
  const path = bytesToText(pathBytes(unix.name));
  const isRelative = !path.startsWith("/");
  if (isRelative && directory === "") {
    leaveMentioned(editor, rules, unix, unix.name, "a relative socket name without a directory");
    return;
  }
  const mapped = rules.map(unixText(unix));
  const newDirectory = directory === "" ? undefined : rules.map(directory);
  if (!isRelative) {
    if (mapped !== undefined) change(editor, mapped.rule, unix, { name: named(editor, unix, mapped.path) });
    else leaveMentioned(editor, rules, unix, unix.name, "not OLD itself and not below it");
    if (newDirectory !== undefined) change(editor, newDirectory.rule, unix, { directory: newDirectory.path });
    return;
  }
  const rule = (mapped ?? newDirectory)?.rule;
  if (rule === undefined) {
    leaveMentioned(editor, rules, unix, unix.name, "not OLD itself and not below it");
    return;
  }
  const target = relativeName(mapped?.path ?? unixText(unix), newDirectory?.path ?? directory);
  change(editor, rule, unix, { directory: target.directory, name: named(editor, unix, target.name) });
}

/** A stream repeats the name of the other end, without the directory that it counts from. */
function remapPeerName(editor: Editor, rules: PathRules<OwnedRule>, unix: UnixName, peerName: Buffer): void {
  const mapped = isPath({ name: peerName }) ? rules.map(bytesToText(pathBytes(peerName))) : undefined;
  if (mapped !== undefined)
    change(editor, mapped.rule, unix, { peerName: named(editor, { ...unix, name: peerName }, mapped.path) });
  else leaveMentioned(editor, rules, unix, peerName, "not OLD itself and not below it");
}

/** The name stays relative; its directory follows where it would have to climb. */
function relativeName(
  full: string,
  directory: string,
): { readonly directory: string; readonly name: string } {
  const prefix = directory === "/" ? "/" : `${directory}/`;
  if (full.startsWith(prefix)) return { directory, name: full.slice(prefix.length) };
  const slash = full.lastIndexOf("/");
  return { directory: full.slice(0, slash) || "/", name: full.slice(slash + 1) };
}

/** The bytes of another path, with a NUL at the end where there was one. */
function named(editor: Editor, { name, origin }: UnixName, path: string): Buffer {
  const hasNul = name.includes(0);
  const bytes = Buffer.concat([textToBytes(path), Buffer.alloc(hasNul ? 1 : 0)]);
  if (bytes.length > SUN_PATH_BYTES)
    throw new EditError(
      `the socket name ${JSON.stringify(path)} would have ${bytes.length} bytes${hasNul ? " with its NUL" : ""}, a socket address holds ${SUN_PATH_BYTES}; choose a shorter path`,
      { file: editor.imageOf(origin), path: `[${origin.record}]` },
    );
  return bytes;
}

function change(editor: Editor, { edit }: OwnedRule, unix: UnixName, to: Partial<UnixName>): void {
  editor.changeObject(edit, "unix", unix, to, ({ name, peerName }) =>
    bytesToText(pathBytes(to.peerName === undefined ? name : (peerName ?? name))),
  );
}

/** Notes a name that holds the text of a rule's OLD and is not matched by it. */
function leaveMentioned(
  editor: Editor,
  rules: PathRules<OwnedRule>,
  { origin }: UnixName,
  name: Buffer,
  why: string,
): void {
  const text = bytesToText(name[0] === 0 ? name : pathBytes(name));
  const rule = rules.mentionedIn(text);
  if (rule === undefined) return;
  editor.leave(rule.edit, {
    image: editor.imageOf(origin),
    record: origin.record,
    field: "name",
    value: text,
    why,
  });
}
