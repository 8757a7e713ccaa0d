import type { Dialect } from "../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../src/formats/linux-cr/records.js";
import { StreamBuilder } from "./build-stream.js";

const R = RECORDS;
const PAGE = 4096;
export const EOF = 0x7fffffffffffffffn;

/** Saved pages, each filled with its own number from 1 on, in one page array; `keys` are addresses or page indexes. */
function pages(b: StreamBuilder, keys: readonly bigint[]): void {
  const { wordBytes, byteOrder } = b.dialect.arch;
  if (keys.length > 0) {
    const list = Buffer.alloc(keys.length * wordBytes);
    for (const [i, key] of keys.entries()) {
      const word = Buffer.alloc(8);
      if (byteOrder === "little-endian") word.writeBigUInt64LE(key);
      else word.writeBigUInt64BE(key);
      (byteOrder === "little-endian" ? word.subarray(0, wordBytes) : word.subarray(8 - wordBytes)).copy(
        list,
        i * wordBytes,
      );
    }
    b.add(R.PGARR, { nr_pages: BigInt(keys.length) });
    b.buffer(Buffer.concat([list, ...keys.map((_, i) => Buffer.alloc(PAGE, i + 1))]));
  }
  b.add(R.PGARR, { nr_pages: 0n });
}

interface Refs {
  cred: number;
  files: number;
  mm: number;
  fs: number;
  sighand: number;
  signal: number;
  ns: number;
}

/** A stream of a given header set and architecture that has every object and record that those know. */
export function richStream(
  dialect: Dialect,
  options: { v18?: boolean; dialectRecords?: boolean } = {},
): Buffer {
  const b = new StreamBuilder(dialect);
  b.head([
    [1, 0, 1, 1, 1],
    [7, 1, 7, 7, 1],
    [8, 1, 7, 7, 1],
    [9, 1, 9, 1, 1],
  ]);
  const refs = task(b, "init", undefined, options);
  task(b, "worker", refs, options);
  task(b, "thread", refs, options, 0xffffffff);
  b.add(R.TASK, { state: 64, exit_state: 16, exit_code: 256 });
  comm(b, "gone");
  return b.tail().bytes;
}

function comm(b: StreamBuilder, name: string): void {
  const text = Buffer.alloc(16);
  text.write(name);
  b.add(R.STRING, {}, text);
}

function task(
  b: StreamBuilder,
  name: string,
  old: Refs | undefined,
  options: { v18?: boolean; dialectRecords?: boolean },
  exitSignal = 17,
): Refs {
  b.add(R.TASK, { exit_signal: exitSignal });
  comm(b, name);
  if (options.v18 !== true) registers(b);
  const refs = objects(b, old, options);
  if (options.v18 === true) registers(b);
  b.add(R.SIGPENDING).add(R.SIGNAL_TASK, { blocked: Buffer.from([0, 2, 0, 0, 0, 0, 0, 0]) });
  return refs;
}

function registers(b: StreamBuilder): void {
  const { family, wordBytes } = b.dialect.arch;
  if (family === "x86") b.add(R.THREAD, { gdt_entry_tls_entries: 3 }, Buffer.alloc(24));
  if (family === "arm" || (family === "s390" && b.since("67cfee9"))) b.add(R.THREAD);
  b.add(R.RESTART_BLOCK, { function_type: 2n, arg_4: 1_500_000_000n });
  const segments = wordBytes === 8 ? { cs: 3, ss: 4 } : { cs: 1, ss: 2 };
  if (family === "x86")
    b.add(R.CPU, { ip: 0x401000n, flags: 0x202n, ...segments, used_math: 1 }).add(
      R.CPU_FPU,
      {},
      Buffer.alloc(512),
    );
  else b.add(R.CPU, {}, undefined, wordBytes === 4 ? 1168 : 1344);
}

function credentials(b: StreamBuilder): number {
  const cred = b.objref("CRED");
  const groups = b.objref("GROUPINFO");
  b.add(R.GROUPINFO, {}, b.u32s(10, 20));
  const user = b.objref("USER");
  const namespace = b.objref("USER_NS");
  b.add(R.USER_NS).add(R.USER, { uid: 1000, userns_ref: namespace });
  b.add(R.CRED, {
    ...Object.fromEntries(["uid", "suid", "euid", "fsuid"].map((id) => [id, 1000])),
    ...Object.fromEntries(["gid", "sgid", "egid", "fsgid"].map((id) => [id, 100])),
    user_ref: user,
    groupinfo_ref: groups,
  });
  return cred;
}

function namespaces(b: StreamBuilder): number {
  const ns = b.objref("NS");
  const uts = b.objref("UTS_NS");
  b.add(R.UTS_NS, { sysname: "Linux", nodename: "host" });
  const ipc = b.objref("IPC_NS");
  b.add(R.IPC_NS);
  const shm = b.number();
  b.add(R.IPC, { ipc_type: 502, ipc_count: 1 }).add(R.IPC_SHM, {
    shm_segsz: 8192n,
    mlock_uid: 0xffffffff,
    objref: shm,
  });
  pages(b, [1n]);
  b.add(R.IPC, { ipc_type: 503, ipc_count: 1 }).add(R.IPC_MSG, { q_qnum: 1n, q_cbytes: 5n });
  b.add(R.IPC_MSG_MSG, { m_type: b.since("c97c03d") ? 1n : 1, m_ts: 5 }).buffer(Buffer.from("hello"));
  b.add(R.IPC, { ipc_type: 505, ipc_count: 1 })
    .add(R.IPC_SEM, { sem_nsems: 2 })
    .buffer(b.u32s(3, 7, 0, 0));
  b.add(R.NS, { uts_objref: uts, ipc_objref: ipc });
  return ns;
}

function objects(b: StreamBuilder, old: Refs | undefined, options: { dialectRecords?: boolean }): Refs {
  const cred = old?.cred ?? credentials(b);
  const creds = (): unknown => b.add(R.TASK_CREDS, { cred_ref: cred, ecred_ref: cred });
  creds();
  const ns = old?.ns ?? namespaces(b);
  b.add(R.TASK_NS, { ns_objref: ns });
  const files = old?.files ?? fileTable(b, cred, options);
  const mm = old?.mm ?? memory(b, cred);
  let fs = old?.fs ?? 0;
  if (old === undefined && b.since("c97c03d")) {
    fs = b.objref("FS");
    b.add(R.FS, b.since("f0fdd38") ? { umask: 0o22 } : {});
    b.text(R.FILE_NAME, "/work").text(R.FILE_NAME, "/");
  }
  const sighand = old?.sighand ?? b.objref("SIGHAND");
  if (old === undefined) {
    const actions = Buffer.alloc(64 * 32);
    actions[14 * 32 + (b.dialect.arch.byteOrder === "little-endian" ? 0 : 7)] = 1;
    b.add(R.SIGHAND, {}, actions);
  }
  const signal = old?.signal ?? b.number();
  b.add(R.TASK_OBJS, {
    files_objref: files,
    mm_objref: mm,
    ...(b.since("c97c03d") ? { fs_objref: fs } : {}),
    sighand_objref: sighand,
    signal_objref: signal,
  });
  if (old === undefined)
    b.add(R.SIGNAL, {
      rlim: Array.from({ length: 16 }, (_, i) => ({ rlim_cur: BigInt(i), rlim_max: (1n << 64n) - 1n })),
      it_real_value: 2_000_000_000n,
      it_real_incr: 1_000_000_000n,
    }).add(R.SIGPENDING, {}, Buffer.concat([b.u32s(10), Buffer.alloc(b.since("f0fdd38") ? 84 : 44)]));
  return { cred, files, mm, fs, sighand, signal, ns };
}

function file(
  b: StreamBuilder,
  fields: Readonly<Record<string, unknown>>,
  after: (objref: number) => void = () => {},
): number {
  const objref = b.objref("FILE");
  const access = ((fields.f_flags as number | undefined) ?? 0) & 3;
  b.add(R.FILE, { f_mode: access === 2 ? 3 : access + 1, ...fields });
  after(objref);
  return objref;
}

function fileTable(b: StreamBuilder, f_credref: number, options: { dialectRecords?: boolean }): number {
  const hasDialect = options.dialectRecords === true;
  const table = b.objref("FILE_TABLE");
  const hasEpoll = b.since("a53775e");
  b.add(R.FILE_TABLE, { fdt_nfds: hasEpoll ? 10 : 8 });
  let fd = 0;
  const descriptor = (objref: number, locks: readonly Readonly<Record<string, unknown>>[] = []): void => {
    b.add(R.FILE_DESC, { fd_objref: objref, fd_descriptor: fd, fd_close_on_exec: fd % 2 });
    if (hasDialect) b.add(R.FILE_LOCKS, { fd, nr_locks: locks.length });
    for (const lock of hasDialect ? locks : []) b.add(R.FILE_LOCK, lock);
    fd++;
  };
  const name = (path: string) => () => {
    b.text(R.FILE_NAME, path);
  };
  const log = file(b, { f_type: 1, f_flags: 0x8402, f_pos: 42n, f_credref }, name("/var/log/app.log"));
  descriptor(log, [
    { fl_start: 0n, fl_end: 9n, fl_type: 1, fl_type_prev: 1, fl_flags: 1, owner_ref: table },
    { fl_end: EOF, fl_type: 16, fl_type_prev: 1, fl_flags: 32, fl_rem_lease: 30 },
    { fl_end: EOF, fl_type: 0, fl_flags: 2 },
  ]);
  descriptor(log);
  const pipe = b.number();
  descriptor(
    file(b, { f_type: 2, f_credref, pipe_objref: pipe }, () => b.add(R.PIPE_BUF, {}, Buffer.from("queued"))),
  );
  descriptor(file(b, { f_type: 2, f_flags: 1, f_credref, pipe_objref: pipe }));
  const fifo = b.number();
  descriptor(
    file(b, { f_type: 3, f_credref, pipe_objref: fifo }, () => {
      b.text(R.FILE_NAME, "/run/fifo").add(R.PIPE_BUF);
    }),
  );
  socketPair(b, f_credref, descriptor);
  descriptor(terminal(b, f_credref));
  if (hasEpoll) {
    const epoll = file(b, { f_type: 6, f_credref });
    descriptor(epoll);
    descriptor(
      file(b, { f_type: 7, f_flags: hasDialect ? 0o20002 : 2, f_credref, count: 3n, flags: 1 }, (objref) => {
        if (hasDialect) b.add(R.FILE_OWNER, { file_objref: objref, signum: 10, async: 1 });
      }),
    );
    queues(b, 2);
    b.add(R.EPOLL_ITEMS, { epfile_objref: epoll, num_items: 1 });
    b.buffer(Buffer.concat([b.u32s(1, 0, 0, log, 1, 0)]));
  } else queues(b, 2);
  return table;
}

/** A connected pair: the peer stands inside of the first, so its queues come first. */
function socketPair(b: StreamBuilder, f_credref: number, descriptor: (objref: number) => void): void {
  const socket = {
    socket: { flags: 0n, state: 3 },
    sock_common: { bound_dev_if: 0, reuse: 0, family: 1, state: 1 },
    sock: {
      ...Object.fromEntries(["rcvlowat", "flags", "rcvtimeo", "sndtimeo"].map((field) => [field, 0n])),
      ...Object.fromEntries(
        [
          "err",
          "err_soft",
          "priority",
          "rcvbuf",
          "sndbuf",
          "protocol",
          "shutdown",
          "userlocks",
          "no_check",
        ].map((field) => [field, 0]),
      ),
      type: 1,
      backlog: 0,
      state: 1,
      linger: { onoff: 0, seconds: 0 },
    },
  };
  const first = b.objref("SOCK");
  b.add(R.SOCKET, socket);
  const second = b.objref("SOCK");
  b.add(R.SOCKET, socket).add(R.SOCKET_UNIX, { this: second, peer: first });
  const laddr = Buffer.alloc(110);
  laddr.write(b.dialect.arch.byteOrder === "little-endian" ? "\x01\0relative" : "\0\x01relative", "latin1");
  b.add(R.SOCKET_UNIX, { this: first, peer: second, flags: 1, laddr_len: 11, laddr });
  b.text(R.STRING, "/tmp/");
  descriptor(file(b, { f_type: 4, f_credref, sock_objref: first }));
  descriptor(file(b, { f_type: 4, f_credref, sock_objref: second }));
}

function queues(b: StreamBuilder, sockets: number): void {
  for (let i = 0; i < sockets; i++) {
    b.add(R.SOCKET_QUEUE, { skb_count: 1, total_bytes: 4 });
    if (b.since("db94f5e")) {
      b.add(R.SOCKET_BUFFER, { lin_len: 4, data_offset: 4, frg_len: 4, skb_len: 4, nr_frags: 1 }).buffer(
        Buffer.from("data"),
      );
      b.add(R.SOCKET_FRAG, { size: 4 }).raw(Buffer.alloc(PAGE, 0xff));
    } else b.add(R.SOCKET_BUFFER).buffer(Buffer.from("data"));
    b.add(R.SOCKET_QUEUE);
  }
}

function terminal(b: StreamBuilder, f_credref: number): number {
  const master = b.objref("TTY");
  const reserved = b.number();
  b.add(R.TTY, { driver_type: 4, driver_subtype: 1, file_objref: reserved, index: 3 });
  b.add(R.TTY_LDISC, { datalen: 2 }).buffer(Buffer.from("ls"));
  const slave = b.objref("TTY");
  b.add(R.TTY, { driver_type: 4, driver_subtype: 2, link_objref: master, index: 3, flags: 1n << 18n });
  return file(b, { f_type: 5, f_credref, tty_objref: slave });
}

function memory(b: StreamBuilder, f_credref: number): number {
  const mm = b.objref("MM");
  const exe = file(b, { f_type: 1, f_flags: 0x8000, f_credref }, () => {
    b.text(R.FILE_NAME, "/usr/bin/app");
  });
  b.add(R.MM, {
    map_count: 4,
    exe_objref: exe,
    start_brk: 0x600000n,
    brk: 0x602000n,
    start_stack: 0x7000f000n,
  });
  b.buffer(44 * 8);
  const shared = b.number();
  const at = (vm_start: bigint, vm_end: bigint) => ({ vm_start, vm_end });
  b.add(R.VMA, { vma_type: 3, vma_objref: exe, ...at(0x400000n, 0x402000n), vm_flags: 5n });
  pages(b, []);
  b.add(R.VMA, { vma_type: 2, ...at(0x600000n, 0x602000n), vm_flags: 3n });
  pages(b, [0x600000n, 0x601000n]);
  b.add(R.VMA, {
    vma_type: 4,
    ino_objref: shared,
    ino_size: 8192n,
    ...at(0x700000n, 0x702000n),
    vm_flags: 11n,
  });
  pages(b, [0n]);
  b.add(R.VMA, { vma_type: 1, ...at(0x7fff_f000n, 0x8000_0000n), vm_flags: 5n });
  const { family } = b.dialect.arch;
  if (family !== "powerpc")
    b.add(
      R.MM_CONTEXT,
      family === "x86"
        ? { vdso: 0x7fff_f000n, ldt_entry_size: 8 }
        : family === "s390"
          ? { vdso_base: 0x7fff_f000n }
          : {},
    );
  if (family === "x86") b.add(R.MM_CONTEXT_LDT);
  return mm;
}
