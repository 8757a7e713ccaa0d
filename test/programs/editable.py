"""A Python program with one of each thing that an edit can change, which tells in its log what it sees of it.

Every tick writes a line into the pipe (descriptor 20 writes, 21 reads), reads one from it and from a socket pair
(22, 23), and logs `tick N ok` or what went wrong other than the ends that an edit may have closed. SIGALRM after an
hour logs `alarm`, an epoll instance (24) waits for 21 and 23, and TCP (25) and unix (26) sockets listen.
Descriptors 27 and 28 hold a write lease and an exclusive flock.

 * log: log
 * criu dump: --file-locks
 * criu restore: --file-locks
"""
import fcntl
import os
import select
import signal
import socket
import sys
import time

os.chdir(sys.argv[1])
log = open("log", "a", buffering=1)


def place(descriptor, number):
    os.dup2(descriptor, number)
    os.close(descriptor)


reader, writer = os.pipe()
place(writer, 20)
place(reader, 21)
one, two = socket.socketpair()
place(one.detach(), 22)
place(two.detach(), 23)
epoll = select.epoll()
epoll.register(21, select.EPOLLIN)
epoll.register(23, select.EPOLLIN)
place(os.dup(epoll.fileno()), 24)
epoll.close()
tcp = socket.socket()
tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
tcp.bind(("127.0.0.1", 0))
tcp.listen()
port = tcp.getsockname()[1]
place(tcp.detach(), 25)
unix = socket.socket(socket.AF_UNIX)
unix.bind(os.path.abspath("sock"))
unix.listen()
place(unix.detach(), 26)
place(os.open("leased", os.O_RDWR | os.O_CREAT), 27)
fcntl.fcntl(27, fcntl.F_SETLEASE, fcntl.F_WRLCK)
place(os.open("locked", os.O_RDWR | os.O_CREAT), 28)
fcntl.flock(28, fcntl.LOCK_EX)
for number in range(20, 29):
    os.set_blocking(number, False)

signal.signal(signal.SIGALRM, lambda *_: log.write("alarm\n"))
signal.setitimer(signal.ITIMER_REAL, 3600)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
log.write("port %d\nready\n" % port)


def attempt(what, *arguments):
    try:
        return what(*arguments)
    except BlockingIOError:
        return None
    except OSError as error:
        return error.strerror


def accept(number):
    listener = socket.socket(fileno=os.dup(number))
    try:
        connection = listener.accept()[0]
        connection.sendall(b"hello\n")
        connection.close()
    finally:
        listener.close()


tick = 0
while True:
    tick += 1
    sent = attempt(os.write, 20, b"line %d\n" % tick)
    got = attempt(os.read, 21, 4096)
    attempt(os.write, 22, b"x")
    pair = attempt(os.read, 23, 4096)
    for number in (25, 26):
        attempt(accept, number)
    log.write("pipe %s %s pair %s\ntick %d ok\n" % (sent, got, pair, tick))
    time.sleep(0.05)
