import { type AnyValue, type Field, fieldMessage, type MessageTable } from "./message.js";
import type { FieldPath } from "./patch.js";

/** A visited field of a decoded message. */
export interface VisitedField {
  readonly path: FieldPath;
  readonly name: string;
  readonly field: Field;
  /** The message with the field, and its table. */
  readonly owner: AnyValue;
  readonly table: MessageTable;
}

/** A visited message: the decoded message itself or a nested one. */
export interface VisitedMessage {
  readonly path: FieldPath;
  readonly value: AnyValue;
}

/** Calls `visit` for each selected field or message of a decoded message, in table order. */
export type Visitor<T> = (value: AnyValue, visit: (found: T) => void) => void;

interface Node {
  readonly table: MessageTable;
  readonly fields: (readonly [string, Field])[];
  readonly nested: { readonly name: string; readonly repeated: boolean; readonly node: Node }[];
  isWanted: boolean;
}

/**
 * A visitor of the fields selected by `wants` in the table and its nested messages, so that a row added to a table is
 * found automatically. Undefined if there are none; absent fields are not visited.
 */
export function fieldVisitor(
  table: MessageTable,
  wants: (field: Field, name: string, table: MessageTable) => boolean,
): Visitor<VisitedField> | undefined {
  const root = prune(build(table, wants, () => false, new Map()));
  if (root === undefined) return undefined;
  return (value, visit) => {
    walk(root, value, [], (node, owner, path) => {
      for (const [name, field] of node.fields)
        if (owner[name] !== undefined)
          visit({ path: [...path, name], name, field, owner, table: node.table });
    });
  };
}

/** A visitor of the messages of one table in `table`, including itself; undefined if there are none. */
export function messageVisitor(
  table: MessageTable,
  target: MessageTable,
): Visitor<VisitedMessage> | undefined {
  const root = prune(
    build(
      table,
      () => false,
      (each) => each === target,
      new Map(),
    ),
  );
  if (root === undefined) return undefined;
  return (value, visit) => {
    walk(root, value, [], (node, owner, path) => {
      if (node.table === target) visit({ path, value: owner });
    });
  };
}

function build(
  table: MessageTable,
  wantsField: (field: Field, name: string, table: MessageTable) => boolean,
  wantsMessage: (table: MessageTable) => boolean,
  known: Map<MessageTable, Node>,
): Node {
  const found = known.get(table);
  if (found !== undefined) return found;
  const node: Node = { table, fields: [], nested: [], isWanted: wantsMessage(table) };
  known.set(table, node);
  for (const [name, field] of Object.entries(table.fields)) {
    const inner = fieldMessage(table, field);
    if (inner !== undefined)
      node.nested.push({
        name,
        repeated: field.label === "repeated",
        node: build(inner, wantsField, wantsMessage, known),
      });
    else if (wantsField(field, name, table)) node.fields.push([name, field]);
  }
  node.isWanted ||= node.fields.length > 0;
  return node;
}

/** Removes branches without selected fields; messages may be recursive. */
function prune(root: Node): Node | undefined {
  const leads = (node: Node, seen: Set<Node>): boolean => {
    if (node.isWanted) return true;
    if (seen.has(node)) return false;
    seen.add(node);
    return node.nested.some((each) => leads(each.node, seen));
  };
  const done = new Set<Node>();
  const cut = (node: Node): void => {
    if (done.has(node)) return;
    done.add(node);
    const kept = node.nested.filter((each) => leads(each.node, new Set()));
    node.nested.splice(0, node.nested.length, ...kept);
    for (const each of node.nested) cut(each.node);
  };
  cut(root);
  return leads(root, new Set()) ? root : undefined;
}

function walk(
  node: Node,
  value: AnyValue,
  path: FieldPath,
  at: (node: Node, value: AnyValue, path: FieldPath) => void,
): void {
  if (node.isWanted) at(node, value, path);
  for (const { name, repeated, node: inner } of node.nested) {
    const member = value[name];
    if (member === undefined) continue;
    if (!repeated) walk(inner, member as AnyValue, [...path, name], at);
    else
      for (const [index, item] of (member as AnyValue[]).entries())
        walk(inner, item, [...path, name, index], at);
  }
}
