/** Whether two decoded values are equal: scalars, bytes, lists and messages, absent fields as undefined. */
export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Buffer.isBuffer(a) || Buffer.isBuffer(b))
    return Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => equalValues(item, b[i]));
  }
  return covers(a as Message, b as Message) && hasNoMore(b as Message, a as Message);
}

type Message = Record<string, unknown>;

function covers(a: Message, b: Message): boolean {
  for (const name in a) if (!equalValues(a[name], b[name])) return false;
  return true;
}

/** Keys that only `b` has must be undefined. */
function hasNoMore(b: Message, a: Message): boolean {
  for (const name in b) if (a[name] === undefined && b[name] !== undefined) return false;
  return true;
}
