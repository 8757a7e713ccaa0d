/** A value that was read, which may be undefined; no box when it was not looked at. */
export type Box<T> = { readonly is: T } | undefined;

const ABSENT = { is: undefined };
const NONE = { is: [] };

/** Tasks that a damaged set only names have no images: they share the box for nothing. */
export function boxed<T>(value: T): { readonly is: T } {
  return value === undefined ? (ABSENT as { is: T }) : { is: value };
}

/** The same for a list. */
export function boxedList<T>(list: T[]): { readonly is: T[] } {
  return list.length === 0 ? NONE : { is: list };
}
