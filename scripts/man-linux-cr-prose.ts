// Text of crimg-linux-cr(5) besides the tables.

export const DESCRIPTION = `Linux-cr was a set of kernel patches with the system calls checkpoint and restart, never
merged; user-cr has its programs. A checkpoint is one stream of records, written and read strictly forward, so that it
can be piped. There is no index and no checksum.

Sources of this page:

- Sizes and offsets in RECORDS and STRUCTURES are those of the header files of user-cr, measured with a compiler.
- The order of the records is that of the published kernel patches of v18 to v21, and of the programs of user-cr. Patches
of v22 and v23, of which only the headers are known, are read in the same order.
- RECORDS KNOWN ONLY BY THEIR HEADER: no code that writes them was found; the records after them are a guess.
- No image written by such a kernel was available, and no such kernel to restart one.
- CRIMG EXTENSION RECORDS were defined for crimg. No kernel wrote them.

\`crimg info\` and \`crimg show\` show whether an image has only the records of the header files, or crimg extension
records, and of which version and command.

crimg keeps padding, records of unknown ids and bytes after the end.`;

export const FRAMING = `Each record starts with 8 bytes:

  0  u32  type  the id of the record
  4  u32  len   bytes of the whole record, including these 8

Records are neither aligned nor separated. Some have lengths like 13 or 73, so a record can start at any offset; offsets
on this page are relative to the start of the record.

All numbers have the byte order of the checkpointed machine, except \`arch_id\` in HEADER, which is always
little-endian. The first 8 bytes determine the order:

  01 00 00 00 48 00 00 00  little-endian
  00 00 00 01 00 00 00 48  big-endian

Data of variable length has three forms: inside a record, by its len; as a BUFFER, STRING or FILE_NAME after it; and, only
after SOCKET_FRAG, as one page without a record header.

A complete image ends with TAIL. A failed checkpoint ends anywhere with ERROR and a STRING, which is a NUL followed by the
message.`;

export const OBJECTS = `A shared object is written once: an OBJREF with the type of the object and its objref, followed by the
records of the object. Later references use the objref; 0 is none.

An OBJREF with its object may precede any record, including the main record of another object. Credentials, for example,
are OBJREF (of CRED), OBJREF, GROUPINFO, OBJREF, USER, CRED.

Objrefs start at 1 and are unique. In an image of a subtree they increase along the stream, with gaps; in one of a whole
container they may be in any order. INODE, SIGNAL, MNT_NS, SECURITY_PTR and PID have objrefs, but are not declared by an
OBJREF: for example, both ends of a pipe have the same \`pipe_objref\`.

The types of objects are numbered by revision. The head of a column is the first header set that it applies to:`;

export const ORDER = `A name in capitals is one record; [ ] is optional, { } is repeated any number of times. An OBJREF with its
object precedes the record that first needs it and is omitted here.

  image   := head { task } TAIL
  head    := HEADER BUFFER BUFFER BUFFER HEADER_ARCH CONTAINER
  ..         [ BUFFER LSM_INFO ] [ PIDS BUFFER ] TREE BUFFER
  task    := TASK STRING [ thread objects private ]
  thread  := THREAD RESTART_BLOCK CPU [ CPU_FPU ]
  objects := TASK_CREDS TASK_NS TASK_OBJS [ SIGNAL SIGPENDING ]
  private := SIGPENDING SIGNAL_TASK
  FILE_TABLE := FILE_TABLE { FILE_DESC }
  ..         { EPOLL_ITEMS [ BUFFER ] | queue queue }
  queue   := SOCKET_QUEUE { SOCKET_BUFFER BUFFER { SOCKET_FRAG page } }
  FILE    := FILE [ FILE_NAME ] [ PIPE_BUF ]
  SOCK    := SOCKET ( SOCKET_UNIX [ STRING ] | SOCKET_INET )
  TTY     := TTY [ TTY_LDISC [ BUFFER ] ]
  MM      := MM BUFFER { VMA [ pages ] } MM_CONTEXT [ MM_CONTEXT_LDT ]
  FS      := FS FILE_NAME FILE_NAME
  IPC_NS  := IPC_NS IPC { IPC_SHM pages }
  ..         IPC { IPC_MSG { IPC_MSG_MSG { BUFFER } } }
  ..         IPC { IPC_SEM [ BUFFER ] }
  SECURITY := SECURITY STRING

For crimg extension records between these see CRIMG EXTENSION RECORDS.

Tasks are in the order of the array after TREE. A zombie (\`exit_state\` not 0) has only its name. In images of v18 the
objects precede the thread. SIGNAL is with the first task of its \`signal_objref\`, PIPE_BUF with the first end of its
pipe; a terminal that was hung up has no TTY_LDISC.

Records at the end of a descriptor table are in the order of the files and sockets. A socket has two queues, receive and
send; a listening or dead socket has none.`;

export const PAGES = `The pages of a VMA or IPC_SHM are pairs of PGARR and one BUFFER, followed by a PGARR of 0 pages, which is present even if
no pages were saved:

  PGARR   n
  BUFFER  n addresses, then n pages

An address has the size of a long of the kernel (see ARCHITECTURES). For private mappings it is the virtual address, for
shared memory the index of the page in the object. The page size is not stored: it follows from the length of the BUFFER.`;

export const REVISION = `Ids and layouts of records have changed over time. user-cr imported the headers of the kernel 17 times; crimg
identifies each of these header sets by its commit. \`rev\` in HEADER does not distinguish them:`;

export const TELLING_APART = `crimg combines these signs and keeps the header sets that match all of them. If several are left, the
newest is used:

- \`rev\` in HEADER, the byte order, and \`arch_id\`.
- The size of auxv in HEADER: above 128 it is in bytes (before 67cfee9), else in entries.
- A BUFFER of 11 bytes after CONTAINER: d55d4c8 or later.
- Id 101 after it with 24 bytes is PIDS (b6cdf01 or later), with 16 bytes TREE.
- Before PIDS: 24 or 32 bytes per task after TREE, and then a record 118 (VPIDS).
- The length of each record, compared with those of a header set for its id. TASK has 72, 64 or 80 bytes, CPU of x86
240 or 192, VMA 72 or 80, TTY 72 or 96.
- The size of a siginfo in SIGPENDING: 48, or 88 since f0fdd38.

A sign that contradicts all others is reported as a doubt and ignored.`;

export const ARCHITECTURE = `HEADER.arch_id is the architecture, numbered by revision. Only HEADER_ARCH, THREAD, CPU, MM_CONTEXT, the records
after these, and the addresses before pages depend on the architecture: in parentheses the byte order and the size of
such an address. The head of a column is the first header set that it applies to:`;

export const ABOUT_RECORDS = `One entry per record, with its newest id in parentheses. The newest layout comes first. A layout applies until the next
newer one; bytes without a field are padding, written as zeros. Types: u and s with a number are unsigned and signed
integers of that many bits; le16 and be32 have a fixed byte order; other names are structures, see below.`;

export const ABOUT_STRUCTURES = `Structures without a record header, in records and BUFFERs. Offsets are relative to the start of the structure.`;

export const ABOUT_HEADER_ONLY = `Uncertain: only the fields of these records are known, from the header files. The records that crimg expects after them
are a guess.`;

export const ABOUT_DIALECT = `Not linux-cr: file locks, leases, owners of files and unlinked files came to linux-cr in patches whose record ids and
layouts were, as far as known, not published. It is known that a checkpoint stores for each descriptor the number of its
locks and then each lock; that a lease has fl_type, fl_type_prev, fl_flags and fl_rem_lease, the last in whole seconds and
only for a breaking lease; and that an unlinked file was linked again with another name.

The ids and layouts below are those of crimg. A stream written by a kernel with those patches may have other records with
these ids. Tools that skip records by their len can skip these.

Positions:

  FILE_DESC [ FILE_LOCKS { FILE_LOCK } ]
  FILE FILE_NAME [ FILE_UNLINKED [ FILE_NAME ] { BUFFER } ] [ PIPE_BUF ] [ FILE_OWNER ]

FILE_LOCKS follows each FILE_DESC directly; it is absent only if no descriptor of the image has a lock. A POSIX lock belongs
to the descriptor table and is repeated for every descriptor of the file in the same table: identical repeats are one lock.
A flock(2) lock, an OFD lock or a lease belongs to its FILE: it is with one descriptor of that FILE or, as shown by the
kernel, with each. FILE_OWNER follows the last record of its FILE defined by linux-cr.

Locks: \`fl_type\` is 0 for reading, 1 for writing; 16 is added for a breaking lease, which then has its target type in
\`fl_type\` and its current one in \`fl_type_prev\`. \`fl_flags\` is 1 for a POSIX lock, 2 for flock(2), 32 for a lease, and
1025 (1 and the kernel's FL_OFDLCK, 1024) for an OFD lock, whose \`owner_ref\` is the FILE. Remaining times are in whole
seconds from the start of the checkpoint, and not negative. A task that waits for a lock has no record: its system call
is restarted.

FILE_UNLINKED follows the FILE_NAME, which has the original name without a mark. It is followed by, depending on \`method\`:

  1  relink    FILE_NAME of the link, from the root of its file system
  2  contents  nr_chunks BUFFERs, each a u64 offset and data, without holes
  3  copy      FILE_NAME of the copy, from the root of the container

A stopped task has \`TASK.state\` 4, TASK_STOPPED of the kernel.`;

export const ABOUT_EXTENSIONS = `State of processes that linux-cr has no records for. The ids 20000 to 20999 are reserved for these records in all header
sets. Tools that skip records by their len can skip these, and lose that state.

Positions, in any order within a line:

  after the BUFFER of TREE:  EXTENSIONS, CLOCKS, CGROUP_SET, SECCOMP_FILTER
  after SIGNAL_TASK:         TASK_EXTRA, RSEQ, XSTATE, POSIX_TIMER
  at the end of an IPC_NS:   IPC_NS_EXTRA
  at the end of an FS:       FS_EXTRA
  at the end of a FILE:      FILE_IDENTITY, PIPE_STATE, OPENED_NAME, UNLINKED_EXTRA,
  ..                         TIMERFD, SIGNALFD, MEMFD [ pages ],
  ..                         INOTIFY { INOTIFY_WATCH }
  at the end of a SOCK:      SOCKET_EXTRA, TCP_EXTRA
  instead of SOCKET_INET:   SOCKET_NETLINK, SOCKET_PACKET
  at the end of a packet:    PACKET_RIGHTS
  at the end of a TTY:       TTY_EXTRA
  after a VMA, before pages: VMA_EXTRA [ SYSV_SEGMENT ]
  at the end of an MM:       GUARD_PAGES, one for each range

EXTENSIONS is the first. Records common to all threads of a task (POSIX_TIMER) are with its leader. FILE has four more
types, without a FILE_NAME: \`f_type\` 1001 is TIMERFD, 1002 SIGNALFD, 1003 MEMFD, 1004 INOTIFY, each with the record of that
name. The pages of a MEMFD are with the first file of its \`inode_objref\`; its mappings have \`vma_type\` 6 (shared) or 3
(private) and the FILE in \`vma_objref\`. The VMAs vvar and vsyscall have \`vma_type\` 0 and a VMA_EXTRA with their kind.

The families 16 (netlink) and 17 (packet) have their own record after SOCKET. The queues of a TCP connection have the
unread data, and the unacknowledged and unsent data from \`tcp.snd_una\` on; with TCP_EXTRA and the fields of \`tcp\` this is
the state for TCP_REPAIR of tcp(7). The contents of a deleted file that several FILEs have open are with the first of them;
UNLINKED_EXTRA has the same \`inode_objref\` in all.

The payload of XSTATE is \`nr_components\` times an \`xstate_component\` and its bytes; that of SECCOMP_FILTER an array of
struct sock_filter; of FILE_IDENTITY the GNU build id; of TTY_EXTRA the \`termios\` of TIOCGLCKTRMIOS, ioctl_tty(2); of
CGROUP_SET lines of \`controller:path\`. All times are relative to the start of the checkpoint. The size of the fixed part is
a multiple of 8 bytes; the payload is not padded.

Versions: this page describes version 1. A later version may add fields after the fixed part of records without payload,
which are then longer, and new ids, which are never followed by records of other ids. A reader ignores unknown fields and
skips unknown ids; crimg keeps both when it edits. If an image depends on them, it has a newer \`oldest_reader\`, and a reader
of an older version must reject it.`;
