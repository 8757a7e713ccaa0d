import { RECORDED_OBJECTS } from "../../../formats/linux-cr/grammar.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { type ObjectType, objectTypes } from "../../../formats/linux-cr/revisions.js";
import { EPOLL_ITEM } from "../../../formats/linux-cr/tables/files.js";
import type { Found, Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { hiddenNumbers } from "./hidden-numbers.js";
import { SET_FIELD } from "./record-rule.js";
import { REFERENCES, type ReferenceRow, type Target } from "./references.js";

const SUBTREE = 1n;
const ITEM_BYTES = EPOLL_ITEM.size;

interface Declared {
  readonly index: number;
  readonly objtype: number;
  readonly objref: number;
  /** Undefined for a number that no type has. */
  readonly type: ObjectType | undefined;
}

/** Every OBJREF, in the order of the stream. */
function declared(context: StreamContext): readonly Declared[] {
  const types = objectTypes(context.stream.dialect.commit);
  return [...context.each(RECORDS.OBJREF)].map(({ index, value: { objtype, objref } }) => ({
    index,
    objtype,
    objref,
    type: types[objtype],
  }));
}

/** Types by number; the first of a number that is declared twice. */
export function typesByNumber(context: StreamContext): ReadonlyMap<number, ObjectType | undefined> {
  const types = new Map<number, ObjectType | undefined>();
  for (const { objref, type } of context.share(declared)) if (!types.has(objref)) types.set(objref, type);
  return types;
}

/** Numbers of labels, which SECURITY gives. */
function labels(context: StreamContext): ReadonlySet<number> {
  return new Set([...context.each(RECORDS.SECURITY)].map(({ value }) => value.ptrref));
}

/** Rules about shared objects and the numbers that name them. */
export const objectRules: readonly Rule<StreamContext>[] = [
  {
    id: "OBJREF_NUMBER",
    level: "error",
    about: "The number of an object is above 0, and no other object has it.",
    fix: "crimg edit --set gives the object, and all that refers to it, an objref of its own.",
    *check(context) {
      const seen = new Set<number>();
      for (const { index, objref } of context.share(declared)) {
        const at = context.at(index, { field: "objref" });
        if (objref <= 0)
          yield { at, what: "no number of an object", expected: "above 0", found: String(objref) };
        else if (seen.has(objref)) yield { at, what: `the object ${objref} stands in the stream twice` };
        seen.add(objref);
      }
    },
  },
  {
    id: "OBJREF_TYPE",
    level: "error",
    about:
      "OBJREF announces an object of a type that has records; inodes, pids and their like only take a number.",
    fix: SET_FIELD,
    *check(context) {
      const recorded: readonly string[] = RECORDED_OBJECTS;
      const count = objectTypes(context.stream.dialect.commit).length;
      for (const { index, objtype, objref, type } of context.share(declared))
        if (type === undefined || !recorded.includes(type))
          yield {
            at: context.at(index, { field: "objtype" }),
            what: type === undefined ? "no type of an object" : `a ${type} has no records`,
            expected: type === undefined ? `below ${count}` : "a type with records",
            found: `${objtype} for object ${objref}`,
          };
    },
  },
  {
    id: "OBJREF_HIDDEN",
    level: "error",
    about:
      "A number that pipes, inodes, signals, masters of terminals, labels or pids take is none that OBJREF declares.",
    fix: "crimg edit --set gives one of the two, and all that refers to it, a number of its own.",
    *check(context) {
      const types = context.share(typesByNumber);
      for (const { number, role, at } of context.share(hiddenNumbers).values()) {
        if (!types.has(number)) continue;
        yield {
          at,
          what: `the number of ${role} is that of an object`,
          expected: "a number of its own",
          found: `${number}, a ${types.get(number) ?? "object of unknown type"}`,
        };
      }
    },
  },
  {
    id: "OBJECT_ROLE",
    level: "error",
    about:
      "A number that no OBJREF declares stands for one thing: a pipe, an inode, signals, a terminal, a label or a pid.",
    fix: "crimg edit --set gives one of the two, and all that refers to it, a number of its own.",
    *check(context) {
      for (const { number, role, other } of context.share(hiddenNumbers).values())
        if (other !== undefined)
          yield {
            at: other.at,
            what: `the number of ${role} is that of ${other.role} too`,
            found: String(number),
          };
    },
  },
  {
    id: "OBJREF_ORDER",
    level: "warning",
    about: "In the stream of a subtree the numbers of objects rise.",
    fix: "Nothing is to be done for a restart; the stream was not written by the kernel, or was edited.",
    *check(context) {
      const uflags = context.each(RECORDS.HEADER).next().value?.value.uflags ?? 0n;
      if ((uflags & SUBTREE) === 0n) return;
      let last = 0;
      for (const { index, objref } of context.share(declared)) {
        if (objref > 0 && objref < last) {
          yield {
            at: context.at(index, { field: "objref" }),
            what: "a lower number than the object before",
            expected: `above ${last}`,
            found: String(objref),
          };
          return;
        }
        last = Math.max(last, objref);
      }
    },
  },
  {
    id: "OBJECT_REFERENCE",
    level: "error",
    about: "A reference names an object of the stream, and one of the right type.",
    fix: "crimg edit --set gives the field the objref of an object of that type, or 0 where that stands for none; --drop-fd closes the descriptor of a lost file.",
    *check(context) {
      for (const row of REFERENCES) yield* broken(context, row);
      yield* watchedFiles(context);
    },
  },
];

function* broken(context: StreamContext, row: ReferenceRow): Generator<Found> {
  const steps = row.field.split(".");
  for (const { index, value } of context.each(row.kind)) {
    if (!row.when(value as never)) continue;
    const number = steps.reduce<unknown>((held, step) => (held as Record<string, unknown>)?.[step], value);
    // Older header sets do not have every field.
    if (typeof number !== "number") continue;
    const found = problemOf(context, number, row.target, row.isOptional);
    if (found !== undefined) yield { at: context.at(index, { field: row.field }), ...found };
  }
}

function* watchedFiles(context: StreamContext): Generator<Found> {
  for (const { index } of context.each(RECORDS.EPOLL_ITEMS)) {
    const buffer = context.bufferAfter(index);
    if (buffer === undefined || context.stream.payload(buffer).size % ITEM_BYTES !== 0) continue;
    for (const [i, { file_objref }] of context.stream.structs(buffer, EPOLL_ITEM).entries()) {
      const found = problemOf(context, file_objref, "FILE", false);
      if (found !== undefined) yield { at: context.at(buffer, { field: `[${i}].file_objref` }), ...found };
    }
  }
}

function problemOf(
  context: StreamContext,
  number: number,
  target: Target,
  isOptional: boolean,
): Pick<Found, "what" | "expected" | "found"> | undefined {
  if (number === 0 && isOptional) return undefined;
  const expected = target === "label" ? "a number of a SECURITY" : `a ${target}`;
  if (target === "label")
    return context.share(labels).has(number)
      ? undefined
      : { what: `${number} names no label`, expected, found: "none" };
  const types = context.share(typesByNumber);
  if (types.get(number) === target) return undefined;
  return types.has(number)
    ? {
        what: `object ${number} is of another type`,
        expected,
        found: `a ${types.get(number) ?? "type unknown"}`,
      }
    : { what: `${number} names no object`, expected, found: "none" };
}
