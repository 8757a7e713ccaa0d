import type { Cause, MendTemplate } from "../cause.js";

const ACCEPT: MendTemplate = {
  edit: "--accept-file {path}",
  effect: "take the file as it is now",
};
const REMAP: MendTemplate = {
  edit: "--remap-path {path}=NEWPATH",
  effect: "look for it where it is now",
};

/** Files that are not as they were, and files that a dump cannot keep. */
export const FILE_CAUSES: readonly Cause[] = [
  {
    id: "FILE_SIZE",
    match: /^File (?<path>.+) has bad size (?<found>\d+) \(expect (?<expected>\d+)\)/,
    what: "{path} has {found} bytes now, and had {expected} at the checkpoint",
    why: "criu opens a file again only if its size did not change, since the program would go on in other contents",
    mends: [
      ACCEPT,
      {
        command: "truncate -s {expected} {path}",
        effect: "roll it back, if it was only appended to",
        only: ({ found, expected }) => Number(found) > Number(expected),
      },
    ],
  },
  {
    id: "FILE_MODE",
    match: /^File (?<path>.+) has bad mode (?<found>0[0-7]+) \(expect (?<expected>0[0-7]+)\)/,
    what: "{path} has mode {found} now, and had {expected} at the checkpoint",
    why: "criu opens a file again only if its type and permissions did not change",
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
    what: "{path} is another build than at the checkpoint: its build-id differs",
    why: "the program has addresses of the old build in its memory and would jump into other code",
    mends: [
      { effect: "put the build of the checkpoint back in its place, or beside it and remap the path" },
      REMAP,
      {
        edit: "--no-file-check {path}",
        effect: "give up the check, if the two builds are known to be the same code",
      },
    ],
  },
  {
    id: "FILE_MISSING",
    match: /^Can't open file (?<path>.+?)(?: on restore)?: (?:No such file or directory|Not a directory)/,
    what: "{path} is not there",
    why: "the program had it open, mapped it, or ran in it, and criu opens it again by that path",
    mends: [REMAP, { effect: "put the file back" }],
  },
  {
    id: "FILE_DENIED",
    match: /^Can't open file (?<path>.+?)(?: on restore)?: (?<error>.+)/,
    what: "{path} cannot be opened: {error}",
    why: "criu opens it again with the flags that the program had used",
    mends: [{ effect: "make it accessible to the user who restores" }, REMAP],
  },
  {
    id: "LINK_REMAP",
    match: /^Can't link (?<path>.*link_remap\.\d+) -> (?<target_path>.+): (?<error>.+)/,
    what: "the hard link {path}, which keeps the deleted file {target_path}, cannot be used: {error}",
    why: "a checkpoint with --link-remap leaves a deleted file on disk under that name, beside the original, not in the images",
    mends: [
      {
        effect:
          "bring the link_remap file along with the images; a second restore needs a copy made before the first",
      },
    ],
  },
  {
    id: "LINK_REMAP_OPTION",
    match: /^Can't create link remap for (?<path>.+?)\. Use /,
    during: "dump",
    what: "{path} was deleted while a hard link to it is still there",
    why: "without leave to make another link, criu has no name by which to open it again",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --link-remap",
        effect: "dump again and let criu make a link beside it",
      },
    ],
  },
  {
    id: "GHOST_LIMIT",
    match: /^Can't dump ghost file (?<path>.+) of (?<size>\d+) size, increase limit/,
    during: "dump",
    what: "the deleted file {path} takes {size} bytes",
    why: "a deleted file goes into the images, and criu takes none above 1 MiB unless it is told to",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --ghost-limit {size}",
        effect: "dump again with a limit that is high enough",
      },
    ],
  },
  {
    id: "MOUNT_UNKNOWN",
    match: /^Can't lookup mount=(?<mount>\d+) for fd=(?<fd>-?\d+) path=(?<path>.+)/,
    during: "dump",
    what: "descriptor {fd} leads to {path} on a mount that the tree cannot see",
    why: "criu can only open again what is on a mount of the dumped tree's own mount namespace",
    mends: [
      {
        effect:
          "start the program without that descriptor (FD>&- in the shell), or dump from the namespace it comes from",
      },
    ],
  },
  {
    id: "FILE_OVERMOUNTED",
    match:
      /^Open files on overmounted mounts are not supported yet; mount=\d+ fd=(?<fd>-?\d+) path=(?<path>.+)/,
    during: "dump",
    what: "descriptor {fd} leads to {path}, over which something else is mounted",
    why: "its path no longer leads to it",
    mends: [{ effect: "unmount what covers it, or close the descriptor" }],
  },
  {
    id: "DESCRIPTOR_UNSUPPORTED",
    match: /^(?:Can't dump file (?<fd>\d+) of that type|send_fds failed|Can't retrieve FDs from socket)/,
    during: "dump",
    what: "a descriptor of task {pid} is of a kind that criu cannot take, such as io_uring",
    why: "the kernel gives no way to read it out and make it again",
    mends: [
      { command: "ls -l /proc/{pid}/fd", effect: "find it: it shows as anon_inode:[…]" },
      { effect: "turn the feature off in the program" },
    ],
  },
  {
    id: "DESCRIPTOR",
    match: /^Unable to open fd=(?<fd>\d+) id=(?<id>0x[0-9a-f]+)/,
    during: "restore",
    consequence: true,
    what: "descriptor {fd} of task {pid} (file id {id}) cannot be opened again",
    why: "the lines before say what failed",
    mends: [
      {
        edit: "--drop-fd {pid}:{fd}",
        effect: "leave the descriptor out",
      },
    ],
  },
  {
    id: "DIRECTORY",
    match: /^Can't (?:open|find task) (?<which>cwd|root)/,
    during: "restore",
    consequence: true,
    what: "the {which} of task {pid} cannot be opened",
    why: "the lines before say what failed",
    mends: [{ command: "crimg validate {image} --root /", effect: "see what every path leads to" }],
  },
];
