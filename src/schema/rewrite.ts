import { type ErrorPlace, isCrimgError } from "../io/errors.js";
import { decodeMessage } from "./decode.js";
import { encodeMessage } from "./encode.js";
import { type AnyValue, fieldMessage, type MessageTable, UNKNOWN } from "./message.js";
import { type FieldChange, type FieldPath, patchMessage } from "./patch.js";

/** With more changes, a list is replaced as a whole, since each change costs a pass over the record. */
const MAX_LIST_CHANGES = 200;

/**
 * The bytes of a record changed to the value `target`: unchanged parts keep their bytes, canonical or not.
 * Errors: FormatError for an invalid message, CrimgError INVALID for an invalid value.
 */
export function rewriteMessage(
  table: MessageTable,
  bytes: Buffer,
  target: AnyValue,
  place: ErrorPlace = {},
): Buffer {
  const before = decodeMessage(table, bytes, place) as AnyValue;
  const changes = messageChanges(table, before, target, []);
  if (changes.length === 0) return bytes;
  const patched = patchInPlace(table, bytes, changes, place);
  const isRight =
    patched !== undefined &&
    messageChanges(table, decodeMessage(table, patched, place) as AnyValue, target, []).length === 0;
  return isRight ? patched : encodeMessage(table, target as never, place);
}

/** A message in several pieces has no single place for a change; then the record is rewritten. */
function patchInPlace(
  table: MessageTable,
  bytes: Buffer,
  changes: readonly FieldChange[],
  place: ErrorPlace,
): Buffer | undefined {
  try {
    return patchMessage(table, bytes, changes, place);
  } catch (error) {
    if (isCrimgError(error) && error.code === "EDIT") return undefined;
    throw error;
  }
}

function messageChanges(
  table: MessageTable,
  before: AnyValue,
  after: AnyValue,
  path: FieldPath,
): FieldChange[] {
  const changes: FieldChange[] = [];
  for (const [name, field] of Object.entries(table.fields)) {
    const nested = fieldMessage(table, field);
    const [old, fresh] = [before[name], after[name]];
    const here = [...path, name];
    if (field.label === "repeated")
      changes.push(...listChanges(nested, old as unknown[], (fresh ?? []) as unknown[], here));
    else changes.push(...valueChanges(nested, old, fresh, here));
  }
  if (!isSame(before[UNKNOWN] ?? [], after[UNKNOWN] ?? []))
    changes.push({ path: [...path, UNKNOWN], value: after[UNKNOWN] ?? [] });
  return changes;
}

function valueChanges(
  nested: MessageTable | undefined,
  old: unknown,
  fresh: unknown,
  path: FieldPath,
): FieldChange[] {
  if (nested !== undefined && old !== undefined && fresh !== undefined)
    return messageChanges(nested, old as AnyValue, fresh as AnyValue, path);
  return isSame(old, fresh) ? [] : [{ path, value: fresh }];
}

/** Keeps equal ends; between them changes elements one by one, then removes or adds the rest. */
function listChanges(
  nested: MessageTable | undefined,
  old: readonly unknown[],
  fresh: readonly unknown[],
  path: FieldPath,
): FieldChange[] {
  const common = Math.min(old.length, fresh.length);
  let start = 0;
  while (start < common && isSame(old[start], fresh[start])) start++;
  let tail = 0;
  while (tail < common - start && isSame(old.at(-1 - tail), fresh.at(-1 - tail))) tail++;
  const changes: FieldChange[] = [];
  const paired = common - tail;
  for (let i = start; i < paired; i++) changes.push(...valueChanges(nested, old[i], fresh[i], [...path, i]));
  for (let i = old.length - tail - 1; i >= paired; i--)
    changes.push({ path: [...path, i], value: undefined });
  const addsInside = fresh.length > old.length && tail > 0;
  if (addsInside || changes.length > MAX_LIST_CHANGES) return [{ path, value: fresh }];
  for (let i = old.length; i < fresh.length; i++) changes.push({ path: [...path, i], value: fresh[i] });
  return changes;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return a.equals(b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys)
    if (!isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])) return false;
  return true;
}
