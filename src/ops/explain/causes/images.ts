import type { Cause, MendTemplate } from "../cause.js";

const VALIDATE: MendTemplate = {
  command: "crimg validate {image}",
  effect: "find everything that is wrong with the set",
};

/** Damaged sets. */
export const IMAGE_CAUSES: readonly Cause[] = [
  {
    id: "IMAGE_MAGIC",
    match: /(?:Head magic|Magic) doesn't match for (?<file>.+)/,
    what: "{file} does not begin as an image of its kind must",
    why: "it is another file, or was overwritten",
    mends: [VALIDATE],
  },
  {
    id: "IMAGE_TRUNCATED",
    match: /Read (?<found>\d+) bytes while (?<expected>\d+) expected (?:from|on) (?<file>.+?)(?:: .+)?$/,
    what: "{file} ends inside a record: {expected} bytes were to follow, {found} do",
    why: "the file was cut off, most often by a full disk or a broken copy",
    mends: [VALIDATE, { effect: "copy the set again from where it was made" }],
  },
  {
    id: "IMAGE_GARBAGE",
    match: /Failed unpacking object \S+ from (?<file>.+)/,
    what: "a record of {file} cannot be decoded",
    why: "its bytes were changed, or it is of a later version of criu",
    mends: [VALIDATE],
  },
  {
    id: "IMAGE_MISSING",
    match: /Unexpected EOF on \(empty-image\)/,
    what: "an image that the set must have is missing or empty",
    why: "criu opens a missing image as an empty one and finds no record",
    mends: [VALIDATE],
  },
  {
    id: "IMAGE_VERSION",
    match: /(?:Not supported images version (?<version>\d+)|Too old image, no longer supported)/,
    during: "restore",
    what: "the set is of a version that this criu does not read",
    why: "it was made by a much older or newer criu",
    mends: [{ command: "crimg show {image}", effect: "see which criu made it" }],
  },
  {
    id: "PAGES_MISSING",
    match:
      /(?:Can't read pages data \(-?\d+\)|Can't read mapping page|Reached EOF unexpectedly while reading page|Can't read async pr bytes)/,
    during: "restore",
    what: "the memory of task {pid} is not all there",
    why: "the pages file is missing or shorter than the pagemap says",
    mends: [VALIDATE],
  },
  {
    id: "PARENT_MISSING",
    match:
      /(?:No parent for snapshot pagemap|Missing (?<address>[0-9a-f]+) in parent pagemap|Hole .*not found in parent)/,
    during: "restore",
    what: "pages of this incremental set are in a parent set that is not there",
    why: "the link named parent must lead to the set before",
    mends: [VALIDATE, { effect: "put the parent set back to where the link leads" }],
  },
  {
    id: "FILE_TABLE",
    match:
      /(?:No file for fd (?<fd>\d+) id (?<id>0x[0-9a-f]+)|No entry for reg-file-ID|Remap for non existing file|Image corrupted on pid|Images corrupted or too old|image corruption|Corrupted root cgset)/i,
    during: "restore",
    what: "images of the set contradict one another",
    why: "one names an object that another does not have",
    mends: [VALIDATE],
  },
];
