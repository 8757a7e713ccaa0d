"""A Python program with descriptors of every kind that both families of images hold, and System V objects. Started with
NAMESPACES=host in its environment it does without the objects and without namespaces of its own.

Every tick it looks at all of them (options, names, offsets, what waits in queues, who is at the other end) and logs
`tick N ok`, or what is not as it was when it logged `ready`. What it reads from a queue it puts in again.

 * log: log
 * criu dump: --file-locks
 * criu restore: --file-locks
"""
import ctypes
import fcntl
import os
import pty
import select
import signal
import socket
import struct
import sys
import termios
import time

os.chdir(sys.argv[1])
log = open("log", "a", buffering=1)
signal.signal(signal.SIGIO, signal.SIG_IGN)
libc = ctypes.CDLL(None, use_errno=True)
own_namespaces = os.environ.get("NAMESPACES") != "host"
if own_namespaces:
    # IPC and UTS namespaces, without which criu does not look at System V objects.
    libc.unshare(0x08000000 | 0x04000000)
    socket.sethostname("endpoints")
OPTIONS = ("SO_TYPE SO_SNDBUF SO_RCVBUF SO_REUSEADDR SO_REUSEPORT SO_KEEPALIVE SO_BROADCAST SO_OOBINLINE SO_RCVLOWAT"
           " SO_PRIORITY SO_DONTROUTE SO_ACCEPTCONN").split()
checks = {}


def check(name):
    """The function is called now and every tick; what it gives must stay the same."""
    def keep(look):
        checks[name] = (look, look())
        return look
    return keep


def options_of(one):
    names = [*OPTIONS, "SO_PASSCRED"] if one.family == socket.AF_UNIX else OPTIONS
    values = [one.getsockopt(socket.SOL_SOCKET, getattr(socket, name)) for name in names]
    times = [one.getsockopt(socket.SOL_SOCKET, name, 16) for name in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO)]
    linger = one.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
    return values, times, linger, one.getsockname(), fcntl.fcntl(one, fcntl.F_GETFL)


def drain(one):
    """All messages that wait, which the peer sends again."""
    messages = []
    while True:
        try:
            messages.append(one.recv(1000, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return messages


def keep_pair(name, kind):
    one, two = socket.socketpair(socket.AF_UNIX, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 50_000)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("qq", 3, 500_000))
    two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
    two.setblocking(False)
    for number in range(3):
        one.send(b"to two %d" % number)
        two.send(b"to one %d" % number)

    def rotate(end, other):
        messages = drain(end)
        for message in messages:
            other.send(message)
        return b"".join(messages) if kind == socket.SOCK_STREAM else messages

    check(name)(lambda: (rotate(one, two), rotate(two, one), options_of(one), options_of(two)))


keep_pair("stream pair", socket.SOCK_STREAM)
keep_pair("datagram pair", socket.SOCK_DGRAM)
keep_pair("sequenced pair", socket.SOCK_SEQPACKET)


def keep_listener(name, family, address, prepare=lambda one: None, more=lambda one: None):
    listener = socket.socket(family)
    prepare(listener)
    listener.bind(address)
    listener.listen(7)
    listener.setblocking(False)
    where = listener.getsockname()

    @check(name)
    def serve():
        client = socket.socket(family)
        client.connect(where)
        server = listener.accept()[0]
        client.send(b"hello")
        answer = server.recv(10)
        client.close()
        server.close()
        return answer, options_of(listener), more(listener)


keep_listener("listener by path", socket.AF_UNIX, os.path.abspath("listener.sock"))
keep_listener("listener by relative path", socket.AF_UNIX, "relative.sock")
keep_listener("listener by abstract name", socket.AF_UNIX, b"\0crimg-endpoints-%d" % os.getpid())


def prepare_tcp(one):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5))
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 11)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)


def tcp_options(one):
    names = (socket.TCP_NODELAY, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    return [one.getsockopt(socket.IPPROTO_TCP, name) for name in names]


keep_listener("TCP listener", socket.AF_INET, ("127.0.0.1", 0), prepare_tcp, tcp_options)
keep_listener("IPv6 listener", socket.AF_INET6, ("::1", 0),
              lambda one: one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1),
              lambda one: one.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY))

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 9)
udp.bind(("127.0.0.1", 0))
connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
connected.connect(udp.getsockname())


@check("UDP")
def udp_works():
    connected.send(b"datagram")
    text = udp.recv(100)
    ttl = udp.getsockopt(socket.IPPROTO_IP, socket.IP_TTL)
    return text, ttl, options_of(udp), options_of(connected), connected.getpeername()


owned, other_end = socket.socketpair()
# criu does not dump a queue of such a socket.
owned.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
fcntl.fcntl(owned, fcntl.F_SETOWN, os.getpid())
fcntl.fcntl(owned, 10, signal.SIGRTMIN + 5)  # F_SETSIG
signal.signal(signal.SIGRTMIN + 5, signal.SIG_IGN)
fcntl.fcntl(owned, fcntl.F_SETFL, fcntl.fcntl(owned, fcntl.F_GETFL) | os.O_ASYNC)
check("owner of signals")(
    lambda: (fcntl.fcntl(owned, fcntl.F_GETOWN), fcntl.fcntl(owned, 11), options_of(owned)))

reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 16384)
os.write(writer, b"in the pipe")
os.mkfifo("fifo")
fifo = os.open("fifo", os.O_RDWR | os.O_NONBLOCK)
os.write(fifo, b"in the fifo")


def through(source, target):
    text = os.read(source, 100)
    os.write(target, text)
    return text, fcntl.fcntl(source, fcntl.F_GETPIPE_SZ)


check("pipe")(lambda: through(reader, writer))
check("fifo")(lambda: through(fifo, fifo))

kept = os.open("kept", os.O_RDWR | os.O_CREAT, 0o640)
os.write(kept, b"0123456789")
again = os.dup(kept)
os.lseek(kept, 3, os.SEEK_SET)
fcntl.flock(kept, fcntl.LOCK_EX)


@check("file with a lock")
def file_is_locked():
    fresh = os.open("kept", os.O_RDWR)
    try:
        fcntl.flock(fresh, fcntl.LOCK_SH | fcntl.LOCK_NB)
        held = False
    except BlockingIOError:
        held = True
    os.close(fresh)
    return held, os.lseek(kept, 0, os.SEEK_CUR), os.lseek(again, 0, os.SEEK_CUR), os.pread(kept, 20, 0)


gone = os.open("gone", os.O_RDWR | os.O_CREAT, 0o604)
os.write(gone, b"contents of a file without a name")
os.pwrite(gone, b"end", 10_000_000)
twin = os.open("gone", os.O_RDONLY)
os.link("gone", "left")
os.unlink("gone")
os.unlink("left")


@check("deleted file")
def deleted_file():
    one, two = os.fstat(gone), os.fstat(twin)
    same = (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino)
    sparse = one.st_blocks * 512 < 100_000
    return (same, sparse, one.st_size, one.st_mode, one.st_nlink, os.pread(twin, 33, 0), os.pread(twin, 9, 9_999_998),
            os.lseek(gone, 0, os.SEEK_CUR), int(one.st_mtime))


memory = os.memfd_create("endpoints", os.MFD_ALLOW_SEALING)
os.write(memory, b"m" * 5000)
os.pwrite(memory, b"last", 100_000)
fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
check("memory file")(lambda: (os.lseek(memory, 0, os.SEEK_CUR), os.fstat(memory).st_size, os.pread(memory, 9, 4996),
                              os.pread(memory, 9, 99_998), fcntl.fcntl(memory, fcntl.F_GET_SEALS)))

counter = os.eventfd(5, os.EFD_NONBLOCK)


@check("eventfd")
def count():
    value = os.eventfd_read(counter)
    os.eventfd_write(counter, value)
    return value


epoll = select.epoll()
epoll.register(reader, select.EPOLLIN)
epoll.register(counter, select.EPOLLIN | select.EPOLLOUT)
epoll.register(udp.fileno(), select.EPOLLIN)
check("epoll")(lambda: sorted(epoll.poll(0)))

master, unnamed = pty.openpty()
slave = os.open(os.ttyname(unnamed), os.O_RDWR | os.O_NOCTTY)
os.close(unnamed)
modes = termios.tcgetattr(slave)
modes[3] &= ~(termios.ICANON | termios.ECHO)
modes[6][termios.VMIN] = 2
termios.tcsetattr(slave, termios.TCSANOW, modes)
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 31, 99, 0, 0))
os.write(master, b"typed")


@check("terminal")
def terminal():
    text = os.read(slave, 100)
    os.write(master, text)
    size = fcntl.ioctl(slave, termios.TIOCGWINSZ, bytes(8))
    return text, size, termios.tcgetattr(slave), os.ttyname(slave)


os.mkdir("watched")
watches = libc.inotify_init1(os.O_NONBLOCK)
libc.inotify_add_watch(watches, b"watched", 0x100)  # IN_CREATE


@check("inotify")
def events():
    path = "watched/entry"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    os.unlink(path)
    return os.read(watches, 1000)


if own_namespaces:
    libc.shmat.restype = ctypes.c_void_p
    libc.shmat.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
    segment = libc.shmget(0x63726d67, 10_000, 0o1640)
    shared = libc.shmat(segment, None, 0)
    ctypes.memmove(shared + 5000, b"in the segment", 14)
    queue = libc.msgget(0x63726d68, 0o1600)
    semaphores = libc.semget(0x63726d69, 3, 0o1600)
    for number, value in enumerate((4, 0, 9)):
        libc.semctl(semaphores, number, 16, value)  # SETVAL

    def send(kind, text):
        return libc.msgsnd(queue, struct.pack("l", kind) + text, len(text), 0)

    send(3, b"short")
    send(4, b"long" * 1500)

    @check("System V objects")
    def system_v():
        messages = []
        for _ in range(2):
            buffer = ctypes.create_string_buffer(8 + 8000)
            length = libc.msgrcv(queue, buffer, 8000, 0, 0)
            messages.append((struct.unpack("l", buffer.raw[:8])[0], buffer.raw[8:8 + length]))
        for kind, text in messages:
            send(kind, text)
        values = [libc.semctl(semaphores, number, 12) for number in range(3)]  # GETVAL
        same = [libc.shmget(0x63726d67, 0, 0), libc.msgget(0x63726d68, 0), libc.semget(0x63726d69, 0, 0)]
        return messages, values, same == [segment, queue, semaphores], ctypes.string_at(shared + 4990, 30)


check("host name")(socket.gethostname)

log.write("ready\n")
tick = 0
while True:
    tick += 1
    wrong = []
    for name, (look, before) in checks.items():
        try:
            now = look()
            if now != before:
                wrong.append("%s was %r, is %r" % (name, before, now))
        except Exception as error:
            wrong.append("%s: %r" % (name, error))
    log.write("tick %d %s\n" % (tick, "; ".join(wrong) or "ok"))
    time.sleep(0.02)
