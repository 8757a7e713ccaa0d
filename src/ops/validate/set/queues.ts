import { IMAGES } from "../../../formats/criu/images.js";
import type { EventpollFileEntry } from "../../../formats/criu/tables/eventpoll.js";
import type { InotifyFileEntry } from "../../../formats/criu/tables/fsnotify.js";
import type { SetContext } from "../context.js";
import { descriptorsByPid } from "../context.js";
import { descriptorTables } from "../descriptors.js";
import type { Rule } from "../finding.js";
import { filesByType } from "../references/source.js";

/** Rules about pipes, epoll and inotify. */
export const queueRules: readonly Rule<SetContext>[] = [
  {
    id: "PIPE_CONTENTS",
    level: "error",
    about: "A pipe's bytes are stored once and fit into its capacity.",
    mend: "Copy the image again from where the set was made.",
    *check({ set }) {
      for (const kind of [IMAGES.PIPES_DATA, IMAGES.FIFO_DATA]) {
        const seen = new Set<number>();
        for (const { value, index } of set.records(kind)) {
          const { pipe_id, bytes, size } = value;
          const at = { image: kind.file, record: index };
          if (seen.has(pipe_id)) yield { at, what: `bytes of pipe ${pipe_id} a second time` };
          seen.add(pipe_id);
          if (size !== undefined && size > 0 && bytes > size)
            yield {
              at,
              what: "more bytes than the pipe holds",
              expected: `at most ${size}`,
              found: String(bytes),
            };
        }
      }
    },
  },
  {
    id: "EPOLL_TARGET",
    level: "error",
    about: "What an epoll descriptor waits for is a descriptor of a task that has it.",
    mend: "Copy the fdinfo image again from where the set was made.",
    *check(context) {
      const byPid = context.share(descriptorsByPid);
      for (const { pid, table } of context.share(descriptorTables))
        for (const { fd, file } of table.descriptors) {
          if (file?.type !== "EVENTPOLL") continue;
          for (const [i, { tfd }] of (file.record as EventpollFileEntry).tfd.entries()) {
            if (byPid.get(pid)?.has(tfd) || isElsewhere(context, file, tfd)) continue;
            yield {
              at: { ...file.origin, field: `${file.origin.field ?? ""}.tfd[${i}]`, pid, fd },
              what: "it waits for a descriptor that is not there",
              expected: `descriptor ${tfd} of task ${pid}`,
              found: "none",
            };
          }
        }
    },
  },
  {
    id: "INOTIFY_WATCHES",
    level: "error",
    about:
      "No two watches of an inotify descriptor have one number; their order is the kernel's, and criu sorts them.",
    mend: "Copy the image again from where the set was made.",
    *check(context) {
      for (const file of context.share(filesByType).get("INOTIFY") ?? []) {
        const seen = new Set<number>();
        for (const [i, { wd }] of (file.record as InotifyFileEntry).wd.entries()) {
          if (seen.has(wd))
            yield {
              at: { ...file.origin, field: `${file.origin.field ?? ""}.wd[${i}]` },
              what: "the number of the watch occurs twice",
              found: String(wd),
            };
          seen.add(wd);
        }
      }
    },
  },
];

/** Several tasks may have one epoll file; criu takes the table of one of them. */
function isElsewhere(context: SetContext, file: object, tfd: number): boolean {
  return (
    context
      .share(epollTables)
      .get(file)
      ?.some((numbers) => numbers.has(tfd)) === true
  );
}

/** Descriptor numbers of each table that has an epoll file. */
function epollTables(context: SetContext): ReadonlyMap<object, readonly ReadonlyMap<number, unknown>[]> {
  const tables = new Map<object, ReadonlyMap<number, unknown>[]>();
  const byPid = context.share(descriptorsByPid);
  for (const { pid, table } of context.share(descriptorTables))
    for (const { file } of table.descriptors) {
      if (file?.type !== "EVENTPOLL") continue;
      const numbers = byPid.get(pid);
      if (numbers === undefined) continue;
      const known = tables.get(file);
      if (known === undefined) tables.set(file, [numbers]);
      else known.push(numbers);
    }
  return tables;
}
