import { copyFileSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { IMAGES } from "../../../src/formats/criu/images.js";
import { FD_TYPES } from "../../../src/formats/criu/tables/fdinfo.js";
import { type HostileInput, HostileSet, listOf } from "./build.js";

const I = IMAGES;
const TYPE = Object.fromEntries(FD_TYPES.values);
const MIB = 1024 * 1024;
/** Above the real files of every fixture. */
const FREE_ID = 1000;

function input(
  name: string,
  fixture: string,
  fill: (set: HostileSet) => unknown,
  worst: readonly string[] = [],
): HostileInput {
  const make = (directory: string): string => {
    const set = new HostileSet(fixture, directory);
    fill(set);
    return set.path;
  };
  return { name, make, worst };
}

const task = (pid: number, ppid: number, threads: readonly number[] = [pid]) => ({
  pid,
  ppid,
  pgid: 1,
  sid: 1,
  threads,
});

/** So many open files more of one type, each with a descriptor. */
function openFiles(
  set: HostileSet,
  count: number,
  type: string,
  member: string,
  record: (id: number, index: number) => object,
): void {
  set.image(I.FILES, undefined, count + 30, (i) =>
    i < 30
      ? { type: TYPE.REG, id: i, reg: { ...REG, id: i, name: "/", build_id: [] } }
      : { type: TYPE[type], id: FREE_ID + i, [member]: record(FREE_ID + i, i - 30) },
  );
  set.image(I.FDINFO, 2, count, (i) => ({ id: FREE_ID + 30 + i, flags: 0, type: TYPE[type], fd: i }));
}

function mappings(set: HostileSet, count: number): void {
  const mm = set.sample(I.MM, 1000, 0);
  const vma = (mm.vmas as object[])[0];
  set.image(I.MM, 1000, 1, () => ({
    ...mm,
    vmas: listOf(count, (i) => ({ ...vma, start: BigInt(i) * 8192n, end: BigInt(i) * 8192n + 4096n })),
  }));
}

const FOWN = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };
const REG = { id: 1, flags: 0, pos: 0n, fown: FOWN, name: "/srv/x", mode: 0o100644, build_id: [] };
const OPTS = {
  so_sndbuf: 212992,
  so_rcvbuf: 212992,
  ...{ so_snd_tmo_sec: 0n, so_snd_tmo_usec: 0n, so_rcv_tmo_sec: 0n, so_rcv_tmo_usec: 0n, so_filter: [] },
};
const unix = (id: number, ino: number, peer: number) => ({
  ...{ id, ino, type: 1, state: 1, flags: 2, uflags: 0, backlog: 0, peer, fown: FOWN, opts: OPTS },
  name: Buffer.alloc(0),
});
const inet = (id: number, ino: number, port: number) => ({
  ...{ id, ino, family: 2, type: 1, proto: 6, state: 10, src_port: port, dst_port: 0, flags: 2, backlog: 1 },
  ...{ src_addr: [0], dst_addr: [0], fown: FOWN, opts: OPTS },
});
const reg = (id: number) => ({ ...REG, id });
const timerfd = (id: number) => ({
  ...{ id, flags: 2, fown: FOWN, clockid: 1, ticks: 0n, settime_flags: 0 },
  ...{ vsec: 1n, vnsec: 0n, isec: 0n, insec: 0n },
});

/** CRIU sets, one or more for every image that a command may read again and again. */
export const SETS: readonly HostileInput[] = [
  input(
    "4,000 records of one pid",
    "logger",
    (s) => s.image(I.PSTREE, undefined, 4000, () => task(1000, 0)),
    ["diff", "show rss", "show signals"],
  ),
  input(
    "200,000 records of one pid",
    "logger",
    (s) => s.image(I.PSTREE, undefined, 200_000, () => task(1000, 0)),
    ["show tree", "validate"],
  ),
  input(
    "64,000 tasks in a chain",
    "logger",
    (s) => s.image(I.PSTREE, undefined, 64_000, (i) => task(1000 + i, i === 0 ? 0 : 999 + i)),
    ["show tree", "validate"],
  ),
  input(
    "60,000 tasks that name one thread",
    "container",
    (s) => s.image(I.PSTREE, undefined, 60_000, (i) => task(1000 + i, i === 0 ? 0 : 1000, [1000])),
    ["show", "restore --print"],
  ),
  input("200,000 tasks in a chain", "logger", (s) =>
    s.image(I.PSTREE, undefined, 200_000, (i) => task(1000 + i, i === 0 ? 0 : 999 + i)),
  ),
  input("200,000 children of one task", "logger", (s) =>
    s.image(I.PSTREE, undefined, 200_000, (i) => task(1000 + i, i === 0 ? 0 : 1000)),
  ),
  input("a ring of 200,000 tasks", "logger", (s) =>
    s.image(I.PSTREE, undefined, 200_000, (i) => task(1000 + i, 1000 + ((i + 1) % 200_000))),
  ),
  input(
    "400,000 threads of one task",
    "logger",
    (s) =>
      s.image(I.PSTREE, undefined, 1, () =>
        task(
          1000,
          0,
          listOf(400_000, (i) => 1000 + i),
        ),
      ),
    ["convert"],
  ),
  input("400,000 threads of one id", "threads", (s) =>
    s.image(I.PSTREE, undefined, 1, () =>
      task(
        1000,
        0,
        listOf(400_000, () => 1005),
      ),
    ),
  ),
  input(
    "3,000 tasks that share images by links",
    "logger",
    (s) => {
      s.image(I.PSTREE, undefined, 3000, (i) => task(1000 + i, i === 0 ? 0 : 1000));
      const mm = s.sample(I.MM, 1000, 0);
      const vma = (mm.vmas as object[])[0];
      s.image(I.MM, 1000, 1, () => ({
        ...mm,
        vmas: listOf(1000, (i) => ({ ...vma, start: BigInt(i) * 8192n, end: BigInt(i) * 8192n + 4096n })),
      }));
      for (let pid = 1001; pid < 4000; pid++)
        for (const name of ["core", "ids", "fs", "mm", "pagemap"])
          linkSync(join(s.path, `${name}-1000.img`), join(s.path, `${name}-${pid}.img`));
      s.image(I.FDINFO, 2, 100_000, (i) => ({ id: 3, flags: 0, type: TYPE.REG, fd: i }));
    },
    ["diff", "validate"],
  ),
  input(
    "400,000 descriptors of one file",
    "logger",
    (s) => s.image(I.FDINFO, 2, 400_000, (i) => ({ id: 3, flags: 0, type: TYPE.REG, fd: i })),
    ["show fds", "show"],
  ),
  input("400,000 times one descriptor", "logger", (s) =>
    s.image(I.FDINFO, 2, 400_000, () => ({ id: 3, flags: 0, type: TYPE.REG, fd: 3 })),
  ),
  input("200,000 files of one id", "logger", (s) =>
    s.image(I.FILES, undefined, 200_000, () => ({ type: TYPE.REG, id: 3, reg: reg(3) })),
  ),
  input("120,000 files", "logger", (s) => openFiles(s, 120_000, "REG", "reg", reg)),
  input(
    "a path of 8 MiB and 100,000 descriptors of it",
    "logger",
    (s) => {
      s.image(I.FILES, undefined, 4, (i) => ({
        ...{ type: TYPE.REG, id: i, reg: { ...reg(i), name: i === 3 ? `/${"x".repeat(8 * MIB)}` : "/" } },
      }));
      s.image(I.FDINFO, 2, 100_000, (i) => ({ id: 3, flags: 0, type: TYPE.REG, fd: i }));
    },
    ["diff", "show fds", "validate"],
  ),
  input(
    "60,000 external files",
    "logger",
    (s) => openFiles(s, 60_000, "REG", "reg", (id) => ({ ...reg(id), ext: true })),
    ["restore --print"],
  ),
  input("a path of 1,000,000 components", "logger", (s) =>
    s.image(I.FILES, undefined, 10, (i) => ({
      ...{ type: TYPE.REG, id: i, reg: { ...reg(i), name: i === 3 ? "/..".repeat(1_000_000) : "/" } },
    })),
  ),
  input(
    "60,000 unix sockets, all peers of one",
    "sockets",
    (s) => openFiles(s, 60_000, "UNIXSK", "usk", (id, i) => unix(id, i + 1, 1)),
    ["show files"],
  ),
  input(
    "60,000 unix sockets of one inode",
    "sockets",
    (s) => openFiles(s, 60_000, "UNIXSK", "usk", (id) => unix(id, 1, 1)),
    ["diff"],
  ),
  input("60,000 listening sockets of one port", "sockets", (s) =>
    openFiles(s, 60_000, "INETSK", "isk", (id, i) => inet(id, i, 80)),
  ),
  input(
    "60,000 connections of one port",
    "sockets",
    (s) => openFiles(s, 60_000, "INETSK", "isk", (id, i) => ({ ...inet(id, i, 80), state: 1, dst_port: 80 })),
    ["diff"],
  ),
  input("100,000 ends of one pipe", "tree", (s) =>
    openFiles(s, 100_000, "PIPE", "pipe", (id, i) => ({ id, pipe_id: 1, flags: i & 1, fown: FOWN })),
  ),
  input("100,000 ends of one fifo", "deleted", (s) =>
    openFiles(s, 100_000, "FIFO", "fifo", (id) => ({ id, pipe_id: 1, regf_id: 1 })),
  ),
  input("one epoll file with 400,000 items", "logger", (s) =>
    openFiles(s, 1, "EVENTPOLL", "epfd", (id) => ({
      ...{ id, flags: 0, fown: FOWN },
      tfd: listOf(400_000, (i) => ({ id, tfd: i, events: 1, data: 1n })),
    })),
  ),
  input(
    "60,000 epoll files that watch the next",
    "logger",
    (s) =>
      openFiles(s, 60_000, "EVENTPOLL", "epfd", (id, i) => ({
        ...{ id, flags: 0, fown: FOWN, tfd: [{ id, tfd: i + 1, events: 1, data: 1n }] },
      })),
    ["diff"],
  ),
  input("one inotify file with 200,000 watches", "logger", (s) =>
    openFiles(s, 1, "INOTIFY", "ify", (id) => ({
      ...{ id, flags: 0, fown: FOWN },
      wd: listOf(200_000, () => ({
        ...{ id, i_ino: 1n, mask: 1, ignored_mask: 0, s_dev: 1, wd: 1 },
        f_handle: { bytes: 8, type: 1, handle: [] },
      })),
    })),
  ),
  input(
    "60,000 terminals, 30,000 with an entry",
    "terminal",
    (s) => {
      const info = s.sample(I.TTY_INFO, undefined, 0);
      openFiles(s, 60_000, "TTY", "tty", (id, i) => ({ id, tty_info_id: i, flags: 2, fown: FOWN }));
      s.image(I.TTY_INFO, undefined, 30_000, (i) => ({ ...info, id: i }));
    },
    ["diff", "show fds"],
  ),
  input("60,000 memfds with an inode each", "threads", (s) => {
    const inode = s.sample(I.MEMFD_INODE, undefined, 0);
    openFiles(s, 60_000, "MEMFD", "memfd", (id, i) => ({ id, flags: 2, pos: 0n, fown: FOWN, inode_id: i }));
    s.image(I.MEMFD_INODE, undefined, 60_000, (i) => ({ ...inode, inode_id: BigInt(i) }));
  }),
  input("60,000 signalfds", "logger", (s) =>
    openFiles(s, 60_000, "SIGNALFD", "sgfd", (id) => ({ id, flags: 2, fown: FOWN, sigmask: 0xffffn })),
  ),
  input("60,000 timerfds", "logger", (s) => openFiles(s, 60_000, "TIMERFD", "tfd", timerfd)),
  input(
    "2,000 tasks with one table of 20,000 timerfds",
    "logger",
    (s) => {
      s.image(I.PSTREE, undefined, 2000, (i) => task(1000 + i, i === 0 ? 0 : 1000));
      for (let pid = 1001; pid < 3000; pid++)
        for (const name of ["core", "ids", "fs"])
          copyFileSync(join(s.path, `${name}-1000.img`), join(s.path, `${name}-${pid}.img`));
      openFiles(s, 20_000, "TIMERFD", "tfd", timerfd);
    },
    ["diff", "show timers", "edit --expiry"],
  ),
  {
    ...input(
      "4,000 records of an address space",
      "logger",
      (s) => {
        const mm = s.sample(I.MM, 1000, 0);
        s.image(I.MM, 1000, 4000, () => mm);
      },
      ["show record"],
    ),
    image: "mm-1000.img",
  },
  input("300,000 mappings of one task", "logger", (s) => mappings(s, 300_000), ["diff"]),
  input("130,000 mappings of one task", "logger", (s) => mappings(s, 130_000), [
    "restore --print",
    "show maps",
  ]),
  input("73,000 mappings of one task", "logger", (s) => mappings(s, 73_000), ["diff"]),
  input(
    "130,000 mappings that all overlap",
    "logger",
    (s) => {
      const mm = s.sample(I.MM, 1000, 0);
      const vma = (mm.vmas as object[])[0];
      s.image(I.MM, 1000, 1, () => ({ ...mm, vmas: listOf(130_000, () => vma) }));
    },
    ["diff"],
  ),
  input("an entry of 2^40 pages", "logger", (s) =>
    s.image(I.PAGEMAP, 1000, 2, (i) =>
      i === 0 ? { pages_id: 1 } : { vaddr: 0n, compat_nr_pages: 0, flags: 4, nr_pages: 1n << 40n },
    ),
  ),
  input("an entry of 2^40 pages in the parent", "logger", (s) =>
    s.image(I.PAGEMAP, 1000, 2, (i) =>
      i === 0 ? { pages_id: 1 } : { vaddr: 0n, compat_nr_pages: 0, flags: 1, nr_pages: 1n << 40n },
    ),
  ),
  input("zero pages and mappings of 2^46 bytes", "logger", (s) => {
    const mm = s.sample(I.MM, 1000, 0);
    const vma = (mm.vmas as object[])[6];
    const vmas = [{ ...vma, start: 0n, end: 1n << 46n }];
    s.image(I.MM, 1000, 1, () => ({ ...mm, vmas, mm_arg_end: 1n << 46n, mm_env_end: 1n << 46n }));
    s.image(I.PAGEMAP, 1000, 2, (i) =>
      i === 0 ? { pages_id: 1 } : { vaddr: 0n, compat_nr_pages: 0, flags: 2, nr_pages: 1n << 34n },
    );
  }),
  input("700,000 pagemap entries of one page", "logger", (s) =>
    s.image(I.PAGEMAP, 1000, 700_000, (i) =>
      i === 0 ? { pages_id: 1 } : { vaddr: BigInt(i) * 8192n, compat_nr_pages: 1, flags: 4 },
    ),
  ),
  input(
    "pages of 64 TiB that are a hole",
    "logger",
    (s) => {
      s.image(I.PAGEMAP, 1000, 2, (i) =>
        i === 0 ? { pages_id: 1 } : { vaddr: 0n, compat_nr_pages: 0, flags: 4, nr_pages: 1n << 30n },
      );
      const mm = s.sample(I.MM, 1000, 0);
      const vma = (mm.vmas as object[])[6];
      s.image(I.MM, 1000, 1, () => ({ ...mm, vmas: [{ ...vma, start: 0n, end: 1n << 42n }] }));
      truncateSync(join(s.path, "pages-1.img"), 2 ** 42);
    },
    ["diff"],
  ),
  input("200,000 locks of one file", "locks", (s) =>
    s.image(I.FILE_LOCKS, undefined, 200_000, (i) => ({
      ...{ flag: 1, type: 1, pid: 1000 + (i % 2), fd: 4, start: BigInt(i), len: 0n },
    })),
  ),
  input("200,000 locks of 200,000 tasks", "locks", (s) => {
    s.image(I.PSTREE, undefined, 100_000, (i) => task(1000 + i, i === 0 ? 0 : 1000));
    s.image(I.FILE_LOCKS, undefined, 100_000, (i) => ({
      ...{ flag: 2, type: 1, pid: 1000 + i, fd: 4, start: 0n, len: 0n },
    }));
  }),
  input("100,000 mounts in a chain", "container", (s) => {
    const mount = s.sample(I.MNTS, 13, 0);
    s.image(I.MNTS, 13, 60_000, (i) => ({ ...mount, mnt_id: i + 1, parent_mnt_id: i }));
  }),
  input("60,000 mounts at one point", "container", (s) => {
    const mount = s.sample(I.MNTS, 13, 0);
    s.image(I.MNTS, 13, 60_000, (i) => ({ ...mount, mnt_id: i + 1, parent_mnt_id: 1, mountpoint: "/" }));
  }),
  input("60,000 mounts of one id", "container", (s) => {
    const mount = s.sample(I.MNTS, 13, 0);
    s.image(I.MNTS, 13, 60_000, () => mount);
  }),
  input("60,000 mounts of one device, each a path of 100 parts", "container", (s) => {
    const mount = s.sample(I.MNTS, 13, 0);
    s.image(I.MNTS, 13, 20_000, (i) => ({
      ...{ ...mount, mnt_id: i + 1, parent_mnt_id: i, mountpoint: `${"/a".repeat(100)}/${i}` },
    }));
  }),
  input(
    "a message of 500,000 timers",
    "logger",
    (s) => {
      const core = s.sample(I.CORE, 1000, 0) as { tc: object & { timers: object } };
      const posix = listOf(200_000, (i) => ({
        ...{ it_id: i, clock_id: 1, si_signo: 14, it_sigev_notify: 0, sival_ptr: 0n, overrun: 0 },
        ...{ isec: 0n, insec: 0n, vsec: 1n, vnsec: 0n },
      }));
      s.image(I.CORE, 1000, 1, () => ({ ...core, tc: { ...core.tc, timers: { ...core.tc.timers, posix } } }));
    },
    ["diff"],
  ),
  input(
    "400,000 limits and signal actions of one task",
    "logger",
    (s) => {
      const core = s.sample(I.CORE, 1000, 0) as { tc: object };
      const rlimits = { rlimits: listOf(200_000, () => ({ cur: 1n, max: 1n })) };
      const sigactions = listOf(200_000, () => ({ sigaction: 0n, flags: 0n, restorer: 0n, mask: 0n }));
      s.image(I.CORE, 1000, 1, () => ({ ...core, tc: { ...core.tc, rlimits, sigactions } }));
    },
    ["diff"],
  ),
  input("60,000 pending signals of one task", "logger", (s) => {
    const core = s.sample(I.CORE, 1000, 0) as { tc: object };
    const signals_s = { signals: listOf(60_000, () => ({ siginfo: Buffer.alloc(128, 5) })) };
    s.image(I.CORE, 1000, 1, () => ({ ...core, tc: { ...core.tc, signals_s } }));
  }),
  input("a core image of 9 MB with 400,000 groups", "logger", (s) => {
    const core = s.sample(I.CORE, 1000, 0) as { thread_core: { creds: object } };
    const groups = listOf(400_000, (i) => i);
    const creds = { ...core.thread_core.creds, groups, comm: "x".repeat(MIB) };
    const { comm: _, ...rest } = creds;
    s.image(I.CORE, 1000, 1, () => ({ ...core, thread_core: { ...core.thread_core, creds: rest } }));
  }),
  input("a core image of 9 MB with 450,000 words of registers", "logger", (s) => {
    const core = s.sample(I.CORE, 1000, 0) as { thread_info: { fpregs: object } };
    const fpregs = { ...core.thread_info.fpregs, xmm_space: listOf(450_000, () => 0xffff_ffff) };
    s.image(I.CORE, 1000, 1, () => ({ ...core, thread_info: { ...core.thread_info, fpregs } }));
  }),
  input("a name of a task of 8 MiB", "logger", (s) => {
    const core = s.sample(I.CORE, 1000, 0) as { tc: object };
    s.image(I.CORE, 1000, 1, () => ({ ...core, tc: { ...core.tc, comm: "x".repeat(8 * MIB) } }));
    s.image(I.PSTREE, undefined, 4000, () => task(1000, 0));
  }),
  input("150,000 message queues", "container", (s) => {
    const queue = { ...s.sample(I.IPCNS_MSG, 11, 0), qnum: 0 };
    s.image(I.IPCNS_MSG, 11, 150_000, () => queue);
  }),
  input(
    "30,000 segments of a namespace",
    "container",
    (s) => {
      const segment = s.sample(I.IPCNS_SHM, 11, 0) as { desc: object };
      s.image(
        I.IPCNS_SHM,
        11,
        30_000,
        (i) => ({ ...segment, desc: { ...segment.desc, id: i }, size: 4n, in_pagemaps: false }),
        () => Buffer.alloc(4),
      );
    },
    ["convert"],
  ),
  input(
    "a component of 100,000 words of a processor",
    "logger",
    (s) => {
      const core = s.sample(I.CORE, 1000, 0) as { thread_info: { fpregs: object } };
      const xsave = { xstate_bv: 0xffn, ymmh_space: [], opmask_reg: listOf(100_000, (i) => BigInt(i + 1)) };
      const fpregs = { ...core.thread_info.fpregs, xsave };
      s.image(I.CORE, 1000, 1, () => ({ ...core, thread_info: { ...core.thread_info, fpregs } }));
    },
    ["diff"],
  ),
  input("150,000 segments of one key", "container", (s) => {
    const sample = s.sample(I.IPCNS_MSG, 11, 0);
    s.image(I.IPCNS_SHM, 11, 150_000, () => ({ desc: sample.desc, size: 1n << 40n }));
  }),
  input("100,000 control group sets", "container", (s) => {
    const group = s.sample(I.CGROUP, undefined, 0) as { sets: { ctls: object[] }[] };
    const sets = listOf(100_000, () => ({ id: 2, ctls: group.sets[0]?.ctls.slice(0, 1) ?? [] }));
    s.image(I.CGROUP, undefined, 1, () => ({ ...group, sets }));
  }),
  input("control groups: 80,000 directories", "container", (s) => {
    const group = s.sample(I.CGROUP, undefined, 0) as { controllers: { dirs: object[] }[] };
    const dirs = listOf(80_000, (i) => ({
      ...group.controllers[0]?.dirs[0],
      dir_name: `d${i}`,
      children: [],
      properties: [],
    }));
    s.image(I.CGROUP, undefined, 1, () => ({ ...group, controllers: [{ ...group.controllers[0], dirs }] }));
  }),
  input("200,000 seccomp filters in a chain", "threads", (s) =>
    s.image(I.SECCOMP, undefined, 1, () => ({
      seccomp_filters: listOf(200_000, (i) => ({
        filter: Buffer.alloc(8),
        ...(i === 0 ? {} : { prev: i - 1 }),
      })),
    })),
  ),
  input("200,000 removed paths of one ghost", "deleted", (s) =>
    s.image(I.REMAP_FPATH, undefined, 200_000, () => ({ orig_id: 3, remap_id: 1, remap_type: 1 })),
  ),
  input("4,000 removed paths of a ghost of 300,000 chunks", "deleted", (s) => {
    s.image(I.REMAP_FPATH, undefined, 4000, (i) => ({ orig_id: i, remap_id: 1, remap_type: 1 }));
    s.image(
      I.GHOST_FILE,
      1,
      300_000,
      (i) =>
        i === 0
          ? { uid: 0, gid: 0, mode: 0o100644, chunks: true, size: 1n << 40n }
          : { len: 1n, off: BigInt(i) * 4096n },
      (i) => Buffer.alloc(i === 0 ? 0 : 1),
    );
  }),
  input("150,000 buffers of one pipe", "tree", (s) =>
    s.image(I.PIPES_DATA, undefined, 150_000, () => ({ pipe_id: 1, bytes: 0, size: 65536 })),
  ),
  input("150,000 packets of one queue", "sockets", (s) =>
    s.image(I.SK_QUEUES, undefined, 150_000, () => ({ id_for: 1, length: 0, addr: undefined, scm: [] })),
  ),
  input("namespaces: 20,000 images of one kind", "container", (s) => {
    for (let id = 100; id < 20_100; id++)
      linkSync(join(s.path, "utsns-12.img"), join(s.path, `utsns-${id}.img`));
  }),
  input("a host name of 16 MiB", "container", (s) =>
    s.image(I.UTSNS, 12, 1, () => ({ nodename: "x".repeat(16 * MIB), domainname: "y" })),
  ),
  input("400,000 sysctls of a network namespace", "container", (s) => {
    const net = s.sample(I.NETNS, 10, 0) as { def_conf4: object[] };
    const conf = net.def_conf4[0];
    s.image(I.NETNS, 10, 1, () => ({ ...net, def_conf4: listOf(400_000, () => conf) }));
  }),
  input("200,000 namespace ids of a network namespace", "container", (s) => {
    const net = s.sample(I.NETNS, 10, 0);
    const nsids = listOf(200_000, (i) => ({ target_ns_id: i, netnsid_value: i, netnsid: i }));
    s.image(I.NETNS, 10, 1, () => ({ ...net, nsids }));
  }),
  input("20,000 network devices", "container", (s) => {
    const device = s.sample(I.NETDEV, 10, 0);
    s.image(I.NETDEV, 10, 20_000, (i) => ({ ...device, ifindex: i }));
  }),
  input("60,000 files of no kind", "logger", (s) => {
    for (let i = 0; i < 60_000; i++) writeFileSync(join(s.path, `file-${i}`), "");
  }),
  input("20,000 images that belong to no task", "logger", (s) => {
    for (let i = 0; i < 20_000; i++)
      linkSync(join(s.path, "core-1000.img"), join(s.path, `core-${2000 + i}.img`));
  }),
  input("a parent chain of 900 sets", "logger", (s) => {
    s.image(I.PAGEMAP, 1000, 2, (i) =>
      i === 0 ? { pages_id: 1 } : { vaddr: 4198400n, compat_nr_pages: 1, flags: 1, nr_pages: 1n },
    );
    let at = s.path;
    for (let i = 0; i < 900; i++) {
      const next = `${s.path}.${i}`;
      mkdirSync(next);
      for (const name of ["pagemap-1000.img", "pages-1.img", "inventory.img", "pstree.img"])
        linkSync(join(s.path, name), join(next, name));
      symlinkSync(`../${next.slice(next.lastIndexOf("/") + 1)}`, join(at, "parent"));
      at = next;
    }
  }),
  input("images that are holes of 1 TiB", "logger", (s) => {
    for (const name of ["files.img", "pagemap-1000.img", "core-1000.img"])
      truncateSync(join(s.path, name), 2 ** 40);
  }),
  input(
    "images of 1 TiB of empty records",
    "logger",
    (s) => {
      for (const name of ["seccomp.img", "timens-0.img", "mm-1000.img", "fs-1000.img", "ids-1000.img"])
        truncateSync(join(s.path, name), 2 ** 40);
    },
    ["validate", "show"],
  ),
  input("a log of 100,000 edits", "logger", (s) => {
    const entry = { crimg: "1.0.0", time: "2026-01-01T00:00:00.000Z", edits: ["x"], files: [], changes: [] };
    s.file("crimg-edits.jsonl", Buffer.from(`${JSON.stringify(entry)}\n`.repeat(100_000)));
  }),
  input("an edit of 60,000 files", "logger", (s) => {
    const files = listOf(60_000, (i) => ({ name: `f${i}`, before: "a", after: "b", undo: [] }));
    const entry = { crimg: "1.0.0", time: "2026-01-01T00:00:00.000Z", edits: ["x"], files, changes: [] };
    s.file("crimg-edits.jsonl", Buffer.from(`${JSON.stringify(entry)}\n`));
  }),
  input(
    "100,000 words of arguments in memory",
    "logger",
    (s) => {
      const mm = s.sample(I.MM, 1000, 0);
      const vma = (mm.vmas as object[])[6];
      const vmas = [{ ...vma, start: 0n, end: 1n << 32n }];
      s.image(I.MM, 1000, 1, () => ({
        ...{ ...mm, vmas, mm_arg_start: 0n, mm_arg_end: 4n << 20n, mm_env_start: 0n, mm_env_end: 4n << 20n },
      }));
      s.image(I.PAGEMAP, 1000, 2, (i) =>
        i === 0 ? { pages_id: 1 } : { vaddr: 0n, compat_nr_pages: 0, flags: 4, nr_pages: 2048n },
      );
      s.file("pages-1.img", Buffer.alloc(8 * MIB, "a\0"));
    },
    ["diff"],
  ),
];
