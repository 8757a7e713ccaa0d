import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from "../../../linux/files.js";
import { O_PATH } from "../../../linux/open-flags.js";
import { namedFiles, type OpenFile } from "../../../model/open-file.js";
import type { Ghost } from "../../../model/stored-bytes.js";
import type { ImageContext } from "../context.js";
import { holders } from "../descriptors.js";
import type { Found, Rule, RuleFacts } from "../finding.js";

/** Types that a ghost may have: all but sockets. */
const TYPES: ReadonlySet<number> = new Set([S_IFREG, S_IFDIR, S_IFIFO, S_IFLNK, S_IFCHR, S_IFBLK]);

/** Rules about files whose names were gone at the checkpoint. */
export const deletedFileRules: readonly Rule<ImageContext>[] = [
  ghostRule(
    {
      id: "GHOST_MODE",
      level: "error",
      about: "A ghost has the type of a file that can be made.",
      fix: "crimg edit --set gives its mode a file type, stat(2).",
    },
    function* ({ mode }) {
      if (!TYPES.has(mode & S_IFMT))
        yield { what: "invalid file type", expected: "any but a socket", found: `0${mode.toString(8)}` };
    },
  ),
  ghostRule(
    {
      id: "GHOST_CHUNKS",
      level: "error",
      about:
        "The pieces of a ghost ascend, do not overlap and lie inside its size; a restore writes each where it says, also in another order.",
      fix: "Copy the image again from where it was made: these bytes are damaged.",
    },
    function* ({ chunked, size, pieces }) {
      if (!chunked) return;
      let end = 0n;
      for (const piece of pieces()) {
        const last = BigInt(piece.at) + BigInt(piece.size);
        const found = `${piece.at} + ${piece.size}`;
        if (last > size)
          yield { what: "a piece beyond the end of the file", expected: `an end at ${size} or below`, found };
        else if (piece.at < end)
          yield {
            what: "a piece that overlaps another, or stands out of order",
            ...{ expected: `an offset of ${end} or above`, found, level: "warning" },
          };
        end = last;
      }
    },
  ),
  ghostRule(
    {
      id: "GHOST_SIZE",
      level: "error",
      about: "A ghost has the size that the open files of it expect: criu refuses another.",
      fix: "crimg edit --no-file-check PATH leaves the comparison out.",
    },
    function* (ghost, context, file) {
      if (file?.size === undefined || (ghost.mode & S_IFMT) !== S_IFREG || ghost.size === file.size) return;
      yield {
        what: "the ghost has another size than the deleted file",
        expected: `${file.size} bytes`,
        found: `${ghost.size} bytes`,
        fix: context.editCommand("--no-file-check", file.path ?? ""),
      };
    },
  ),
  {
    id: "DELETED_TYPE",
    level: "error",
    about:
      "A deleted file has the type that its open files compare it with, and is a fifo exactly where a fifo was opened.",
    fix: "crimg edit --drop-fd PID:FD closes a descriptor of it; --no-file-check PATH compares no type.",
    *check(context) {
      const { files, deletedFiles } = context.checkpoint;
      if (deletedFiles.length === 0) return;
      const fifos = new Set<OpenFile | undefined>();
      for (const file of files.all) if (file.type === "FIFO") fifos.add(file.node);
      for (const { inode, fileId, path, origin } of deletedFiles) {
        const type = inode.mode & S_IFMT;
        const file = files.get(fileId);
        if (file === undefined || !TYPES.has(type)) continue;
        const isPath = ((file.flags ?? 0) & O_PATH) !== 0;
        const compared = (file.mode ?? 0) & S_IFMT;
        const expected = fifos.has(file) ? S_IFIFO : compared;
        if ((expected === 0 || type === expected) && (type !== S_IFIFO || fifos.has(file) || isPath))
          continue;
        yield {
          at: context.placeOf(origin, { path }),
          what: "another type than that of the open file",
          expected: expected === 0 ? "any but a fifo" : `0${expected.toString(8)}`,
          found: `0${type.toString(8)}`,
        };
      }
    },
  },
  {
    id: "DELETED_PATH",
    level: "warning",
    about:
      "No other file of the image is opened by the path of the link or copy that a deleted file comes back from.",
    fix: "crimg edit --remap-path OLD=NEW moves one of the two.",
    *check(context) {
      const { files, deletedFiles, tasks } = context.checkpoint;
      const kept = deletedFiles.filter(({ method }) => method === "link remap" || method === "copy");
      if (kept.length === 0) return;
      // The entry of a link stands for its path, unless a task has it open or mapped as well.
      const open = context.share(holders);
      const mapped = new Set(
        tasks.flatMap(({ exe, mappings }) => [exe, ...mappings.map(({ file }) => file)]),
      );
      const isUsed = (file: OpenFile): boolean => open.has(file) || mapped.has(file);
      const links = new Set(kept.flatMap(({ keptFile: file }) => (file && !isUsed(file) ? file : [])));
      const names = new Map<string, OpenFile>();
      for (const file of namedFiles(files))
        if (file.deleted === undefined && !links.has(file) && file.path !== undefined)
          names.set(file.path, file);
      for (const { keptIn, origin } of kept) {
        const rival = names.get(keptIn.startsWith("/") ? keptIn : `/${keptIn}`);
        if (rival !== undefined)
          yield {
            at: context.placeOf(origin, { path: keptIn }),
            what: "another file is opened by the path of the substitute",
            found: `open file ${rival.id}`,
          };
      }
    },
  },
];

/** A rule that looks at the contents of each deleted file, for each size that its open files expect; the place is added. */
function ghostRule(
  facts: RuleFacts,
  check: (ghost: Ghost, context: ImageContext, file: OpenFile | undefined) => Iterable<Omit<Found, "at">>,
): Rule<ImageContext> {
  return {
    ...facts,
    *check(context) {
      const { files, deletedFiles } = context.checkpoint;
      const seen = new Set<string>();
      for (const { ghost, fileId, path } of deletedFiles) {
        if (ghost === undefined) continue;
        const { origin } = ghost;
        const file = files.get(fileId);
        const key = `${origin.image}[${origin.record}] ${file?.size}`;
        if (seen.has(key)) continue;
        seen.add(key);
        for (const found of check(ghost, context, file))
          yield { ...found, at: context.placeOf(origin, { path }) };
      }
    },
  };
}
