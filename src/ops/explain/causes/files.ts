import type { Cause, MendTemplate } from "../cause.js";

const ACCEPT: MendTemplate = {
  edit: "--accept-file {path}",
  effect: "accept the file as it is now",
};
const REMAP: MendTemplate = {
  edit: "--remap-path {path}=NEWPATH",
  effect: "use its new path",
};

/** Files that have changed, and files that cannot be dumped. */
export const FILE_CAUSES: readonly Cause[] = [
  {
    id: "FILE_SIZE",
    match: /^File (?<path>.+) has bad size (?<found>\d+) \(expect (?<expected>\d+)\)/,
    what: "size of {path} is {found} bytes (expected {expected}, as at the checkpoint)",
    why: "criu reopens a file only if its size is unchanged, since the program relies on its contents",
    mends: [
      ACCEPT,
      {
        command: "truncate -s {expected} {path}",
        effect: "truncate it, if it was only appended to",
        only: ({ found, expected }) => Number(found) > Number(expected),
      },
    ],
  },
  {
    id: "FILE_MODE",
    match: /^File (?<path>.+) has bad mode (?<found>0[0-7]+) \(expect (?<expected>0[0-7]+)\)/,
    what: "mode of {path} is {found} (expected {expected}, as at the checkpoint)",
    why: "criu reopens a file only if its type and permissions are unchanged",
    mends: [
      ACCEPT,
      {
        command: "{restore} -- --skip-file-rwx-check",
        effect: "restore without comparing permissions (the type is still compared)",
      },
    ],
  },
  {
    id: "FILE_BUILD_ID",
    match: /^File (?<path>.+) has bad build-ID/,
    what: "build id of {path} differs from that at the checkpoint",
    why: "the memory of the program refers to addresses in the old build",
    mends: [
      { effect: "put the old build back, or elsewhere and remap the path" },
      REMAP,
      {
        edit: "--no-file-check {path}",
        effect: "skip the check, if both builds have the same code",
      },
    ],
  },
  {
    id: "FILE_MISSING",
    match: /^Can't open file (?<path>.+?)(?: on restore)?: (?:No such file or directory|Not a directory)/,
    what: "{path} does not exist",
    why: "the program had it open, mapped, or as its current directory, and criu reopens it by path",
    mends: [REMAP, { effect: "put the file back" }],
  },
  {
    id: "FILE_DENIED",
    match: /^Can't open file (?<path>.+?)(?: on restore)?: (?<error>.+)/,
    what: "{path} cannot be opened: {error}",
    why: "criu reopens it with the open flags of the program",
    mends: [{ effect: "make it accessible to the restoring user" }, REMAP],
  },
  {
    id: "LINK_REMAP",
    match: /^Can't link (?<path>.*link_remap\.\d+) -> (?<target_path>.+): (?<error>.+)/,
    what: "cannot use the hard link {path} of the deleted file {target_path}: {error}",
    why: "a checkpoint with --link-remap keeps a deleted file on disk under that name, beside the original, not in the images",
    mends: [
      {
        effect:
          "copy the link_remap file together with the images; a second restore needs a copy made before the first",
      },
    ],
  },
  {
    id: "GHOST_LINK",
    match: /^Can't link (?<ghost_path>.*\.ghost) -> (?<path>.+): (?<error>.+)/,
    during: "restore",
    what: "cannot give the deleted file {path} its old name: {error}",
    why: "a deleted file that was open gets its old name for a moment, so that criu can open it",
    mends: [
      { effect: "move the file away that now has this name, or use a newer criu, which picks another name" },
      { edit: "--fd {pid}:{fd}={path}", effect: "open the file that is there now in its place" },
    ],
  },
  {
    id: "GHOST_CREATE",
    match: /^Can't (?:create|make) (?:ghost|node for ghost)[^:]*: (?<error>.+)/,
    during: "restore",
    what: "cannot create a deleted file again: {error}",
    why: "a deleted file that was open is created for a moment in its old directory, which must be writable",
    mends: [
      { command: "crimg show {image} ghosts", effect: "show the deleted files and their directories" },
      {
        effect: "mount the file system writable for the restore",
        only: ({ error = "" }) => /read-only/i.test(error),
      },
      { edit: "--drop-fd {pid}:{fd}", effect: "drop the descriptor, if the program can do without it" },
    ],
  },
  {
    id: "LINK_REMAP_OPTION",
    match: /^Can't create link remap for (?<path>.+?)\. Use /,
    during: "dump",
    what: "{path} was deleted, but still has a hard link",
    why: "criu needs --link-remap to create another link by which it can reopen the file",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --link-remap",
        effect: "dump again and let criu create a link",
      },
    ],
  },
  {
    id: "GHOST_LIMIT",
    match: /^Can't dump ghost file (?<path>.+) of (?<size>\d+) size, increase limit/,
    during: "dump",
    what: "the deleted file {path} takes {size} bytes",
    why: "a deleted file is stored in the images, by default up to 1 MiB",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --ghost-limit {size}",
        effect: "dump again with a higher limit",
      },
    ],
  },
  {
    id: "MOUNT_UNKNOWN",
    match: /^Can't lookup mount=(?<mount>\d+) for fd=(?<fd>-?\d+) path=(?<path>.+)/,
    during: "dump",
    what: "descriptor {fd} refers to {path} on a mount that is not visible to the process tree",
    why: "criu can reopen only files on mounts of the mount namespace of the process tree",
    mends: [
      {
        effect:
          "start the program without that descriptor (FD>&- in the shell), or dump from the namespace of the mount",
      },
    ],
  },
  {
    id: "FILE_OVERMOUNTED",
    match:
      /^Open files on overmounted mounts are not supported yet; mount=\d+ fd=(?<fd>-?\d+) path=(?<path>.+)/,
    during: "dump",
    what: "descriptor {fd} refers to {path}, which is hidden by another mount",
    why: "its path now refers to another file",
    mends: [{ effect: "unmount the other mount, or close the descriptor" }],
  },
  {
    id: "DESCRIPTOR_UNSUPPORTED",
    match: /^(?:Can't dump file (?<fd>\d+) of that type|send_fds failed|Can't retrieve FDs from socket)/,
    during: "dump",
    what: "a descriptor of task {pid} has a type that criu does not support, such as io_uring",
    why: "the kernel has no interface to save and restore it",
    mends: [
      { command: "ls -l /proc/{pid}/fd", effect: "find it (shown as anon_inode:[…])" },
      { effect: "disable the feature in the program" },
    ],
  },
  {
    id: "DESCRIPTOR",
    match: /^Unable to open fd=(?<fd>\d+) id=(?<id>0x[0-9a-f]+)/,
    during: "restore",
    consequence: true,
    what: "cannot reopen descriptor {fd} of task {pid} (file id {id})",
    why: "the preceding lines of the log show the error",
    mends: [
      {
        edit: "--drop-fd {pid}:{fd}",
        effect: "drop the descriptor",
      },
    ],
  },
  {
    id: "DIRECTORY",
    match: /^Can't (?:open|find task) (?<which>cwd|root)/,
    during: "restore",
    consequence: true,
    what: "cannot open the {which} of task {pid}",
    why: "the preceding lines of the log show the error",
    mends: [{ command: "crimg validate {image} --root /", effect: "check all paths" }],
  },
];
