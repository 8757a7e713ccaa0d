const MiB = 1024 * 1024;

/** One record is held in memory while it is read; CRIU's largest (mm with 65,530 mappings) is under 8 MiB. */
export const MAX_RECORD_BYTES = 64 * MiB;

/** List elements of one record, unknown fields counted twice. Linux allows 65,530 mappings a task unless told otherwise. */
export const MAX_RECORD_ELEMENTS = 512 * 1024;

/** Messages nest at most this deep; CRIU's deepest, a cgroup directory tree, stays far below. */
export const MAX_MESSAGE_DEPTH = 64;

/** A parent chain of incremental sets longer than this is taken for a loop. */
export const MAX_PARENT_LEVELS = 1024;

/** How much of a file is read at once while stepping over records. */
export const READ_WINDOW_BYTES = 256 * 1024;

/** Bytes of argv or environ that are read from memory pages for one task. */
export const MAX_STRING_AREA_BYTES = 4 * MiB;

/** JSON that encode reads, which is held as one text; Node's longest has 512 MiB less 24 characters. */
export const MAX_JSON_BYTES = 500 * MiB;

/** An image that comes through a pipe is held in memory; larger ones are named as files. */
export const MAX_PIPED_IMAGE_BYTES = 256 * MiB;

/** A set of 400 tasks has thousands of files; descriptors are limited to 1,024 on many hosts. */
export const MAX_OPEN_FILES = 256;

/** A pagemap of a terabyte in runs of 16 pages has as many entries; they are held as columns of 32 bytes an entry. */
export const MAX_PAGEMAP_ENTRIES = 16 * MiB;

/** criu-dev compresses at most this many bytes of memory as one block. */
export const MAX_COMPRESSED_BLOCK_BYTES = 4 * MiB;

/** A recipe is written by hand; each of its texts with all variables put in is no longer either. */
export const MAX_RECIPE_BYTES = 256 * 1024;

/** Memory is asked for in pieces of at most this size. */
export const MAX_MEMORY_READ_BYTES = 256 * MiB;
