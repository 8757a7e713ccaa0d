import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { EditError } from "../../../../io/errors.js";
import { bytesToText, textToBytes } from "../../../../io/text.js";
import { SUN_PATH, SUN_PATH_BYTES } from "../../../../linux/sockets.js";
import { relativeName } from "../../kinds/remap-socket.js";
import type { OwnedRule, PathRules } from "../../path-rules.js";
import type { StreamDraft } from "../draft.js";

/** The name in a sockaddr_un. */
interface SocketName {
  readonly text: string;
  readonly isAbstract: boolean;
  /** A NUL at the end that the length counts. */
  readonly hasNul: boolean;
}

/**
 * Moves the names of unix sockets: absolute paths, and relative ones with their directory. Unnamed and abstract sockets
 * have no path. Errors: EDIT when the new name does not fit into a socket address.
 */
export function remapUnixSockets(draft: StreamDraft, rules: PathRules<OwnedRule>): void {
  for (const part of draft.reader.objects("SOCK")) {
    const index = draft.reader.index(part, RECORDS.SOCKET_UNIX);
    if (index === undefined || draft.isDropped(index)) continue;
    const own = nameOf(draft, index, "laddr");
    const directory = draft.reader.index(part, RECORDS.STRING);
    if (own !== undefined && directory !== undefined && !own.isAbstract && !own.text.startsWith("/"))
      remapRelative(draft, rules, index, own, directory);
    else remapName(draft, rules, index, "laddr", own);
    remapName(draft, rules, index, "raddr", nameOf(draft, index, "raddr"));
  }
}

function remapName(
  draft: StreamDraft,
  rules: PathRules<OwnedRule>,
  index: number,
  field: "laddr" | "raddr",
  name: SocketName | undefined,
): void {
  if (name === undefined || name.text === "") return;
  const mapped = name.isAbstract ? undefined : rules.map(name.text);
  if (mapped !== undefined) {
    setName(draft, mapped.rule, index, field, name, mapped.path);
    return;
  }
  const rule = rules.mentionedIn(name.text);
  if (rule === undefined) return;
  const why = name.isAbstract
    ? "an abstract socket name, which is no path"
    : name.text.startsWith("/")
      ? "not OLD itself and not below it"
      : "a relative socket name without a directory";
  draft.leave(rule.edit, { image: draft.name, record: index, field, value: name.text, why });
}

/** The STRING behind SOCKET_UNIX is the directory, mostly with a slash at its end. */
function remapRelative(
  draft: StreamDraft,
  rules: PathRules<OwnedRule>,
  index: number,
  name: SocketName,
  directory: number,
): void {
  const text = draft.text(directory);
  const slash = text.length > 1 && text.endsWith("/") ? "/" : "";
  const dir = slash === "" ? text : text.slice(0, -1);
  const mapped = rules.map(dir === "/" ? `/${name.text}` : `${dir}/${name.text}`);
  const newDir = rules.map(dir);
  const rule = (mapped ?? newDir)?.rule;
  if (rule === undefined) return;
  const full = mapped?.path ?? `${dir}/${name.text}`;
  const target = relativeName(full, newDir?.path ?? dir);
  draft.setText(rule.edit, directory, target.dir === "/" ? "/" : target.dir + slash);
  if (target.name !== name.text) setName(draft, rule, index, "laddr", name, target.name);
}

function setName(
  draft: StreamDraft,
  rule: OwnedRule,
  index: number,
  field: "laddr" | "raddr",
  old: SocketName,
  text: string,
): void {
  const bytes = Buffer.concat([textToBytes(text), Buffer.alloc(old.hasNul ? 1 : 0)]);
  if (bytes.length > SUN_PATH_BYTES)
    throw new EditError(
      `the socket name ${JSON.stringify(text)} would have ${bytes.length} bytes${old.hasNul ? " with its NUL" : ""}, a socket address holds ${SUN_PATH_BYTES}; choose a shorter path`,
      draft.image.place(index),
    );
  const address = Buffer.from(draft.value(index, RECORDS.SOCKET_UNIX)[field]);
  address.fill(0, SUN_PATH);
  bytes.copy(address, SUN_PATH);
  draft.change(rule.edit, index, field, address, { before: old.text, after: text });
  draft.change(rule.edit, index, `${field}_len`, SUN_PATH + bytes.length);
}

/** Undefined for a socket without a name. */
function nameOf(draft: StreamDraft, index: number, field: "laddr" | "raddr"): SocketName | undefined {
  const value = draft.value(index, RECORDS.SOCKET_UNIX);
  const length = Math.min(value[`${field}_len`], value[field].length);
  const bytes = value[field].subarray(SUN_PATH, Math.max(SUN_PATH, length));
  if (bytes.length === 0) return undefined;
  if (bytes[0] === 0) return { text: bytesToText(bytes.subarray(1)), isAbstract: true, hasNul: false };
  const end = bytes.indexOf(0);
  const text = bytesToText(end === -1 ? bytes : bytes.subarray(0, end));
  return { text, isAbstract: false, hasNul: end !== -1 };
}
