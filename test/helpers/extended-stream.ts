import { RECORDS as R } from "../../src/formats/linux-cr/records.js";
import { ARCHITECTURES } from "../../src/formats/linux-cr/revisions.js";
import { StreamBuilder } from "./build-stream.js";

const PAGE = 4096;
const EOF = 0x7fffffffffffffffn;
const SECOND = 1_000_000_000n;
const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;

/** Where the stack page is that holds the arguments and the environment. */
const STACK = 0x7000_0000n;

/**
 * A stream with what our dialect and our extension records are for: a task of two threads that holds locks of every
 * kind, leases that are being broken, deleted files by each method, files of today's kinds, timers and a SysV segment.
 */
export function extendedStream(): Buffer {
  const b = new StreamBuilder(NEWEST);
  b.head([
    [1, 0, 1, 1, 1],
    [2, 1, 1, 1, 1],
  ]);
  b.add(R.EXTENSIONS, { version: 1, oldest_reader: 1, writer: 1 });
  b.add(R.CLOCKS, { realtime_ns: 1_300_000_000n * SECOND, monotonic_ns: 90n * SECOND, flags: 2 });
  b.add(R.CGROUP_SET, { set_id: 3 }, Buffer.from("memory:/app\n:/unified\n"));
  const refs = leader(b);
  thread(b, refs);
  return b.tail().bytes;
}

type Refs = Readonly<Record<"cred" | "ns" | "files" | "mm" | "fs" | "sighand" | "signal", number>>;

function comm(b: StreamBuilder, name: string): void {
  b.add(R.STRING, {}, Buffer.from(name.padEnd(16, "\0")));
}

function cpu(b: StreamBuilder, call: Readonly<Record<string, bigint>>): void {
  b.add(R.THREAD, { gdt_entry_tls_entries: 3 }, Buffer.alloc(24));
  b.add(R.RESTART_BLOCK, call);
  b.add(R.CPU, { ip: 0x401000n, fs: 0x1234000n, cs: 3, ss: 4, gsindex: 0x4001, used_math: 1 });
  b.add(R.CPU_FPU, {}, Buffer.alloc(512));
}

function leader(b: StreamBuilder): Refs {
  b.add(R.TASK, { state: 4, exit_signal: 17 });
  comm(b, "extended");
  cpu(b, { function_type: 2n, arg_0: 1n, arg_4: 5n * SECOND });
  const cred = b.objref("CRED");
  b.add(R.CRED);
  b.add(R.TASK_CREDS, { cred_ref: cred, ecred_ref: cred });
  const ns = b.objref("NS");
  const uts = b.objref("UTS_NS");
  b.add(R.UTS_NS, { sysname: "Linux", nodename: "host", domainname: "example" });
  const ipc = b.objref("IPC_NS");
  const segment = sysv(b);
  b.add(R.NS, { uts_objref: uts, ipc_objref: ipc });
  b.add(R.TASK_NS, { ns_objref: ns });
  const { files, memfd, memfdInode, program } = fileTable(b, cred);
  const mm = memory(b, { program, memfd, memfdInode, segment });
  const fs = b.objref("FS");
  const gone = file(b, { f_type: 1, f_credref: cred }, (objref) => {
    b.text(R.FILE_NAME, "/gone/directory");
    b.add(R.FILE_UNLINKED, { file_objref: objref, method: 2, kind: 2, mode: 0o40755 });
  });
  b.add(R.FS, { umask: 0o27 }).text(R.FILE_NAME, "/gone/directory").text(R.FILE_NAME, "/");
  b.add(R.FS_EXTRA, { cwd_objref: gone });
  const sighand = b.objref("SIGHAND");
  b.add(R.SIGHAND, {}, Buffer.alloc(64 * 32));
  const signal = b.number();
  const refs = { cred, ns, files, mm, fs, sighand, signal };
  objects(b, refs);
  b.add(R.SIGNAL, { it_real_value: 2n * SECOND }).add(R.SIGPENDING);
  b.add(R.SIGPENDING).add(R.SIGNAL_TASK);
  b.add(R.TASK_EXTRA, {
    oom_score_adj: -500,
    loginuid: 1000,
    sched_policy: 3,
    sched_nice: 5,
    no_new_privs: 1,
    cap_ambient: 1n << 10n,
    stop_signo: 19,
    seccomp_mode: 2,
    cgroup_set: 3,
    flags: 15,
  });
  b.add(R.RSEQ, { abi_pointer: 0x7fff0n, abi_size: 32, signature: 0x53053053 });
  b.add(R.POSIX_TIMER, {
    ...{ timer_id: 4, clock_id: 1, signo: 14, overrun: 2 },
    ...{ value_ns: 3n * SECOND, interval_ns: SECOND },
  });
  return refs;
}

/** The other thread waits for a futex, without a limit in its extension. */
function thread(b: StreamBuilder, refs: Refs): void {
  b.add(R.TASK, { exit_signal: 0xffffffff });
  comm(b, "waiter");
  cpu(b, { function_type: 7n, arg_0: 0x600000n, arg_2: 4n, arg_4: 250_000_000n });
  b.add(R.TASK_CREDS, { cred_ref: refs.cred, ecred_ref: refs.cred });
  b.add(R.TASK_NS, { ns_objref: refs.ns });
  objects(b, refs);
  b.add(R.SIGPENDING).add(R.SIGNAL_TASK);
}

function objects(b: StreamBuilder, { files, mm, fs, sighand, signal }: Refs): void {
  const refs = { files_objref: files, mm_objref: mm, fs_objref: fs };
  b.add(R.TASK_OBJS, { ...refs, sighand_objref: sighand, signal_objref: signal });
}

function sysv(b: StreamBuilder): number {
  b.add(R.IPC_NS, { shm_ctlmax: 1n << 32n });
  const segment = b.number();
  b.add(R.IPC, { ipc_type: 502, ipc_count: 1 });
  b.add(R.IPC_SHM, { perms: perms(7, 0x5ea), shm_segsz: 8192n, objref: segment });
  pages(b, [[0n, "segment"]]);
  b.add(R.IPC, { ipc_type: 503, ipc_count: 1 });
  b.add(R.IPC_MSG, { perms: perms(8, 0x5eb), q_qnum: 1n, q_cbytes: 5n, q_qbytes: 16384n });
  b.add(R.IPC_MSG_MSG, { m_type: 1n, m_ts: 5 }).buffer(Buffer.from("hello"));
  b.add(R.IPC, { ipc_type: 505, ipc_count: 1 });
  b.add(R.IPC_SEM, { perms: perms(9, 0x5ec), sem_nsems: 2 }).buffer(b.u32s(3, 1, 7, 1));
  return segment;
}

function perms(id: number, key: number) {
  const zero = { cuid: 0, cgid: 0, _padding: 0, seq: 0n, sec_ref: 0 };
  return { ...zero, id, key, uid: 1000, gid: 100, mode: 0o600 };
}

/** One page array; each page begins with its text. */
function pages(b: StreamBuilder, list: readonly (readonly [key: bigint, text: string])[]): void {
  if (list.length > 0) {
    const keys = Buffer.alloc(list.length * 8);
    for (const [i, [key]] of list.entries()) keys.writeBigUInt64LE(key, i * 8);
    b.add(R.PGARR, { nr_pages: BigInt(list.length) });
    b.buffer(
      Buffer.concat([
        keys,
        ...list.map(([, text]) => {
          const page = Buffer.alloc(PAGE);
          page.write(text, "latin1");
          return page;
        }),
      ]),
    );
  }
  b.add(R.PGARR);
}

function file(
  b: StreamBuilder,
  fields: Readonly<Record<string, unknown>>,
  after: (objref: number) => void = () => {},
): number {
  const objref = b.objref("FILE");
  const canSeek = fields.f_type === 1 || fields.f_type === 1003;
  b.add(R.FILE, { f_mode: canSeek ? 7 : 3, ...fields });
  after(objref);
  return objref;
}

const named = (b: StreamBuilder, path: string) => (): void => {
  b.text(R.FILE_NAME, path);
};

function fileTable(b: StreamBuilder, f_credref: number) {
  const table = b.objref("FILE_TABLE");
  b.add(R.FILE_TABLE, { fdt_nfds: 14 });
  let fd = 0;
  const descriptor = (objref: number, locks: readonly Readonly<Record<string, unknown>>[] = []): number => {
    b.add(R.FILE_DESC, { fd_objref: objref, fd_descriptor: fd });
    b.add(R.FILE_LOCKS, { fd, nr_locks: locks.length });
    for (const lock of locks) b.add(R.FILE_LOCK, lock);
    fd++;
    return objref;
  };
  const posix = { fl_start: 5n, fl_end: 9n, fl_type: 1, fl_type_prev: 1, fl_flags: 1, owner_ref: table };
  const log = descriptor(
    file(b, { f_type: 1, f_flags: 0x402, f_pos: 42n, f_credref }, (objref) => {
      b.text(R.FILE_NAME, "/var/log/app.log");
      b.add(R.FILE_OWNER, { file_objref: objref, pid_ref: 1, pid_type: 1, signum: 10 });
      b.add(
        R.FILE_IDENTITY,
        { file_objref: objref, mode: 0o100644, size: 99n, flags: 5 },
        Buffer.from("cafe", "hex"),
      );
    }),
    [posix, { fl_end: EOF, fl_type: 0, fl_flags: 1025 }],
  );
  // A second descriptor of the same file repeats its POSIX lock, and brings none of its own.
  descriptor(log, [posix, { fl_end: EOF, fl_type: 0, fl_flags: 1025 }]);
  descriptor(file(b, { f_type: 1, f_credref }, named(b, "/leased")), [
    { fl_end: EOF, fl_type: 16 + 2, fl_type_prev: 1, fl_flags: 32, fl_rem_lease: 30 },
  ]);
  descriptor(file(b, { f_type: 1, f_credref }, named(b, "/due")), [
    { fl_end: EOF, fl_type: 16, fl_type_prev: 1, fl_flags: 32 },
  ]);
  deletedFiles(b, f_credref, descriptor);
  const pipe = b.number();
  descriptor(
    file(b, { f_type: 2, f_credref, pipe_objref: pipe }, () => {
      b.add(R.PIPE_BUF, {}, Buffer.from("queued")).add(R.PIPE_STATE, { capacity: 8192 });
    }),
  );
  descriptor(
    file(b, { f_type: 1001, f_credref }, () => {
      b.add(R.TIMERFD, { clock_id: 1, ticks: 2n, value_ns: 7n * SECOND, interval_ns: SECOND });
    }),
  );
  descriptor(
    file(b, { f_type: 1002, f_credref }, () => {
      b.add(R.SIGNALFD, { sigmask: Buffer.from([0, 2, 0, 0, 0, 0, 0, 0]) });
    }),
  );
  const memfdInode = b.number();
  const memfd = descriptor(
    file(b, { f_type: 1003, f_flags: 2, f_credref }, () => {
      b.add(R.MEMFD, { inode_objref: memfdInode, mode: 0o100777, size: 8192n }, Buffer.from("buffer\0"));
      pages(b, [[1n, "second page of the memfd"]]);
    }),
  );
  descriptor(
    file(b, { f_type: 1004, f_credref }, () => {
      b.add(R.INOTIFY, { nr_watches: 1 });
      b.add(R.INOTIFY_WATCH, { wd: 1, mask: 2, ino: 12n }, Buffer.from("/watched\0"));
    }),
  );
  const program = descriptor(file(b, { f_type: 1, f_flags: 0x8000, f_credref }, named(b, "/usr/bin/app")));
  const master = b.objref("TTY");
  b.add(R.TTY, { driver_type: 4, driver_subtype: 1, file_objref: b.number(), index: 3, flags: 1n << 18n });
  descriptor(
    file(b, { f_type: 5, f_credref, tty_objref: master }, (objref) => {
      b.add(R.OPENED_NAME, { file_objref: objref }, Buffer.from("/dev/pts/ptmx\0"));
    }),
  );
  return { files: table, memfd, memfdInode, program };
}

/** By contents, by a link and by a copy. */
function deletedFiles(b: StreamBuilder, f_credref: number, descriptor: (objref: number) => void): void {
  descriptor(
    file(b, { f_type: 1, f_credref }, (file_objref) => {
      b.text(R.FILE_NAME, "/tmp/contents");
      const owner = { mode: 0o100600, uid: 1000, gid: 100 };
      b.add(R.FILE_UNLINKED, { file_objref, method: 2, kind: 1, ...owner, size: 4096n, nr_chunks: 1 });
      b.buffer(Buffer.concat([Buffer.alloc(8), Buffer.from("what it held")]));
    }),
  );
  descriptor(
    file(b, { f_type: 1, f_credref }, (file_objref) => {
      b.text(R.FILE_NAME, "/tmp/linked");
      b.add(R.FILE_UNLINKED, { file_objref, method: 1, kind: 1, mode: 0o100600, flags: 1 });
      b.text(R.FILE_NAME, "/lost+found/unlink-at-restart-1");
    }),
  );
  descriptor(
    file(b, { f_type: 1, f_credref }, (file_objref) => {
      b.text(R.FILE_NAME, "/tmp/copied");
      b.add(R.FILE_UNLINKED, { file_objref, method: 3, kind: 1, mode: 0o100600, flags: 1 });
      b.text(R.FILE_NAME, "/var/tmp/copy");
    }),
  );
}

function memory(
  b: StreamBuilder,
  refs: Readonly<Record<"program" | "memfd" | "memfdInode" | "segment", number>>,
): number {
  const mm = b.objref("MM");
  const words = "/usr/bin/app\0--serve\0HOME=/root\0EMPTY=\0";
  const env = BigInt(words.indexOf("HOME"));
  b.add(R.MM, {
    ...{ map_count: 7, exe_objref: refs.program, start_brk: 0x600000n, brk: 0x602000n },
    ...{ start_stack: STACK, arg_start: STACK, arg_end: STACK + env },
    ...{ env_start: STACK + env, env_end: STACK + BigInt(words.length) },
  });
  b.buffer(44 * 8);
  const at = (vm_start: bigint, pages: number, vm_flags: bigint) => ({
    vm_start,
    vm_end: vm_start + BigInt(pages * PAGE),
    vm_flags,
  });
  b.add(R.VMA, { vma_type: 3, vma_objref: refs.program, ...at(0x400000n, 2, 5n) });
  pages(b, [[0x401000n, "written to"]]);
  b.add(R.VMA, { vma_type: 2, ...at(0x600000n, 2, 3n) });
  pages(b, []);
  b.add(R.VMA, { vma_type: 7, ino_objref: refs.segment, ...at(0x700000n, 2, 11n) });
  b.add(R.VMA, {
    ...{ vma_type: 6, vma_objref: refs.memfd, ino_objref: refs.memfdInode, vm_pgoff: 1n },
    ...at(0x800000n, 1, 11n),
  });
  b.add(R.VMA, { vma_type: 2, ...at(STACK, 1, 0x103n) });
  pages(b, [[STACK, words]]);
  b.add(R.VMA, { vma_type: 0, ...at(0x7fff_0000n, 2, 1n) });
  b.add(R.VMA_EXTRA, { kind: 2 }, Buffer.from("[vvar]\0"));
  b.add(R.VMA, { vma_type: 1, ...at(0x7fff_f000n, 1, 5n) });
  b.add(R.VMA_EXTRA, { kind: 1, flags: 1 }, Buffer.from("[vdso]\0"));
  pages(b, [[0x7fff_f000n, "\x7fELF"]]);
  b.add(R.MM_CONTEXT, { vdso: 0x7fff_f000n, ldt_entry_size: 8 }).add(R.MM_CONTEXT_LDT);
  b.add(R.GUARD_PAGES, { start: 0x601000n, end: 0x602000n });
  return mm;
}
