/*
 * Connections between two processes, parent and child, and what is hard to see of them from outside: a TCP connection
 * over IPv6 whose buffers are full both ways, a Unix stream with a descriptor in the middle of its bytes, a socket that
 * is open nowhere but in a message, a connection that nobody has accepted, one whose other end is closed, datagrams
 * from several senders, with and without names, and files whose signals go to a process, a group and a thread.
 *
 * log: log
 */
#include "program.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define BUFFER 16384
#define STEP 1000

/* An endless sequence of bytes; byte N is known without those before it. */
struct flow {
	unsigned long written, read;
};

static struct sockaddr_un server_name = { .sun_family = AF_UNIX, .sun_path = "connections.sock" };
static int tcp, waiting, waiting_client, orphan, lone, rights[2], flight[2], home, named[3], udp[2], owned[3][2];
static struct flow flows[2];
static volatile sig_atomic_t caught[3];

static unsigned char byte_at(unsigned long at)
{
	return (at * 2654435761u) >> 13;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	caught[number - SIGRTMIN - 1]++;
}

/* Writes until the buffers are full. */
static void pump(int fd, struct flow *flow)
{
	unsigned char bytes[STEP];
	ssize_t done;

	do {
		for (int i = 0; i < STEP; i++)
			bytes[i] = byte_at(flow->written + i);
		done = send(fd, bytes, STEP, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done > 0)
			flow->written += done;
	} while (done > 0);
	expect(done < 0 && errno == EAGAIN, "the TCP connection cannot be written: %s", strerror(errno));
}

static void drain(int fd, struct flow *flow)
{
	unsigned char bytes[STEP];
	ssize_t got = recv(fd, bytes, STEP, MSG_DONTWAIT);

	expect(got != 0, "the TCP connection was closed");
	expect(got > 0 || errno == EAGAIN, "the TCP connection cannot be read: %s", strerror(errno));
	for (ssize_t i = 0; i < got; i++)
		expect(bytes[i] == byte_at(flow->read + i), "byte %ld of the TCP connection differs", flow->read + i);
	if (got > 0)
		flow->read += got;
}

static void send_fd(int to, const char *text, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec data = { (void *)text, strlen(text) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	expect(sendmsg(to, &message, MSG_DONTWAIT) == (ssize_t)strlen(text), "a descriptor cannot be sent: %s", strerror(errno));
}

/* Receives at most SIZE bytes, which must be TEXT; gives the descriptor that came with them, or -1. */
static int expect_text(int from, size_t size, const char *text)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char got[64] = { 0 };
	struct iovec data = { got, size };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fd = -1;

	expect(recvmsg(from, &message, MSG_DONTWAIT) == (ssize_t)strlen(text) && !strcmp(got, text), "expected \"%s\", got \"%s\"", text, got);
	if (message.msg_controllen >= CMSG_LEN(sizeof(int)) && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static void fill_rights(void)
{
	int fd = open("passed", O_RDONLY);

	expect(send(rights[0], "before", 6, MSG_DONTWAIT) == 6, "the stream cannot be written");
	send_fd(rights[0], "with", fd);
	expect(send(rights[0], "after", 5, MSG_DONTWAIT) == 5, "the stream cannot be written");
	close(fd);
}

/* Bytes before a descriptor may be read without it; those after it are not read together with it. */
static void check_rights(void)
{
	char content[4] = { 0 };
	int fd;

	expect(expect_text(rights[1], 6, "before") < 0, "a descriptor came too early");
	fd = expect_text(rights[1], 60, "with");
	expect(fd >= 0 && pread(fd, content, 3, 0) == 3 && !strcmp(content, "ppp"), "the descriptor in the stream differs");
	close(fd);
	expect(expect_text(rights[1], 60, "after") < 0, "a descriptor came twice");
	fill_rights();
}

/* The socket in flight is connected to `home`; it comes out, is used, and is sent on its way again. */
static void check_flight(void)
{
	int fd = expect_text(flight[1], 60, "socket");

	expect(fd >= 0, "no socket came with the message");
	expect(send(home, "hello", 5, MSG_DONTWAIT | MSG_NOSIGNAL) == 5, "the socket in flight cannot be written: %s", strerror(errno));
	expect_text(fd, 60, "hello");
	send_fd(flight[0], "socket", fd);
	close(fd);
}

static void connect_waiting(void)
{
	waiting_client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	expect(connect(waiting_client, (struct sockaddr *)&server_name, sizeof(server_name)) == 0, "cannot connect: %s", strerror(errno));
}

/* A socket that is not connected. */
static void check_lone(void)
{
	int type = 0;
	socklen_t length = sizeof(type);

	expect(send(lone, "x", 1, MSG_NOSIGNAL) < 0 && errno == ENOTCONN, "who has no peer can write");
	expect(getsockopt(lone, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET, "type %d", type);
}

static void check_waiting(void)
{
	int fd = accept(waiting, NULL, NULL);

	expect(fd >= 0, "nobody waits to be accepted: %s", strerror(errno));
	expect(send(waiting_client, "accepted", 8, MSG_DONTWAIT | MSG_NOSIGNAL) == 8, "who waited cannot write: %s", strerror(errno));
	expect_text(fd, 60, "accepted");
	close(fd);
	close(waiting_client);
	connect_waiting();
}

static void check_orphan(void)
{
	struct pollfd ready = { .fd = orphan, .events = POLLIN };
	char text[16] = { 0 };

	expect(recv(orphan, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT) == 4 && !strcmp(text, "left"), "what was left is gone");
	expect(poll(&ready, 1, 0) == 1 && ready.revents & POLLHUP, "the other end is open again");
}

static void bind_name(int fd, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path + 1, 100, "crimg-%s-%d", name, getpid());
	must(bind(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1)), name);
}

/* A datagram socket that others send to: one by one the messages come from the named and the unnamed sender. */
static void check_named(void)
{
	for (int sender = 1; sender < 3; sender++) {
		struct sockaddr_un from;
		socklen_t length = sizeof(from);
		char text[16] = { 0 };

		expect(recvfrom(named[0], text, sizeof(text), MSG_DONTWAIT, (struct sockaddr *)&from, &length) == 6 && !memcmp(text, "from ", 5) && text[5] == '0' + sender, "the message from %d is \"%s\"", sender, text);
		expect(sender == 1 ? length > 10 && !memcmp(from.sun_path + 1, "crimg-sender", 12) : length <= 2, "message %d has another sender", sender);
	}
	expect(send(named[1], "from 1", 6, MSG_DONTWAIT) == 6 && send(named[2], "from 2", 6, MSG_DONTWAIT) == 6, "the datagrams cannot be sent");
}

static void check_udp(void)
{
	for (int number = 1; number <= 3; number++) {
		char text[16] = { 0 }, wanted[16];

		snprintf(wanted, sizeof(wanted), "datagram %d", number);
		expect(recv(udp[0], text, sizeof(text), MSG_DONTWAIT) == 10 && !strcmp(text, wanted), "expected \"%s\", got \"%s\"", wanted, text);
	}
	for (int number = 1; number <= 3; number++) {
		char text[16];

		snprintf(text, sizeof(text), "datagram %d", number);
		expect(send(udp[1], text, 10, MSG_DONTWAIT) == 10, "a datagram cannot be sent: %s", strerror(errno));
	}
}

/* Whatever can be read sends a signal. */
static void check_owned(void)
{
	for (int i = 0; i < 3; i++) {
		sig_atomic_t before = caught[i];
		char byte;

		expect(write(owned[i][1], "x", 1) == 1, "owned file %d cannot be written", i);
		expect(caught[i] > before, "owned file %d sent no signal", i);
		expect(read(owned[i][0], &byte, 1) == 1, "owned file %d cannot be read", i);
	}
}

static void own(int fd, int number, int type, pid_t pid)
{
	struct f_owner_ex owner = { type, pid };

	must(fcntl(fd, F_SETOWN_EX, &owner), "F_SETOWN_EX");
	must(fcntl(fd, F_SETSIG, SIGRTMIN + 1 + number), "F_SETSIG");
	must(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC), "O_ASYNC");
}

static void set_up_unix(void)
{
	int pair[2];

	create_filled("passed", 'p', 64);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, rights), "rights");
	fill_rights();
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, flight), "flight");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "pair");
	send_fd(flight[0], "socket", pair[0]);
	close(pair[0]);
	home = pair[1];
	waiting = must(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0), "waiting");
	must(bind(waiting, (struct sockaddr *)&server_name, sizeof(server_name)), "waiting");
	must(listen(waiting, 3), "waiting");
	connect_waiting();
	lone = must(socket(AF_UNIX, SOCK_SEQPACKET, 0), "lone");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "orphan");
	must(write(pair[1], "left", 4), "orphan");
	close(pair[1]);
	orphan = pair[0];
	for (int i = 0; i < 3; i++)
		named[i] = must(socket(AF_UNIX, SOCK_DGRAM, 0), "named");
	bind_name(named[0], "server");
	bind_name(named[1], "sender");
	for (int i = 1; i < 3; i++) {
		struct sockaddr_un address;
		socklen_t length = sizeof(address);

		must(getsockname(named[0], (struct sockaddr *)&address, &length), "named");
		must(connect(named[i], (struct sockaddr *)&address, length), "named");
	}
	must(send(named[1], "from 1", 6, 0), "named");
	must(send(named[2], "from 2", 6, 0), "named");
}

static void set_up_udp(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t length = sizeof(address);

	udp[0] = must(socket(AF_INET6, SOCK_DGRAM, 0), "udp");
	udp[1] = must(socket(AF_INET6, SOCK_DGRAM, 0), "udp");
	must(bind(udp[0], (struct sockaddr *)&address, length), "udp");
	must(getsockname(udp[0], (struct sockaddr *)&address, &length), "udp");
	must(connect(udp[1], (struct sockaddr *)&address, length), "udp");
	for (int number = 1; number <= 3; number++)
		dprintf(udp[1], "datagram %d", number);
}

/* In both processes: the child is of the group that gets one of the signals. */
static void set_up_signals(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };

	for (int i = 0; i < 3; i++)
		must(sigaction(SIGRTMIN + 1 + i, &action, NULL), "sigaction");
}

static void set_up_owned(void)
{
	must(pipe(owned[0]), "owned");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, owned[1]), "owned");
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, owned[2]), "owned");
	own(owned[0][0], 0, F_OWNER_PID, getpid());
	own(owned[1][0], 1, F_OWNER_PGRP, getpgrp());
	own(owned[2][0], 2, F_OWNER_TID, syscall(SYS_gettid));
}

/* The parent keeps the accepted end, the child the connecting one. */
static void set_up_tcp(int *client)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t length = sizeof(address);
	int listener = must(socket(AF_INET6, SOCK_STREAM, 0), "tcp"), size = BUFFER, on = 1;

	must(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), "tcp");
	must(bind(listener, (struct sockaddr *)&address, length), "tcp");
	must(listen(listener, 1), "tcp");
	must(getsockname(listener, (struct sockaddr *)&address, &length), "tcp");
	*client = must(socket(AF_INET6, SOCK_STREAM, 0), "tcp");
	must(setsockopt(*client, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), "tcp");
	must(setsockopt(*client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "tcp");
	must(connect(*client, (struct sockaddr *)&address, length), "tcp");
	tcp = must(accept(listener, NULL, NULL), "tcp");
	must(setsockopt(tcp, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), "tcp");
	must(setsockopt(*client, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), "tcp");
	close(listener);
}

int main(int argc, char **argv)
{
	int client;
	pid_t child;

	start(argc, argv, "log");
	set_up_signals();
	set_up_tcp(&client);
	child = must(fork(), "fork");
	if (child == 0) {
		close(tcp);
		tcp = client;
		role = "child";
	} else {
		close(client);
		set_up_unix();
		set_up_udp();
		set_up_owned();
	}
	pump(tcp, &flows[0]);
	if (*failure)
		die(failure);
	if (child != 0)
		say("ready");
	for (;;) {
		drain(tcp, &flows[1]);
		pump(tcp, &flows[0]);
		if (child != 0) {
			check_rights();
			check_flight();
			check_waiting();
			check_lone();
			check_orphan();
			check_named();
			check_udp();
			check_owned();
		}
		end_tick();
	}
}
