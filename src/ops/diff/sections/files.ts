import type { FileOwner } from "../../../model/checkpoint.js";
import { hex, type Section, type Side } from "../section.js";

/** Open file descriptions; the ones of equal name are told apart by who holds them. */
export const FILES: Section = {
  name: "files",
  *items(side) {
    for (const file of side.document.checkpoint.files.all) {
      if (!side.isOpenFile(file)) continue;
      const name = side.fileName(file) ?? file.label;
      const holders = side.holders(file);
      yield {
        key: `${file.type} ${name} ${holders[0] ?? ""}`,
        alias: `${file.type} ${holders[0] ?? name}`,
        label: holders[0] === undefined ? name : `${name} (${holders[0]})`,
        fields: {
          name,
          flags: hex(file.flags),
          position: file.position,
          size: file.size,
          mode: file.mode === undefined ? undefined : `0${file.mode.toString(8)}`,
          buildId: file.buildId,
          deleted: file.deleted?.method,
          owner: ownerText(side, file.owner),
          holders: holders.join(" ") || undefined,
        },
      };
    }
  },
};

function ownerText(side: Side, owner: FileOwner | undefined): string | undefined {
  if (owner === undefined) return undefined;
  return `signal ${owner.signal} to ${owner.kind} ${side.taskKey(owner.pid)}, uid ${owner.uid}, euid ${owner.euid}`;
}
