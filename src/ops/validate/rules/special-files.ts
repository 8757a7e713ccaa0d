import { PAGE_SIZE } from "../../../linux/mman.js";
import type { ImageContext } from "../context.js";
import { descriptorTables } from "../descriptors.js";
import type { Rule } from "../finding.js";
import { placeOf } from "./files.js";

/** Capacity of a pipe that the image stores none of: the kernel's usual one, pipe(7). */
const USUAL_CAPACITY = 16 * PAGE_SIZE;

/** Rules about pipes, epoll and inotify. */
export const specialFileRules: readonly Rule<ImageContext>[] = [
  {
    id: "PIPE_CONTENTS",
    level: "error",
    about: "A pipe's bytes are stored once and fit into its capacity, 65,536 unless the image says another.",
    fix: "crimg edit --drop-fd PID:FD closes its ends; crimg edit --set sets a capacity that is stored.",
    *check(context) {
      const seen = new Set<string>();
      for (const { pipeId, kind, bytes, capacity, origin } of context.checkpoint.pipes) {
        const key = `${kind} ${pipeId}`;
        const at = context.placeOf(origin);
        if (seen.has(key)) yield { at, what: `bytes of ${key} a second time` };
        seen.add(key);
        const room = capacity || USUAL_CAPACITY;
        if (bytes > room)
          yield {
            at,
            what: "more bytes than the pipe holds",
            expected: `at most ${room}`,
            found: `${bytes}`,
          };
      }
    },
  },
  {
    id: "PIPE_CAPACITY",
    level: "warning",
    about: "The capacity of a pipe is whole pages, as the kernel gives it; another one is rounded up.",
    fix: "crimg edit --set sets a multiple of 4096.",
    *check(context) {
      for (const { capacity, origin } of context.checkpoint.pipes)
        if (capacity !== undefined && capacity % PAGE_SIZE !== 0)
          yield {
            at: context.placeOf(origin),
            what: "invalid capacity of a pipe",
            expected: `a multiple of ${PAGE_SIZE}`,
            found: `${capacity}`,
          };
    },
  },
  {
    id: "EPOLL_SELF",
    level: "error",
    about: "No epoll instance watches itself: the kernel refuses it.",
    fix: "crimg edit --drop-fd PID:FD closes the descriptor.",
    *check(context) {
      for (const { pid, table } of context.share(descriptorTables))
        for (const { fd, file } of table.descriptors) {
          const special = file?.type === "EVENTPOLL" ? file.special : undefined;
          if (file === undefined || special?.kind !== "epoll") continue;
          const watched = special.watches?.some(({ fd: number, fileId }) =>
            fileId === undefined ? context.descriptor(pid, number)?.file === file : fileId === file.id,
          );
          if (watched)
            yield {
              at: context.placeOf(file.origin, { pid, fd }),
              what: "an epoll instance that watches itself",
              fix: context.editCommand("--drop-fd", `${pid}:${fd}`),
            };
        }
    },
  },
  {
    id: "INOTIFY_WATCHES",
    level: "error",
    about: "No two watches of an inotify instance have one number; their order is the kernel's.",
    fix: "crimg edit --set gives one of the two another number.",
    *check(context) {
      for (const file of context.checkpoint.files.all) {
        const special = file.type === "INOTIFY" ? file.special : undefined;
        if (special?.kind !== "inotify") continue;
        const seen = new Set<number>();
        for (const { wd } of special.watches) {
          if (seen.has(wd)) yield { at: placeOf(context, file), what: "duplicate watch", found: `${wd}` };
          seen.add(wd);
        }
      }
    },
  },
];
