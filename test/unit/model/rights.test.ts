/** What an image asks beyond its owner, one kind of right after the other; and who is taken for the owner. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { IMAGES } from "../../../src/formats/criu/images.js";
import type { CredsEntry } from "../../../src/formats/criu/tables/creds.js";
import type { VmaEntry } from "../../../src/formats/criu/tables/mm.js";
import { isCrimgError } from "../../../src/io/errors.js";
import { Writers } from "../../../src/io/writers.js";
import { RLIM_INFINITY, RLIMIT_NOFILE } from "../../../src/linux/rlimits.js";
import type { Document } from "../../../src/model/document.js";
import { type Bearer, ownerOf } from "../../../src/model/rights/bearer.js";
import { parseGrant } from "../../../src/model/rights/grant.js";
import type { RightName } from "../../../src/model/rights/kinds.js";
import { hardLimits } from "../../../src/model/rights/limits.js";
import { rightsBeyond } from "../../../src/model/rights/rights.js";
import { openDocument } from "../../../src/open.js";
import type { SetBuilder } from "../../helpers/build-set.js";
import { freshDirectory } from "../../helpers/live.js";
import { needsRoot } from "../../helpers/needs.js";
import { CREDS, type OneTask, oneTaskSet, PID, VMA } from "../../helpers/one-task-set.js";
import { suite } from "../../helpers/suite.js";

const test = suite("rights");
const UID = 1000;
const OWNER: Bearer = { uid: UID, gids: new Set([UID, 27]), name: "user 1000" };
const OWN_IDS = {
  ...{ uid: UID, euid: UID, suid: UID, fsuid: UID, gid: UID, egid: UID, sgid: UID, fsgid: UID, groups: [27] },
};
const LIMITS = Array.from({ length: 16 }, () => ({ cur: 0n, max: 0n }));

/** The set of a task that has what any user has, and this as well. */
function owned(creds: Partial<CredsEntry> = {}, { thread, task, ...rest }: OneTask = {}): SetBuilder {
  return oneTaskSet({
    ...rest,
    thread: { creds: { ...CREDS, ...OWN_IDS, ...creds }, ...thread },
    task: { rlimits: { rlimits: LIMITS }, ...task },
  });
}

function askedBy(document: Document, root?: string): string[] {
  return [...rightsBeyond(document.checkpoint, OWNER, root)].map(({ name, asked }) => `${name}: ${asked}`);
}

const FOWN = { uid: UID, euid: UID, signum: 0, pid_type: 0, pid: 0 };

interface FileParts {
  readonly name?: string;
  readonly flags?: number;
  readonly mode?: number;
  readonly fown?: typeof FOWN;
}

/** The set with an open file more. */
function withFile({ name = "/srv/data", flags = 0, mode = 0o100644, fown = FOWN }: FileParts): SetBuilder {
  const file = (id: number, path: string, more: object = {}) => ({
    ...{ type: 1, id },
    reg: { id, flags: 0, pos: 0n, fown: FOWN, name: path, build_id: [], ...more },
  });
  return owned().image(IMAGES.FILES, undefined, [
    ...[file(1, "/bin/one"), file(2, "/tmp"), file(3, "/")],
    file(4, name, { flags, mode, fown }),
  ]);
}

/** The same with that file deleted, and kept in the image. */
function withGhost(ghost: {
  readonly uid?: number;
  readonly gid?: number;
  readonly mode: number;
}): SetBuilder {
  return withFile({ name: "srv/gone" })
    .image(IMAGES.REMAP_FPATH, undefined, [{ orig_id: 4, remap_id: 1, remap_type: 1 }])
    .image(IMAGES.GHOST_FILE, 1, [{ uid: UID, gid: UID, ...ghost }]);
}

const filter = { seccomp_mode: 2, seccomp_filter: 0 };
const limits = (number: number, max: bigint) => ({
  rlimits: { rlimits: LIMITS.map((limit, at) => (at === number ? { cur: 0n, max } : limit)) },
});

const NO_TIMER = { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n };
const alarm = (clock_id: number) => ({
  ...{ it_id: 0, clock_id, si_signo: 14, it_sigev_notify: 0, sival_ptr: 0n, overrun: 0 },
  ...{ isec: 0n, insec: 0n, vsec: 0n, vnsec: 0n },
});
const timerfd = (clockid: number) => ({
  ...{ id: 4, flags: 0, clockid, ticks: 0n, settime_flags: 0, fown: FOWN },
  ...{ vsec: 0n, vnsec: 0n, isec: 0n, insec: 0n },
});
const SOCKET_OPTIONS = {
  ...{ so_sndbuf: 0, so_rcvbuf: 0, so_snd_tmo_sec: 0n, so_snd_tmo_usec: 0n },
  ...{ so_rcv_tmo_sec: 0n, so_rcv_tmo_usec: 0n, so_filter: [] },
};
const OWN_FILES = [
  ["/bin/one", 1],
  ["/tmp", 2],
  ["/", 3],
].map(([name, id]) => ({
  ...{ type: 1, id: id as number },
  reg: { id: id as number, flags: 0, pos: 0n, fown: FOWN, name: name as string, build_id: [] },
}));

/** The set with a listening unix socket. */
function withSocket(parts: object): SetBuilder {
  const usk = {
    ...{ id: 4, ino: 9, type: 1, state: 10, flags: 0, uflags: 0, backlog: 1, peer: 0, fown: FOWN },
    ...{ opts: SOCKET_OPTIONS, name: Buffer.from("/tmp/s\0"), ...parts },
  };
  return owned().image(IMAGES.FILES, undefined, [...OWN_FILES, { type: 5, id: 4, usk }]);
}

/** The set with an inotify that watches a directory. */
function withWatch(path: string | undefined): SetBuilder {
  const f_handle = { bytes: 8, type: 1, handle: [0n, 0n], ...(path !== undefined && { path }) };
  const watch = { id: 0, i_ino: 5n, mask: 2, ignored_mask: 0, s_dev: 1, wd: 1, f_handle };
  return owned().image(IMAGES.FILES, undefined, [
    ...OWN_FILES,
    { type: 8, id: 4, ify: { id: 4, flags: 0, fown: FOWN, wd: [watch] } },
  ]);
}

/** The set with a control group that a restore makes, and a control file in it. */
function withGroups(dir_name: string, file = "pids.max"): SetBuilder {
  const dir = { dir_name, children: [], properties: [{ name: file, value: "1" }] };
  return owned().image(IMAGES.CGROUP, undefined, [
    { sets: [], controllers: [{ cnames: ["pids"], dirs: [dir] }] },
  ]);
}

/** A set for each thing that is asked for. */
const CASES: readonly (readonly [name: RightName, asked: string, set: SetBuilder])[] = [
  ...(["uid", "euid", "suid", "fsuid"] as const).map(
    (field) => ["uid", "uid 0", owned({ [field]: 0 })] as const,
  ),
  ...(["gid", "egid", "sgid", "fsgid"] as const).map(
    (field) => ["gid", "gid 0", owned({ [field]: 0 })] as const,
  ),
  ["gid", "gid 4", owned({ groups: [4, 27] })],
  ...(["cap_prm", "cap_eff", "cap_inh", "cap_amb"] as const).map(
    (field) => ["caps", "CAP_SYS_ADMIN", owned({ [field]: [1 << 21, 0] })] as const,
  ),
  ["caps", "CAP_BPF", owned({ cap_prm: [0, 1 << 7] })],
  ["securebits", "securebits SECBIT_NOROOT", owned({ secbits: 1 })],
  [
    "no-new-privs",
    "a seccomp filter without no_new_privs",
    owned({}, { thread: { ...filter, creds: { ...CREDS, ...OWN_IDS } } }),
  ],
  ["lsm", "security label /usr/sbin/cupsd", owned({ lsm_profile: "/usr/sbin/cupsd" })],
  ["oom", "oom_score_adj -1000", owned({}, { task: { oom_score_adj: -1000 } })],
  ["loginuid", "loginuid 0", owned({}, { task: { loginuid: 0 } })],
  [
    "sched",
    "SCHED_FIFO, priority 50",
    owned({}, { thread: { creds: { ...CREDS, ...OWN_IDS }, sched_policy: 1, sched_prio: 50 } }),
  ],
  [
    "sched",
    "SCHED_FIFO, priority 3",
    owned({}, { thread: { creds: { ...CREDS, ...OWN_IDS }, sched_policy: 0x4000_0001, sched_prio: 3 } }),
  ],
  ["sched", "nice -5", owned({}, { thread: { creds: { ...CREDS, ...OWN_IDS }, sched_nice: -5 } })],
  ["rlimit", "RLIMIT_RTPRIO above 0", owned({}, { task: limits(14, 99n) })],
  ["rlimit", "RLIMIT_NICE above 20", owned({}, { task: limits(13, 40n) })],
  ["rlimit", "RLIMIT_MEMLOCK above 8388608", owned({}, { task: limits(8, 1n << 40n) })],
  [
    "object",
    "a timer that wakes the machine",
    owned({}, { task: { timers: { real: NO_TIMER, virt: NO_TIMER, prof: NO_TIMER, posix: [alarm(8)] } } }),
  ],
  [
    "object",
    "a timer that wakes the machine",
    owned().image(IMAGES.FILES, undefined, [...OWN_FILES, { type: 17, id: 4, tfd: timerfd(9) }]),
  ],
  ["socket", "SO_MARK 7", withSocket({ opts: { ...SOCKET_OPTIONS, so_mark: 7 } })],
  ["socket", "SO_PRIORITY 7", withSocket({ opts: { ...SOCKET_OPTIONS, so_priority: 7 } })],
  [
    "file",
    "a new socket /tmp/s of uid 0 and gid 0",
    withSocket({ file_perms: { mode: 0o600, uid: 0, gid: 0 } }),
  ],
  ["file", "a watch by inode number", withWatch(undefined)],
  ["cgroup", "the control group /system.slice", withGroups("system.slice")],
  [
    "cgroup",
    "the control group /user.slice/user-1000.slice/../..",
    withGroups("user.slice/user-1000.slice/../.."),
  ],
  [
    "cgroup",
    "the control group //../../../proc/sys/kernel/core_pattern",
    withGroups("", "../../../proc/sys/kernel/core_pattern"),
  ],
  [
    "namespace",
    "a net namespace",
    owned().image(IMAGES.IDS, 5000, [{ vm_id: 3, files_id: 3, fs_id: 3, sighand_id: 3, net_ns_id: 20 }]),
  ],
  ["chroot", "the root directory /tmp", owned().image(IMAGES.FS, PID, [{ cwd_id: 2, root_id: 2, umask: 0 }])],
  ["device", "the device /srv/sda", withFile({ name: "/srv/sda", mode: 0o060660 })],
  ["device", "a new device srv/gone", withGhost({ mode: 0o060666 })],
  [
    "setuid",
    "a new file srv/gone of uid 0 and gid 0, set-user-ID",
    withGhost({ uid: 0, gid: 0, mode: 0o104755 }),
  ],
  [
    "setuid",
    "a new file srv/gone of uid 1000 and gid 0, set-group-ID",
    withGhost({ gid: 0, mode: 0o102755 }),
  ],
  ["file", "a new file srv/gone of uid 0 and gid 0", withGhost({ uid: 0, gid: 0, mode: 0o100644 })],
  [
    "signal",
    "signals to process 1 in the name of uid 0",
    withFile({ fown: { uid: UID, euid: 0, signum: 9, pid_type: 1, pid: 1 } }),
  ],
];

test("a task with what any user has asks for nothing", () => {
  assert.equal(askedBy(owned().document()), []);
  assert.equal(askedBy(withFile({}).document()), []);
  assert.equal(askedBy(withGhost({ mode: 0o104755 }).document()), [], "an own program may be set-user-ID");
  assert.equal(askedBy(withFile({ name: "/dev/null", mode: 0o020666 }).document()), []);
  assert.equal(askedBy(owned({ lsm_profile: "unconfined" }).document()), []);
  assert.equal(askedBy(owned({ cap_bnd: [-1 >>> 0, 0x1ff], secbits: 0x10 }).document()), []);
  assert.equal(
    askedBy(
      owned(
        { no_new_privs: 1 },
        { thread: { ...filter, creds: { ...CREDS, ...OWN_IDS, no_new_privs: 1 } } },
      ).document(),
    ),
    [],
  );
  assert.equal(askedBy(owned({}, { task: { loginuid: 0xffff_ffff, oom_score_adj: 500 } }).document()), []);
});

for (const [at, [name, asked, set]] of CASES.entries())
  test(`${name}: ${asked} (case ${at})`, () => assert.equal(askedBy(set.document()), [`${name}: ${asked}`]));

test("a hard limit above that of crimg takes CAP_SYS_RESOURCE", () => {
  const [name, most] = hardLimits()[RLIMIT_NOFILE] ?? ["", 0n];
  assert.is(name, "RLIMIT_NOFILE");
  const soft = spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout.trim();
  assert.is(String(most === RLIM_INFINITY ? "unlimited" : most), soft);
  const asked = (max: bigint) => askedBy(owned({}, { task: limits(RLIMIT_NOFILE, max) }).document());
  assert.equal(asked(most), []);
  if (most < RLIM_INFINITY) assert.equal(asked(most + 1n), [`rlimit: RLIMIT_NOFILE above ${most}`]);
});

test("a user namespace that maps to the owner alone gives nothing, one that maps to others does", () => {
  const mapped = (lower_first: number, count = 1) => {
    const creds = { ...CREDS, gid: 0, egid: 0, sgid: 0, fsgid: 0, cap_prm: [-1 >>> 0, 0x1ff] };
    const ns = { pid_ns_id: 1, net_ns_id: 20, ipc_ns_id: 3, uts_ns_id: 4, time_ns_id: 5, mnt_ns_id: 6 };
    const ids = { vm_id: 2, files_id: 2, fs_id: 2, sighand_id: 2, ...ns, user_ns_id: 70, cgroup_ns_id: 8 };
    return owned({}, { thread: { creds } })
      .image(IMAGES.IDS, PID, [ids])
      .image(IMAGES.USERNS, 70, [
        { uid_map: [{ first: 0, lower_first, count }], gid_map: [{ first: 0, lower_first: UID, count: 1 }] },
      ])
      .document();
  };
  assert.equal(askedBy(mapped(UID)), []);
  assert.equal(askedBy(mapped(0)), ["uid: uid 0", "uid: a map to the uids 0"]);
  assert.equal(askedBy(mapped(UID, 2)), ["uid: a map to the uids 1000 to 1001"]);
});

test("a network namespace without a user namespace takes root", () => {
  const ids = { vm_id: 2, files_id: 2, fs_id: 2, sighand_id: 2, pid_ns_id: 1, net_ns_id: 20, user_ns_id: 7 };
  assert.equal(askedBy(owned().image(IMAGES.IDS, PID, [ids]).document()), ["namespace: a net namespace"]);
});

test("files of the host are such as the owner may open: modes, directories on the way, what is mapped", () => {
  needsRoot("giving files to users");
  const root = freshDirectory("rights-root");
  const make = (path: string, mode: number, uid = 0, gid = 0) => {
    writeFileSync(join(root, path), "");
    chownSync(join(root, path), uid, gid); // takes set-user-ID away
    chmodSync(join(root, path), mode);
  };
  chmodSync(root, 0o755);
  for (const directory of ["open", "closed", "bin", "tmp", "dev", "dev/pts"])
    mkdirSync(join(root, directory));
  chmodSync(join(root, "closed"), 0o700);
  chmodSync(join(root, "tmp"), 0o1777);
  make("bin/one", 0o755);
  make("open/all", 0o644);
  make("open/root", 0o600);
  make("open/own", 0o600, UID);
  make("open/group", 0o640, 0, 27);
  make("open/denied", 0o066, UID);
  make("closed/all", 0o666);
  symlinkSync("/open/root", join(root, "tmp/link"));
  const open = (name: string, flags: number) => askedBy(withFile({ name, flags }).document(), root);
  assert.equal(open("/open/all", 0), []);
  assert.equal(open("/open/all", 1), ["file: the file /open/all to write"]);
  assert.equal(open("/open/root", 2), ["file: the file /open/root to read and to write"]);
  assert.equal(open("/open/own", 2), []);
  assert.equal(open("/open/group", 0), []);
  assert.equal(open("/open/group", 1), ["file: the file /open/group to write"]);
  assert.equal(open("/open/denied", 0), ["file: the file /open/denied to read"]);
  assert.equal(open("/closed/all", 0), ["file: the file /closed/all to read"]);
  assert.equal(open("/tmp/link", 0), ["file: the file /tmp/link to read"]);
  assert.equal(open("/open/absent", 0), []);
  assert.equal(open("/dev/pts/../../open/root", 2), [
    "file: the file /dev/pts/../../open/root to read and to write",
  ]);
  const watched = (path: string) => askedBy(withWatch(path).document(), root);
  assert.equal(watched("/open"), []);
  assert.equal(watched("/closed"), ["file: a watch of /closed"]);
  make("bin/one", 0o4755);
  assert.equal(open("/open/all", 0), ["setuid: the program /bin/one, set-user-ID"]);
});

test("a program or directory that is a descriptor too, or mapped, must be readable, and writable if it is written", () => {
  needsRoot("giving files to users");
  const root = freshDirectory("rights-roles");
  chmodSync(root, 0o755);
  for (const directory of ["bin", "tmp"]) mkdirSync(join(root, directory), { mode: 0o711 });
  writeFileSync(join(root, "bin/one"), "", { mode: 0o711 });
  const asked = (flags: number, fd: boolean, vmas: readonly VmaEntry[] = []) => {
    const files = OWN_FILES.map((file) => ({ ...file, reg: { ...file.reg, flags } }));
    const set = owned({}, { mm: { vmas: [...vmas] } })
      .image(IMAGES.FILES, undefined, files)
      .image(IMAGES.FDINFO, 2, fd ? [1, 2].map((id) => ({ id, flags: 0, type: 1, fd: id })) : []);
    return askedBy(set.document(), root);
  };
  assert.equal(asked(0, false), []);
  assert.equal(asked(2, false), [], "the flags count for descriptors");
  assert.equal(asked(2, true), [
    "file: the file /bin/one to read and to write and to run or enter",
    "file: the file /tmp to read and to write and to run or enter",
  ]);
  const text = { ...VMA, status: 0x41, flags: 2, prot: 5, shmid: 1n };
  assert.equal(asked(0, false, [text]), ["file: the file /bin/one to read and to run or enter"]);
});

test("a kept file of a deleted one must be readable, and removable where it goes", () => {
  needsRoot("giving files to users");
  const root = freshDirectory("rights-kept");
  chmodSync(root, 0o755);
  for (const [name, mode] of [
    ["open", 0o777],
    ["own", 0o755],
    ["sticky", 0o1777],
    ["closed", 0o700],
  ] as const) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "kept"), "", { mode: 0o644 });
    chmodSync(join(root, name), mode);
  }
  chownSync(join(root, "own"), UID, UID);
  const asked = (kept: string, gone = "open/gone") => {
    const file = { ...OWN_FILES[0], id: 5 } as (typeof OWN_FILES)[0];
    const set = withFile({ name: gone })
      .image(IMAGES.FILES, undefined, [
        ...OWN_FILES,
        { ...file, id: 4, reg: { ...file.reg, id: 4, name: gone } },
        { ...file, reg: { ...file.reg, id: 5, name: kept } },
      ])
      .image(IMAGES.REMAP_FPATH, undefined, [{ orig_id: 4, remap_id: 5, remap_type: 0 }]);
    return askedBy(set.document(), root);
  };
  for (const kept of ["open/kept", "own/kept", "/own/kept"]) assert.equal(asked(kept), []);
  assert.equal(asked("sticky/kept"), ["file: the removal of sticky/kept"]);
  assert.equal(asked("closed/kept"), [
    "file: the file closed/kept under another name",
    "file: the file closed/kept to read",
  ]);
  assert.equal(asked("own/kept", "closed/new/gone"), ["file: a new file closed/new/gone"]);
});

test("the owner of an image is whoever could have written it", () => {
  needsRoot("giving files to users");
  const dir = freshDirectory("rights-owner");
  const names = (path: string): string[] => {
    const writers = new Writers(0);
    writers.addPath(path);
    return writers.all.map(({ uid, by }) => `${uid ?? "others"} by ${by.replace(dir, "")}`);
  };
  mkdirSync(join(dir, "a/b"), { recursive: true });
  const file = join(dir, "a/b/image");
  writeFileSync(file, "");
  assert.equal(names(file), []);
  chownSync(file, 4242, 4242);
  assert.equal(names(file), ["4242 by /a/b/image"]);
  chownSync(file, 0, 0);
  chownSync(join(dir, "a"), 4242, 4242);
  assert.equal(names(file), ["4242 by /a"], "who owns a directory above can put another file there");
  chownSync(join(dir, "a"), 0, 0);
  chmodSync(join(dir, "a"), 0o777);
  assert.equal(names(file), ["others by /a"]);
  chmodSync(join(dir, "a"), 0o1777);
  assert.equal(names(file), []);
  chmodSync(file, 0o664);
  chownSync(file, 0, 4242);
  assert.equal(names(file), ["others by /a/b/image"]);
  chownSync(file, 0, 0);
  symlinkSync(file, join(dir, "link"));
  assert.equal(names(join(dir, "link")), []);
});

test("one file of another user makes a whole set that user's", () => {
  needsRoot("giving files to users");
  const dir = freshDirectory("rights-set");
  for (const [name, bytes] of owned().files) writeFileSync(join(dir, name), bytes);
  assert.is(ownerOf(openDocument(dir), 0), undefined);
  chownSync(join(dir, "files.img"), 4242, 4242);
  assert.is(ownerOf(openDocument(dir), 0)?.uid, 4242);
  chownSync(join(dir, "fs-4711.img"), 4243, 4243);
  assert.is(ownerOf(openDocument(dir), 0)?.uid, undefined);
  assert.match(ownerOf(openDocument(dir), 0)?.name ?? "", /one of the users 424\d, 424\d/);
});

test("a grant names kinds of rights, and of ids one alone; other words are refused with those there are", () => {
  const grants = (text: string, name: RightName, id?: number) =>
    parseGrant(text).grants({ name, asked: "", had: "", id });
  assert.ok(grants("uid=0,caps", "uid", 0));
  assert.ok(grants("uid", "uid", 33));
  assert.ok(grants("uid=0,caps", "caps"));
  assert.ok(grants("all", "device"));
  assert.not(grants("uid=0", "uid", 33));
  assert.not(grants("uid=0", "uid"), "a map of a user namespace is no single id");
  assert.not(grants("uid=0", "gid", 0));
  const said = (text: string): string => {
    try {
      parseGrant(text);
      return "";
    } catch (error) {
      assert.ok(isCrimgError(error));
      return error.message;
    }
  };
  assert.match(said("root"), /unknown right "root" \(expected all, uid, gid, caps, /);
  assert.match(said(""), /unknown right ""/);
  assert.match(said("caps=1"), /caps takes no value/);
  assert.match(said("uid=x"), /invalid id "x"/);
});

const MINIMAL = fileURLToPath(new URL("../../../fixtures/linux-cr/minimal.ckpt", import.meta.url));

test("streams are judged by the same rules", () => {
  const stranger: Bearer = { uid: 4242, gids: new Set([4242]), name: "user 4242" };
  const { checkpoint } = openDocument(MINIMAL);
  const asked = new Set([...rightsBeyond(checkpoint, stranger)].map(({ name }) => name));
  assert.equal([...asked], ["uid", "gid", "rlimit"]);
});

test.run();
