import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { EnumTable } from "../../src/io/enums.js";
import type { Field, MessageTable } from "../../src/schema/message.js";

const DIRECTORY = fileURLToPath(new URL("../../src/formats/criu/tables", import.meta.url));

/** Every message table and enum table of CRIU's images, by CRIU's name. */
export async function allTables(): Promise<{
  readonly messages: ReadonlyMap<string, MessageTable>;
  readonly enums: ReadonlyMap<string, EnumTable>;
}> {
  const messages = new Map<string, MessageTable>();
  const enums = new Map<string, EnumTable>();
  for (const name of readdirSync(DIRECTORY).sort()) {
    const module = (await import(pathToFileURL(join(DIRECTORY, name)).href)) as Record<string, unknown>;
    for (const table of Object.values(module) as (MessageTable | EnumTable)[]) {
      if (table?.kind === "message") {
        messages.set(table.name, table);
        for (const { type } of Object.values(table.fields) as Field[])
          if (typeof type === "object" && type.kind === "enum") enums.set(type.name, type);
      } else if (table?.kind === "enum") enums.set(table.name, table);
    }
  }
  return { messages, enums };
}

/** Whether a release of CRIU was made before the field was. */
export function isNewerThan(release: string, { since }: Field): boolean {
  return since !== undefined && (since === "criu-dev" || compareVersions(since, release) > 0);
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/[.-]/).map(Number)) as [number[], number[]];
  for (let i = 0; i < left.length; i++)
    if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) - (right[i] ?? 0);
  return 0;
}
