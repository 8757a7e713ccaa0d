import { MAX_PAGEMAP_ENTRIES } from "../../../io/limits.js";
import { kind, many, one, raw } from "../image-kind.js";
import { GHOST_CHUNK_ENTRY, GHOST_FILE_ENTRY } from "../tables/ghost-file.js";
import { PAGEMAP_ENTRY, PAGEMAP_HEAD } from "../tables/pagemap.js";
import { TCP_STREAM_ENTRY } from "../tables/sk-inet.js";

/** Images of one object that tasks may share: deleted files, memory, connections. */
export const OBJECT_IMAGES = {
  SHMEM_PAGEMAP: kind(
    "SHMEM_PAGEMAP",
    "pagemap-shmem-%u.img",
    0x56084025,
    "object",
    "which pages of a shared memory segment are in the pages file",
    [one(PAGEMAP_HEAD), many(PAGEMAP_ENTRY)],
    { since: "0.5", most: MAX_PAGEMAP_ENTRIES },
  ),
  PAGES: raw("PAGES", "pages-%u.img", "object", "memory pages: page contents back to back", { since: "0.1" }),
  GHOST_FILE: kind(
    "GHOST_FILE",
    "ghost-file-%x.img",
    0x52583605,
    "object",
    "a deleted file with its contents",
    [one(GHOST_FILE_ENTRY), many(GHOST_CHUNK_ENTRY)],
    {
      payload: [
        {
          after: GHOST_FILE_ENTRY,
          parts: [{ name: "data", length: "rest" }],
          when: (entry) => entry.chunks !== true,
          isExtraOptional: true,
        },
        {
          after: GHOST_CHUNK_ENTRY,
          parts: [{ name: "data", length: { field: "len" } }],
          isExtraOptional: true,
        },
      ],
      since: "0.1",
    },
  ),
  TCP_STREAM: kind(
    "TCP_STREAM",
    "tcp-stream-%x.img",
    0x51465506,
    "object",
    "state and queues of a TCP connection",
    [one(TCP_STREAM_ENTRY)],
    {
      payload: [
        {
          after: TCP_STREAM_ENTRY,
          parts: [
            { name: "inq", length: { field: "inq_len" } },
            { name: "outq", length: { field: "outq_len" } },
          ],
        },
      ],
      since: "0.1",
    },
  ),
} as const;
