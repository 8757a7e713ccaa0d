/** A field of a structure as in `sock.shutdown` or `rlim[3].rlim_cur`. */
export type StructPath = string;

type Fields = Readonly<Record<string, unknown>>;

/** The value at a path; undefined where nothing is. */
export function structValueAt(value: Fields, path: StructPath): unknown {
  let current: unknown = value;
  for (const part of partsOf(path)) {
    if (typeof current !== "object" || current === null || Buffer.isBuffer(current)) return undefined;
    current = Object.hasOwn(current, part) ? (current as Fields)[part] : undefined;
  }
  return current;
}

/** A structure with another value at a path, which leads somewhere; the given one stays as it is. */
export function withStructValue(value: Fields, path: StructPath, after: unknown): Fields {
  return replaced(value, partsOf(path), after) as Fields;
}

function replaced(value: unknown, [part, ...rest]: readonly string[], after: unknown): unknown {
  if (part === undefined) return after;
  if (Array.isArray(value)) return value.with(Number(part), replaced(value[Number(part)], rest, after));
  return { ...(value as Fields), [part]: replaced((value as Fields)[part], rest, after) };
}

function partsOf(path: StructPath): string[] {
  return path.split(/[.[\]]+/).filter((part) => part !== "");
}
