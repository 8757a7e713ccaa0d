const MiB = 1024 * 1024;

/** One record is held in memory while it is read; CRIU's largest (mm with 65,530 mappings) is under 8 MiB. */
export const MAX_RECORD_BYTES = 64 * MiB;

/** List elements of one record, unknown fields counted twice: twice the mappings that one task may have here. */
export const MAX_RECORD_ELEMENTS = 256 * 1024;

/** Records of one image of a set held at once, for kinds without a limit of their own; no kernel has so many objects. */
export const MAX_HELD_RECORDS = 256 * 1024;

/** Tasks of one checkpoint: twice the usual kernel.pid_max, and each of them has five images or more. */
export const MAX_TASKS = 64 * 1024;

/** Threads of one checkpoint, including group leaders: kernel.threads-max of a machine with 16 GiB is lower. */
export const MAX_THREADS = 128 * 1024;

/** Records that are read again under further names of their file. What tasks have in common byte by byte is small: fs-PID.img. */
export const MAX_LINKED_BYTES = 2 * MiB;

/** Descriptors of one table, and those that one epoll watches: twice the 65,536 that is a common LimitNOFILE of servers. */
export const MAX_DESCRIPTORS = 128 * 1024;

/** Open files of a set: 65,536 of one task and some more; real sets have 20,000. */
export const MAX_SET_FILES = 72 * 1024;

/** Path or name of an open file: twice PATH_MAX, which no kernel exceeds; it is shown for each descriptor. */
export const MAX_PATH_LENGTH = 8 * 1024;

/** Limits, and signal actions, of one task: Linux has 16 and 64 (128 on MIPS). */
export const MAX_TASK_ENTRIES = 128;

/** POSIX timers of one task: each needs a queued signal; RLIMIT_SIGPENDING is 62,000 on a machine with 16 GiB. */
export const MAX_TASK_TIMERS = 64 * 1024;

/** Signals that wait for one task or thread, for the same reason. */
export const MAX_PENDING_SIGNALS = 64 * 1024;

/** System V objects of one kind in a namespace: IPCMNI of the kernel. */
export const MAX_IPC_OBJECTS = 32 * 1024;

/** Losses of a conversion that are listed; the rest is counted. */
export const MAX_LOSSES = 16 * 1024;

/** Mappings of one task: twice the 65,530 that vm.max_map_count allows by default. */
export const MAX_MAPPINGS = 128 * 1024;

/** Mappings of one task that are compared, those of both sides held at once: the default of Linux and some more. */
export const MAX_COMPARED_MAPPINGS = 72 * 1024;

/** Mounts of one namespace: fs.mount-max by default. */
export const MAX_MOUNTS = 100_000;

/** Messages nest at most this deep; CRIU's deepest, a cgroup directory tree, stays far below. */
export const MAX_MESSAGE_DEPTH = 64;

/** A longer parent chain of incremental sets is considered a loop. */
export const MAX_PARENT_LEVELS = 1024;

/** Bytes of a file read at once while skipping over records. */
export const READ_WINDOW_BYTES = 256 * 1024;

/** Bytes of argv or environ read from memory pages for one task. */
export const MAX_STRING_AREA_BYTES = 4 * MiB;

/** JSON input of encode, held as one string; Node's maximum is 512 MiB less 24 characters. */
export const MAX_JSON_BYTES = 500 * MiB;

/** A piped image is held in memory; larger ones must be files. */
export const MAX_PIPED_IMAGE_BYTES = 256 * MiB;

/** A set of 400 tasks has thousands of files; descriptors are limited to 1,024 on many hosts. */
export const MAX_OPEN_FILES = 256;

/** A pagemap of a terabyte in runs of 16 pages has as many entries; they are held as columns of 32 bytes per entry. */
export const MAX_PAGEMAP_ENTRIES = 16 * MiB;

/** criu-dev compresses at most this many bytes of memory as one block. */
export const MAX_COMPRESSED_BLOCK_BYTES = 4 * MiB;

/** A recipe is written by hand; the limit also holds for each of its texts with all variables expanded. */
export const MAX_RECIPE_BYTES = 256 * 1024;

/** Largest read of memory at once. */
export const MAX_MEMORY_READ_BYTES = 256 * MiB;

/** An edit log is held in memory with its parsed JSON, together below 256 MiB. */
export const MAX_EDIT_LOG_BYTES = 32 * MiB;

/** JSON values of an edit log: `{},` takes 3 bytes, parsed 50 and more. An edit of 20,000 files has 360,000. */
export const MAX_EDIT_LOG_VALUES = 1024 * 1024;

/** A seal is held in memory with its parsed JSON, together below 256 MiB. It has 40 bytes for each record. */
export const MAX_SEAL_BYTES = 20 * MiB;

/** JSON values of a seal: three for each record. */
export const MAX_SEAL_VALUES = 1024 * 1024;

/** A key in PEM. */
export const MAX_KEY_BYTES = 64 * 1024;

/** Changes of one run of edit, each with its values and their text; dropping 20,000 unix sockets in pairs makes 80,000. */
export const MAX_CHANGES = 80 * 1024;

/** Journal of an edit in place: about 300 bytes per changed file. A longer one was not written by crimg. */
export const MAX_JOURNAL_BYTES = 64 * 1024 * 1024;

/** Decompressed bytes that are passed over and kept all the same, since they may be asked for: a small pages file, a log. */
export const MAX_UNPACKED_GAP_BYTES = 64 * MiB;

/** All of these together, on the disk. */
export const MAX_UNPACKED_KEPT_BYTES = 512 * MiB;

/** Headers of one tar archive: a set of 400 tasks has 3,000 images, a root file system of a container 100,000 files. */
export const MAX_TAR_HEADERS = 1024 * 1024;

/** Index of an archive in memory: 100,000 members take 40 MiB. */
export const MAX_TAR_INDEX_BYTES = 64 * MiB;

/** Packages in packages: a layer in an image in an archive in a pod is four deep. */
export const MAX_ARCHIVE_DEPTH = 6;

/** Manifests of one image layout; each is read. containerd allows 1,024 containers of a pod. */
export const MAX_OCI_MANIFESTS = 1024;

/** Of a compressed archive that is listed at most so much is decompressed. */
export const MAX_GLANCE_BYTES = 64 * MiB;

/** JSON of an engine, such as a container's configuration, held as one string: containerd allows manifests of 16 MiB. */
export const MAX_ENGINE_JSON_BYTES = 16 * MiB;

/** Headers that extend the one of a member, such as PAX records; GNU tar's are a few hundred bytes. */
export const MAX_TAR_EXTENSION_BYTES = MiB;

/** Parts of one sparse member. */
export const MAX_SPARSE_PARTS = 256 * 1024;

/** Window of a zstd frame; `zstd -d` refuses more without `--long`. */
export const MAX_ZSTD_WINDOW_BYTES = 128 * MiB;

/** Pieces of all files of a CRIU stream, 256 KiB each as criu-image-streamer writes them: 64 GiB. */
export const MAX_STREAM_PIECES = 256 * 1024;

/** Changed and deleted files of a root file system that are listed; the rest is counted. */
export const MAX_LISTED_CHANGES = 100_000;

/** A file that an edit adds to the root file system of a container: it is held in memory. */
export const MAX_ROOT_FILE_BYTES = 64 * MiB;

/** A file of an archive whose digest is compared by `validate`: a second of reading. */
export const MAX_DIGESTED_BYTES = 512 * MiB;
