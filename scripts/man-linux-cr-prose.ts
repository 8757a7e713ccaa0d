// What crimg-linux-cr(5) says beyond the tables.

export const DESCRIPTION = `Linux-cr was a set of kernel patches with the system calls checkpoint and restart, never
merged; user-cr are its programs. A checkpoint is one stream of records, written and read strictly forward, so that it
may go through a pipe. There is no index and no checksum.

How well each part of this page is founded:

- Sizes and offsets in RECORDS and STRUCTURES are those of the header files of user-cr, measured with a compiler.
- The order of the records is that of the kernel patches of v18 to v21 as they were mailed, and of the programs of
user-cr. Patches of v22 and v23 that only the headers show are read in the same order.
- RECORDS KNOWN BY THEIR HEADER ALONE: no code that writes them was found; what stands behind them is a guess.
- No image that a kernel wrote was at hand, and no such kernel to restart one.
- RECORDS OF OUR DIALECT were defined for crimg. No kernel wrote them.
- EXTENSION RECORDS are crimg's own as well: what processes of today have and the header files have no place for.

\`crimg info\` and \`crimg show\` say of an image whether it is as the header files have it, which records of the
dialect it uses, and which extension records of which version by which command.

crimg keeps padding, records of unknown ids and bytes after the end as they are.`;

export const FRAMING = `Each record begins with 8 bytes:

  0  u32  type  the id of the record
  4  u32  len   bytes of the whole record, these 8 included

Nothing aligns or parts the records. Some have lengths like 13 or 73, so a record can begin at any offset; offsets on
this page count from the start of the record.

All numbers have the byte order of the machine that was checkpointed, with one exception: \`arch_id\` in HEADER is always
little-endian. The first 8 bytes tell the order:

  01 00 00 00 48 00 00 00  little-endian
  00 00 00 01 00 00 00 48  big-endian

Data of variable length comes in three forms: inside of a record, counted by its len; as a BUFFER, STRING or FILE_NAME
behind it; and, after SOCKET_FRAG alone, as one page of bytes without a record header.

A complete image ends with TAIL. A checkpoint that failed ends with ERROR and a STRING, anywhere. The STRING begins with
a NUL, then comes the message.`;

export const OBJECTS = `What tasks or structures can share is written once: an OBJREF with the kind of the object and its
number, and right behind it the records of the object. From then on the number (objref) stands for it; 0 is none.

An OBJREF with its object may stand before any record, also before the main record of another object: credentials, for
one, are OBJREF (of CRED), OBJREF, GROUPINFO, OBJREF, USER, CRED.

Numbers count from 1 and none is used twice. In an image of a subtree they rise along the stream, with gaps; in one of a
whole container they need not rise. INODE, SIGNAL, MNT_NS, SECURITY_PTR and PID take numbers, but no OBJREF announces
them: both ends of a pipe, for one, name the same \`pipe_objref\`.

The kinds of objects are numbered by revision. A column is headed by the first header set that it holds for:`;

export const ORDER = `A name in capitals is one record; [ ] may be missing, { } comes any number of times. An OBJREF with its
object stands before the record that first needs it and is left out here.

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

Records of crimg's own stand between these; RECORDS OF OUR DIALECT and EXTENSION RECORDS say where.

Tasks come in the order of the array behind TREE. A zombie (\`exit_state\` not 0) has its name alone. Images of v18 have
the objects before the thread. SIGNAL comes with the first task that names its \`signal_objref\`, PIPE_BUF with the first
end of its pipe; TTY_LDISC is missing for a terminal that was hung up.

What a descriptor table defers to its end comes in the order in which the files and sockets were written. A socket
has two queues, received and to be sent; one that listens or is dead has none.`;

export const PAGES = `The pages of a VMA or IPC_SHM are pairs of PGARR and one BUFFER, and in the end a PGARR of 0 pages, which is there
also when nothing was saved:

  PGARR   n
  BUFFER  n addresses, then n pages

An address has the size of a long of the kernel that wrote the image (see ARCHITECTURES). For private mappings it is the
virtual address, for shared memory the index of the page in the object. The size of a page is nowhere in the image: it
follows from the length of the BUFFER.`;

export const REVISION = `A record has changed its id and its layout over the years. user-cr took over the headers of the kernel
17 times; crimg knows each of these header sets by its commit. \`rev\` in HEADER does not tell them apart:`;

export const TELLING_APART = `crimg takes these signs together and keeps the header sets that fit all of them. When several are left,
they differ in nothing that these signs show, and the newest is used:

- \`rev\` in HEADER, the byte order, and \`arch_id\`.
- The size of auxv in HEADER: above 128 it counts bytes (before 67cfee9), else entries.
- A BUFFER of 11 bytes after CONTAINER: d55d4c8 or later.
- Id 101 after it with 24 bytes is PIDS (b6cdf01 or later), with 16 bytes TREE.
- Before PIDS: 24 or 32 bytes a task behind TREE, and a record 118 behind that (VPIDS).
- The length of each record, against the lengths that a header set gives its id. TASK has 72, 64 or 80 bytes, CPU of x86
240 or 192, VMA 72 or 80, TTY 72 or 96.
- The bytes a siginfo in SIGPENDING takes: 48, or 88 from f0fdd38 on.

A sign that contradicts all others is a doubt, and is not followed.`;

export const ARCHITECTURE = `HEADER.arch_id names the architecture, numbered by revision. Only HEADER_ARCH, THREAD, CPU, MM_CONTEXT and what
follows these differ between architectures, and the addresses before pages: in parentheses the byte order and the
bytes of such an address. A column is headed by the first header set that it holds for:`;

export const ABOUT_RECORDS = `One entry a record, its newest id in parentheses. The newest layout comes first. A layout holds until the next newer
one; what no field covers is padding, written as zeros. Types: u and s with a number are unsigned and signed integers of
so many bits; le16 and be32 have that byte order in every image; another name is that of a structure, below.`;

export const ABOUT_STRUCTURES = `Structures without a record header, which stand in records and BUFFERs. Offsets count from the start of the
structure.`;

export const ABOUT_HEADER_ONLY = `Uncertain: the header files name these records and give the fields, and that is all that was found. crimg reads the
fields; what it expects behind them is a guess.`;

export const ABOUT_DIALECT = `Not linux-cr: file locks, leases, owners of files and unlinked files came to linux-cr in patches whose record ids and
layouts are not public, as far as could be found. What is public is that a checkpoint stores for each descriptor the
number of its locks and then each lock; that a lease has fl_type, fl_type_prev, fl_flags and fl_rem_lease, the last in
whole seconds and only while the lease is being broken; and that an unlinked file was linked again under another name.

crimg gives these facts the ids and layouts below. A stream that a kernel wrote with those patches may hold other records
under these ids. Tools that walk records by their len pass over ours.

Where they stand:

  FILE_DESC [ FILE_LOCKS { FILE_LOCK } ]
  FILE FILE_NAME [ FILE_UNLINKED [ FILE_NAME ] { BUFFER } ] [ PIPE_BUF ] [ FILE_OWNER ]

FILE_LOCKS stands right behind each FILE_DESC, and is missing only where no descriptor of the image holds a lock. A POSIX
lock belongs to the descriptor table and is repeated under every descriptor of the file in the same table: identical
repeats are one lock. A lock of flock(2) or of an open file description, or a lease, belongs to its FILE: it stands under one
descriptor of that FILE or, as the kernel shows it, under each. FILE_OWNER stands behind the last record of its FILE that
linux-cr has.

Locks: \`fl_type\` is 0 for reading, 1 for writing; 16 is added while a lease is being broken, then it is the type that the
lease becomes, and \`fl_type_prev\` the one that is held. \`fl_flags\` is 1 for a POSIX lock, 2 for flock(2), 32 for a lease, and
1025 (1 and the kernel's FL_OFDLCK, 1024) for a lock of an open file description, whose \`owner_ref\` is the FILE. Remaining
times count in whole seconds from the start of the checkpoint, and are never below 0. A task that waits for a lock has no
record: its call is started again.

FILE_UNLINKED stands behind the FILE_NAME, which keeps the original name without a mark. By \`method\` follows:

  1  relink    FILE_NAME of the link, from the root of its file system
  2  contents  nr_chunks BUFFERs, each a u64 offset and data; holes are left out
  3  copy      FILE_NAME of the copy, from the root of the container

A task that was stopped has \`TASK.state\` 4, the TASK_STOPPED of the kernel.`;

export const ABOUT_EXTENSIONS = `What processes of today have and streams of 2011 have no record for. The ids 20000 to 20999 are kept for these records,
the same in all header sets. A tool that walks records by their len passes over them, and loses what they say.

Where they stand, in any order within a line:

  after the BUFFER of TREE:  EXTENSIONS, CLOCKS, CGROUP_SET, SECCOMP_FILTER
  after SIGNAL_TASK:         TASK_EXTRA, RSEQ, XSTATE, POSIX_TIMER
  at the end of an IPC_NS:   IPC_NS_EXTRA
  at the end of an FS:       FS_EXTRA
  at the end of a FILE:      FILE_IDENTITY, PIPE_STATE, OPENED_NAME, UNLINKED_EXTRA,
  ..                         TIMERFD, SIGNALFD, MEMFD [ pages ],
  ..                         INOTIFY { INOTIFY_WATCH }
  at the end of a SOCK:      SOCKET_EXTRA, TCP_EXTRA
  in place of SOCKET_INET:   SOCKET_NETLINK, SOCKET_PACKET
  at the end of a packet:    PACKET_RIGHTS
  at the end of a TTY:       TTY_EXTRA
  after a VMA, before pages: VMA_EXTRA [ SYSV_SEGMENT ]

EXTENSIONS comes first. Those of a task that all its threads share (POSIX_TIMER) stand with its leader. FILE has four
kinds more, which have no FILE_NAME: \`f_type\` 1001 is TIMERFD, 1002 SIGNALFD, 1003 MEMFD, 1004 INOTIFY, and the record of that
name says the rest. The pages of a MEMFD come with the first file of its \`inode_objref\`; mappings of it are of \`vma_type\` 6
(shared) or 3 (private) with the FILE in \`vma_objref\`. The areas vvar and vsyscall have \`vma_type\` 0 and a VMA_EXTRA that
names them.

The families 16 (netlink) and 17 (packet) have a record of their own behind SOCKET. The queues of a TCP connection hold
what was received and not read, and what was sent and not acknowledged or never sent, from \`tcp.snd_una\` on; with TCP_EXTRA
and the fields of \`tcp\` that is what TCP_REPAIR of tcp(7) asks for. The contents of a deleted file that several FILEs have
open stand with the first of them; UNLINKED_EXTRA has the same \`inode_objref\` in all.

The payload of XSTATE is \`nr_components\` times an \`xstate_component\` and its bytes; that of SECCOMP_FILTER an array of
struct sock_filter; of FILE_IDENTITY the GNU build id; of TTY_EXTRA the \`termios\` of TIOCGLCKTRMIOS, ioctl_tty(2); of
CGROUP_SET lines of \`controller:path\`. All times count from the start of the checkpoint. The fixed part has a multiple of 8
bytes; what stands behind it is not padded.

Versions: this page describes version 1. A later version may add fields behind the fixed part of records without payload,
which then are longer, and new ids, which never have records of other ids behind them. A reader ignores the fields and
passes over the ids that it does not know; crimg keeps both when it edits. An image whose meaning depends on them says
so with \`oldest_reader\`: a reader that knows only older versions refuses it.`;
