import type { Edit } from "../../../src/ops/edit/plan.js";
import { EDGE_NUMBERS, edgeText } from "../edges.js";
import type { Random } from "../random.js";

const PATHS = [
  "/",
  "/tmp",
  "/var",
  "/var/lib/crimg-demo",
  "/srv/x",
  "/dev/null",
  "/x/y/z",
  "/usr",
  "/tmp/a b",
];
const PIDS = ["1000", "1000", "1", "7", "8", "1001", "13", "all"];
const TIMES = ["+1s", "-1s", "=10s", "x2", "x0.5", "+1000000000h", "=0s", "-99999999h", "+1ns", "x99999999"];

/** Texts of each kind of edit; some words in them are chosen by a random number. */
const TEXTS: Readonly<Record<string, (random: Random) => string>> = {
  "accept-file": (random) => random.pick(["*", "**", "/**", "/usr/**", "[", "{a,b}*", "*".repeat(9)]),
  cgroup: (random) => `${path(random)}=${path(random)}`,
  comm: (random) => `${pid(random)}=${random.pick(["x", "a-name-of-15-by", "\u001b[31m", "é", ""])}`,
  deleted: (random) =>
    `${path(random)}=${random.pick(["contents", "relink:/tmp/x", "copy:/tmp/y", "relink:"])}`,
  "drop-fd": (random) => `${pid(random)}:${small(random)}`,
  env: (random) => `${pid(random)}:${random.pick(["PATH", "HOME", "x"])}=${edgeText(random)}`,
  expiry: (random) =>
    `${random.pick(["all", "itimer", "posix", "timerfd", "alarm", "sleep"])}${random.pick(["", "", "1000", "1000:1"])}${random.pick(["", "="])}${random.pick(TIMES)}`,
  fd: (random) => `${pid(random)}:${small(random)}=${path(random)}${random.pick(["", ",append"])}`,
  hostname: (random) => random.pick(["web", "x".repeat(64), "x".repeat(65), "\u001b"]),
  "lease-expiry": (random) => `${random.pick(["", "1000=", "1000:9=", "/tmp="])}${random.pick(TIMES)}`,
  lease: (random) => `${pid(random)}:${small(random)}=${random.pick(["settle", "read", "write", "drop"])}`,
  lock: (random) =>
    `${pid(random)}:${small(random)}${random.pick(["", ":0-EOF", ":5-4", ":0-18446744073709551615", `:0-${"9".repeat(40)}`])}=${random.pick(["read", "write", "drop"])}`,
  "no-file-check": (random) => random.pick(["*", "/**", "[!", "?"]),
  "remap-address": (random) =>
    random.pick([
      "127.0.0.1=10.0.0.1",
      "0.0.0.0=::",
      "::1=fe80::1",
      "::=::ffff:1.2.3.4",
      "10.0.0.0/8=1.1.1.1",
    ]),
  "remap-mount": (random) => `${path(random)}=${path(random)}`,
  "remap-path": (random) => `${path(random)}=${path(random)}`,
  "remap-socket": (random) =>
    `${random.pick(["/tmp/a", "@x", "\\0x"])}=${random.pick(["/tmp/b", "@y", "@".repeat(200)])}`,
  redact: (random) => random.pick(["PATH", "HOME=/", "a", "\u001b", edgeText(random)]),
  "redact-hex": (random) => random.pick(["00", "7f 45 4c 46", "4? ??", "??", "4"]),
  "redact-regex": (random) => random.pick(["[A-Z]+=", "/[a-z]+", ".", "[^]", "(a*)*b", "("]),
  set: (random) =>
    `${random.pick(SET_PLACES)}=${random.pick(["absent", "1", '"x"', "[]", "{}", "O_RDWR|x", String(random.pick(EDGE_NUMBERS)), edgeText(random)])}`,
  "tcp-listen-remap": (random) => random.pick(["80:81", "1:65535,2:3", "8080:8080", "0:1"]),
};

const SET_PLACES = [
  ...[
    "files.img[3].reg.name",
    "files.img[0]",
    "core-1000.img[0].mtype",
    "core-1000[0].thread_info.gpregs.ax",
  ],
  ...[
    "pstree.img[0].threads",
    "pstree.img[0].threads[0]",
    "pstree.img[99].pid",
    "fs-1000[0].cwd_id",
    "x",
    "mm-1000.img[0].vmas[0].shmid",
  ],
  ...[
    "[3].f_pos",
    "[12].vm_start",
    "[0].uts",
    "[5].__proto__",
    "files.img[0].constructor",
    "[20].vma_objref",
    "[9].objref",
  ],
];

function pid(random: Random): string {
  return random.chance(0.1) ? String(random.pick(EDGE_NUMBERS)) : random.pick(PIDS);
}

function small(random: Random): string {
  return random.chance(0.1) ? String(random.pick(EDGE_NUMBERS)) : String(random.below(12));
}

function path(random: Random): string {
  return random.chance(0.2) ? edgeText(random) : random.pick(PATHS);
}

/** An edit of a kind, mostly one that could be meant. */
export function anyEdit(kind: string, random: Random): Edit {
  return { kind, text: random.chance(0.1) ? edgeText(random) : (TEXTS[kind] ?? edgeText)(random) };
}
