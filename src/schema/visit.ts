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

/** Calls `visit` for each selected field of a decoded message, in table order. */
export type FieldVisitor = (value: AnyValue, visit: (found: VisitedField) => void) => void;

interface Node {
  readonly table: MessageTable;
  readonly fields: (readonly [string, Field])[];
  readonly nested: { readonly name: string; readonly repeated: boolean; readonly node: Node }[];
}

/**
 * A visitor of the fields selected by `wants` in the table and its nested messages, so that a row added to a table is
 * found automatically. Undefined if there are none; absent fields are not visited.
 */
export function fieldVisitor(
  table: MessageTable,
  wants: (field: Field, name: string, table: MessageTable) => boolean,
): FieldVisitor | undefined {
  const root = prune(build(table, wants, new Map()));
  if (root === undefined) return undefined;
  return (value, visit) => {
    walk(root, value, [], (node, owner, path) => {
      for (const [name, field] of node.fields)
        if (owner[name] !== undefined)
          visit({ path: [...path, name], name, field, owner, table: node.table });
    });
  };
}

function build(
  table: MessageTable,
  wants: (field: Field, name: string, table: MessageTable) => boolean,
  known: Map<MessageTable, Node>,
): Node {
  const found = known.get(table);
  if (found !== undefined) return found;
  const node: Node = { table, fields: [], nested: [] };
  known.set(table, node);
  for (const [name, field] of Object.entries(table.fields)) {
    const inner = fieldMessage(table, field);
    if (inner !== undefined)
      node.nested.push({
        name,
        repeated: field.label === "repeated",
        node: build(inner, wants, known),
      });
    else if (wants(field, name, table)) node.fields.push([name, field]);
  }
  return node;
}

/** Removes branches without selected fields; messages may be recursive. */
function prune(root: Node): Node | undefined {
  const leads = (node: Node, seen: Set<Node>): boolean => {
    if (node.fields.length > 0) return true;
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
  if (node.fields.length > 0) at(node, value, path);
  for (const { name, repeated, node: inner } of node.nested) {
    const member = value[name];
    if (member === undefined) continue;
    if (!repeated) walk(inner, member as AnyValue, [...path, name], at);
    else
      for (const [index, item] of (member as AnyValue[]).entries())
        walk(inner, item, [...path, name, index], at);
  }
}
