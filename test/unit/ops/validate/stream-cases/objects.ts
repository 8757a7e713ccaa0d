import { R } from "../damaged-stream.js";
import { word64, words } from "./bytes.js";
import { damage, type StreamCase } from "./case.js";

const SIGNED = 1n << 63n;

/** Files, sockets, terminals, System V objects. */
export const objectCases: readonly StreamCase[] = [
  damage(
    "FIELD_VALUE",
    "rich",
    (s) => s.set(R.FILE, { f_type: 8 }, (f) => f.f_type === 1),
    ["STREAM_ORDER", "STREAM_SALVAGED"],
    "file type",
  ),
  damage("FILE_FLAGS", "rich", (s) => s.set(R.FILE, { f_flags: 0x8602 }, (f) => f.f_type === 1)),
  damage("FILE_ACCESS", "rich", (s) => s.set(R.FILE, { f_mode: 1 }, (f) => f.f_type === 1)),
  damage("FILE_POSITION", "logger", (s) => s.set(R.FILE, { f_pos: SIGNED }, (f) => f.f_type === 1)),
  damage("FD_DUPLICATE", "logger", (s) => s.set(R.FILE_DESC, { fd_descriptor: 0 }, 1), []),
  damage("FD_ORDER", "logger", (s) => s.set(R.FILE_DESC, { fd_descriptor: 99 }, 0), []),
  damage("FIELD_VALUE", "logger", (s) => s.set(R.FILE_DESC, { fd_descriptor: -1 }, 0), [], "descriptor -1"),
  damage(
    "FIELD_VALUE",
    "rich",
    (s) => s.set(R.FILE, { count: (1n << 64n) - 1n }, (f) => f.f_type === 7),
    [],
    "eventfd",
  ),
  damage("PIPE_CONTENTS", "rich", (s) => s.payload(s.find(R.PIPE_BUF), Buffer.alloc(65_537))),
  damage("PIPE_KIND", "rich", (s) =>
    s.set(R.FILE, { pipe_objref: -3 }, 1).set(R.FILE, { pipe_objref: -3 }, 2),
  ),
  damage("EPOLL_ITEMS_OF", "rich", (s) => s.set(R.EPOLL_ITEMS, { num_items: 2 }), [], "another number"),
  damage(
    "EPOLL_SELF",
    "rich",
    (s) =>
      s.poke(
        s.find(R.EPOLL_ITEMS) + 1,
        12,
        words(s.image.value(s.find(R.EPOLL_ITEMS), R.EPOLL_ITEMS).epfile_objref),
      ),
    [],
    "itself",
  ),
  damage("SOCKET_STATE", "rich", (s) => s.set(R.SOCKET, { socket: { state: 2 } })),
  damage("FIELD_VALUE", "rich", (s) => s.set(R.SOCKET, { sock: { shutdown: 4 } }), [], "shutdown"),
  damage(
    "SOCKET_NUMBER",
    "rich",
    (s) => s.set(R.SOCKET_UNIX, { this: s.image.value(s.find(R.SOCKET_UNIX, 1), R.SOCKET_UNIX).this }),
    [],
  ),
  damage("SOCKET_NAME", "rich", (s) =>
    s.set(R.SOCKET_UNIX, { raddr_len: 4, raddr: Buffer.alloc(110, 7) }, 1),
  ),
  damage("FIELD_VALUE", "rich", (s) => s.set(R.SOCKET_UNIX, { raddr_len: 111 }, 1), [], "raddr_len of unix"),
  damage("FIELD_VALUE", "sockets", (s) => s.set(R.SOCKET_INET, { raddr_len: 17 }), [], "raddr_len"),
  damage("SOCKET_QUEUES", "sockets", (s) =>
    s.drop(s.find(R.SOCKET_QUEUE, -1)).drop(s.find(R.SOCKET_QUEUE, -1)),
  ),
  damage("QUEUE_BYTES", "rich", (s) => s.set(R.SOCKET_QUEUE, { total_bytes: 5 })),
  damage("PACKET_LENGTHS", "rich", (s) => s.set(R.SOCKET_BUFFER, { data_offset: 5 })),
  damage("FRAGMENT_RANGE", "rich", (s) => s.set(R.SOCKET_FRAG, { offset: 4095, size: 4 })),
  damage("PTY_PAIR", "rich", (s) => s.set(R.TTY, { index: 9 }, 1)),
  damage("FIELD_VALUE", "rich", (s) => s.set(R.TTY, { ldisc: 3 }), [], "ldisc"),
  damage("PTY_DATA", "rich", (s) => s.set(R.TTY_LDISC, { datalen: 3 })),
  damage("IPC_LISTS", "minimal", (s) => s.set(R.IPC, { ipc_type: 505 }, 1)),
  damage("IPC_ID", "rich", (s) => s.set(R.IPC_SEM, { perms: { id: -1 } })),
  damage("FIELD_VALUE", "rich", (s) => s.set(R.IPC_SHM, { mlock_uid: 0 }), [], "mlock_uid"),
  damage("MSG_TYPE", "rich", (s) => s.set(R.IPC_MSG_MSG, { m_type: 0n })),
  damage("MSG_BYTES", "rich", (s) => s.set(R.IPC_MSG, { q_cbytes: 6n }), [], "the sum"),
  damage("SEM_VALUES", "rich", (s) => s.poke(s.find(R.IPC_SEM) + 1, 0, words(-1))),

  damage("MM_RANGES", "rich", (s) => s.set(R.MM, { start_code: 2n, end_code: 1n })),
  damage("MM_VECTOR", "rich", (s) => s.payload(s.find(R.MM) + 1, Buffer.alloc(8))),
  damage(
    "VMA_OVERLAP",
    "rich",
    (s) => s.set(R.VMA, { vm_start: 0x401000n, vm_end: 0x602000n }, 1),
    [],
    "overlapping",
  ),
  damage("VMA_RANGE", "rich", (s) => s.set(R.VMA, { vm_end: 0x401fffn }), [], "no page"),
  damage("VMA_TYPE", "rich", (s) => s.set(R.VMA, { ino_objref: 900 }, 1), [], "an inode of anonymous memory"),
  damage("VMA_SHARED", "rich", (s) => s.set(R.VMA, { vm_flags: 3n }, 2)),
  damage("VMA_FLAGS", "rich", (s) => s.set(R.VMA, { vm_flags: 0x200003n }, 1)),
  damage("VMA_CONTENTS", "rich", (s) =>
    s
      .insert(s.find(R.MM_CONTEXT), R.VMA, {
        vma_type: 5,
        ino_objref: 901,
        vm_start: 0x8000_0000n,
        vm_end: 0x8000_1000n,
        vm_flags: 11n,
      })
      .set(R.MM, { map_count: 5 }),
  ),
  damage("VMA_VDSO", "rich", (s) => s.set(R.MM_CONTEXT, { vdso: 0x1000n })),
  damage(
    "PAGE_KEYS",
    "rich",
    (s) => s.poke(s.find(R.PGARR, (f) => f.nr_pages === 2n) + 1, 8, word64(0x700000n)),
    [],
    "outside",
  ),
  damage(
    "PAGE_KEYS",
    "rich",
    (s) => s.poke(s.find(R.PGARR, (f) => f.nr_pages === 2n) + 1, 8, word64(0x600000n)),
    [],
    "twice",
  ),
  damage(
    "PAGE_KEYS",
    "rich",
    (s) => s.poke(s.find(R.PGARR, (f) => f.nr_pages === 1n) + 1, 0, word64(2n)),
    [],
    "behind the end of a segment",
  ),

  damage("CPU_SEGMENT", "rich", (s) => s.set(R.CPU, { ss: 0x4003 })),
  damage("CPU_FLAGS", "rich", (s) => s.set(R.CPU, { flags: 0x3202n })),
  damage("CPU_BASE", "rich", (s) => s.set(R.CPU, { fs: 1n, fsindex: 4 })),
  damage("FPU_LENGTH", "rich", (s) => s.payload(s.find(R.CPU_FPU), Buffer.alloc(520))),
  damage("THREAD_TLS", "rich", (s) => s.poke(s.find(R.THREAD), 0, word64(1n << 53n))),
  damage("LDT_LENGTH", "rich", (s) => s.set(R.MM_CONTEXT, { nldt: 1 })),

  damage("SIGNAL_ACTIONS", "rich", (s) => s.payload(s.find(R.SIGHAND), Buffer.alloc(32))),
  damage("SIGNAL_QUEUE", "rich", (s) => s.poke(s.find(R.SIGPENDING), 0, words(65))),
  damage("SIGPENDING_LENGTH", "rich", (s) => s.poke(s.find(R.SIGPENDING), 4, words(4096))),
  damage("RLIMIT_RANGE", "rich", (s) => {
    const { rlim } = s.image.value(s.find(R.SIGNAL), R.SIGNAL);
    return s.set(R.SIGNAL, {
      rlim: rlim.map((limit, i) => (i === 3 ? { rlim_cur: 9n, rlim_max: 8n } : limit)),
    });
  }),
  damage("FIELD_VALUE", "rich", (s) => s.set(R.SIGNAL, { it_prof_value: SIGNED }), [], "prof"),
  damage("SIGNAL_TERMINAL", "tree", (s) => s.set(R.SIGNAL, { tty_objref: 5 }, -1), ["OBJECT_REFERENCE"]),
];
