import { createHash } from "node:crypto";
import type { FileOwner, OpenFile } from "../../../model/open-file.js";
import { fileState } from "../../../model/special-file.js";
import { deletedFields } from "../deleted-file.js";
import { type Comparable, hex, type Section, type Side } from "../section.js";

/** Open files; those with equal names are distinguished by their holders. */
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
          ...deletedFields(file.deleted),
          owner: ownerText(side, file.owner),
          ...fileState(file.special),
          ...pipeFields(side, file),
          holders: holders.join(" ") || undefined,
        },
      };
    }
  },
};

/** Contents of a pipe or fifo. */
function pipeFields(side: Side, file: OpenFile): Record<string, Comparable> {
  const pipe = side.pipe(file);
  if (pipe === undefined) return {};
  const { bytes, capacity, data } = pipe;
  const hash = createHash("sha256");
  for (const { source, offset, size } of data) hash.update(source.read(offset, size));
  return {
    waiting: bytes || undefined,
    contents: bytes === 0 ? undefined : hash.digest("hex"),
    capacity: capacity || undefined,
  };
}

function ownerText(side: Side, owner: FileOwner | undefined): string | undefined {
  if (owner === undefined) return undefined;
  return `signal ${owner.signal} to ${owner.kind} ${side.taskKey(owner.pid)}, uid ${owner.uid}, euid ${owner.euid}`;
}
