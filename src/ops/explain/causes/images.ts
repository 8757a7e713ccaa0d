import type { Cause, MendTemplate } from "../cause.js";

const VALIDATE: MendTemplate = {
  command: "crimg validate {image}",
  effect: "find all problems of the set",
};

/** Damaged sets. */
export const IMAGE_CAUSES: readonly Cause[] = [
  {
    id: "IMAGE_MAGIC",
    match: /(?:Head magic|Magic) doesn't match for (?<file>.+)/,
    what: "{file} does not start with the magic of its kind",
    why: "it is another kind of file, or was overwritten",
    mends: [VALIDATE],
  },
  {
    id: "IMAGE_TRUNCATED",
    match: /Read (?<found>\d+) bytes while (?<expected>\d+) expected (?:from|on) (?<file>.+?)(?:: .+)?$/,
    what: "{file} ends inside a record: found {found} bytes (expected {expected})",
    why: "the file was truncated, usually by a full disk or an incomplete copy",
    mends: [VALIDATE, { effect: "copy the set again from its origin" }],
  },
  {
    id: "IMAGE_GARBAGE",
    match: /Failed unpacking object \S+ from (?<file>.+)/,
    what: "cannot decode a record of {file}",
    why: "it is damaged, or from a later version of criu",
    mends: [VALIDATE],
  },
  {
    id: "IMAGE_MISSING",
    match: /Unexpected EOF on \(empty-image\)/,
    what: "a required image is missing or empty",
    why: "criu opens a missing image as an empty one",
    mends: [VALIDATE],
  },
  {
    id: "IMAGE_ENDS",
    match: /(?:Unexpected EOF(?: on (?<file>.+))?$|Img trimmed (?<found>\d+)\/(?<expected>\d+))/,
    what: "an image ends where a record must follow",
    why: "criu does not always name it: a file of the set was truncated, is missing, or belongs to another dump",
    mends: [VALIDATE, { effect: "copy the set again from its origin" }],
  },
  {
    id: "IMAGE_VERSION",
    match: /(?:Not supported images version (?<version>\d+)|Too old image, no longer supported)/,
    during: "restore",
    what: "the version of the set is not supported by this criu",
    why: "it was made by a much older or newer criu",
    mends: [{ command: "crimg show {image}", effect: "show which criu made it" }],
  },
  {
    id: "PAGES_MISSING",
    match:
      /(?:Can't read pages data \(-?\d+\)|Can't read mapping page|Reached EOF unexpectedly while reading page|Can't read async pr bytes)/,
    during: "restore",
    what: "the memory of task {pid} is incomplete",
    why: "the pages file is missing or shorter than its pagemap requires",
    mends: [VALIDATE],
  },
  {
    id: "PARENT_MISSING",
    match:
      /(?:Missing (?<address>[0-9a-f]+) in parent pagemap|Hole .*not found in parent|No parent image found, though|Can't (?:open|link) parent)/,
    during: "dump",
    what: "the parent set lacks pages that did not change since it was made",
    why: "it is incomplete or of another process, or the dump before it was made without --track-mem",
    mends: [
      { command: "criu dump -t {root} -D NEWDIR", effect: "make a full dump, without --prev-images-dir" },
      { effect: "or begin again with criu pre-dump --track-mem, and use that set as the parent" },
    ],
  },
  {
    id: "PARENT_MISSING",
    match:
      /(?:No parent for snapshot pagemap|Missing (?<address>[0-9a-f]+) in parent pagemap|Hole .*not found in parent)/,
    during: "restore",
    what: "the parent set of this incremental set is missing",
    why: "the symbolic link parent must point to the previous set",
    mends: [VALIDATE, { effect: "put the parent set back, or fix the link" }],
  },
  {
    id: "FILE_TABLE",
    match:
      /(?:No file for fd (?<fd>\d+) id (?<id>0x[0-9a-f]+)|No entry for reg-file-ID|Remap for non existing file|Image corrupted on pid|Images corrupted or too old|image corruption|Core (?:task state|IDS|info) data missed|Unknown image format|pstree item has invalid pid|Can't open core data|Corrupted root cgset)/i,
    during: "restore",
    what: "images of the set do not fit together",
    why: "one refers to an object that is missing in another, or that criu does not restore in that place, such as a program that runs from a memory file",
    mends: [VALIDATE],
  },
];
