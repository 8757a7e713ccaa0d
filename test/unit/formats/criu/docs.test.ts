import fs from "node:fs";
import * as assert from "uvu/assert";
import { IMAGE_KINDS } from "../../../../src/formats/criu/images.js";
import { fieldMessage, type MessageTable } from "../../../../src/schema/message.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("documentation of the format tables");

/** Every table that a module exports or that another one nests. */
async function allMessages(): Promise<ReadonlyMap<string, MessageTable>> {
  const found = new Map<string, MessageTable>();
  const add = (table: MessageTable): void => {
    if (found.has(table.name)) return;
    found.set(table.name, table);
    for (const field of Object.values(table.fields)) {
      const nested = fieldMessage(table, field);
      if (nested !== undefined) add(nested);
    }
  };
  for (const kind of IMAGE_KINDS) for (const { message } of kind.entries) add(message);
  for (const file of fs.readdirSync("src/formats/criu/tables")) {
    const module = await import(`../../../../src/formats/criu/tables/${file.replace(/\.ts$/, ".js")}`);
    for (const value of Object.values(module) as MessageTable[]) if (value.kind === "message") add(value);
  }
  return found;
}

test("every message says in a sentence what it is", async () => {
  const messages = await allMessages();
  assert.ok(messages.size > 150);
  for (const { name, doc } of messages.values()) assert.match(doc, /^[A-Z].*[^ ]\.$/, name);
});

test("what a field's doc says is a phrase, and more than its name", async () => {
  let documented = 0;
  for (const { name, fields } of (await allMessages()).values())
    for (const [field, { doc }] of Object.entries(fields)) {
      if (doc === undefined) continue;
      documented++;
      assert.match(doc, /^.{2,250}[^.; ]$/, `${name}.${field}`);
      assert.is.not(doc.replaceAll(" ", "_"), field, `${name}.${field}`);
    }
  assert.ok(documented > 400, String(documented));
});

test("what refers to something else says to what", async () => {
  const messages = await allMessages();
  for (const [message, field] of [
    ["fdinfo_entry", "id"],
    ["fs_entry", "cwd_id"],
    ["mm_entry", "exe_file_id"],
    ["vma_entry", "shmid"],
    ["pagemap_head", "pages_id"],
    ["memfd_inode_entry", "shmid"],
    ["remap_file_path_entry", "remap_id"],
    ["unix_sk_entry", "peer"],
    ["sk_packet_entry", "id_for"],
    ["scm_entry", "rights"],
    ["file_lock_entry", "fd"],
    ["tty_file_entry", "tty_info_id"],
    ["thread_core_entry", "seccomp_filter"],
  ] as const)
    assert.ok(messages.get(message)?.fields[field]?.doc, `${message}.${field}`);
});

test.run();
