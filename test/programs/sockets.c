/*
 * Sockets whose both ends are in this process: Unix pairs of each type with messages in their queues, one of them
 * a passed descriptor that is open nowhere else; Unix listeners by relative path, absolute path, abstract name and
 * a deleted path, and an accepted connection; TCP listeners on IPv4 and on an IPv4-mapped IPv6 address, a TCP
 * connection with data both ways, UDP bound and connected, netlink and packet sockets.
 * Whoever connects to a listener is answered `tick N`. Nobody else can reach the connection, so the network needs
 * no lock, for which criu would want iptables or nftables.
 *
 * log: log
 * criu dump: --tcp-established --network-lock skip
 * criu restore: --tcp-established
 */
#include "program.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CHANNELS 8
#define LISTENERS 8

/* Two ends, each with the messages `to NAME 1` and `to NAME 2` waiting; every tick the first becomes the last. */
static struct channel {
	const char *name;
	int end[2], keeps_messages;
	long turns;
} channels[CHANNELS];
static struct {
	const char *name;
	int fd;
	long served;
} listeners[LISTENERS];
static int channel_count, listener_count, rights[2], half[2], udp, netlink, packet;
static struct sockaddr_in udp_address;

static void send_message(struct channel *c, int end, int number)
{
	char text[32] = { 0 };

	snprintf(text, sizeof(text), "to %s %d", c->name, number);
	expect(send(c->end[!end], text, sizeof(text), 0) == sizeof(text), "%s cannot be written: %s", c->name, strerror(errno));
}

static void expect_message(struct channel *c, int end, int number)
{
	char text[32] = { 0 }, expected[32];
	ssize_t got;

	snprintf(expected, sizeof(expected), "to %s %d", c->name, number);
	do
		got = recv(c->end[end], text, sizeof(text), MSG_WAITALL);
	while (got < 0 && errno == EINTR);
	expect(got == sizeof(text) && !strcmp(text, expected), "%s, end %d, gave \"%s\" (%zd)", c->name, end, text, got);
}

static struct channel *add_channel(const char *name, int one, int other)
{
	struct timeval limit = { 10, 0 };
	struct channel *c = &channels[channel_count++];

	*c = (struct channel){ .name = name, .end = { one, other }, .keeps_messages = 1 };
	for (int end = 0; end < 2; end++)
		must(setsockopt(c->end[end], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), name);
	return c;
}

static void add_pair(const char *name, int type)
{
	int pair[2];

	must(socketpair(AF_UNIX, type, 0, pair), name);
	add_channel(name, pair[0], pair[1]);
}

static int add_listener(const char *name, int family, const void *address, socklen_t length)
{
	int fd = must(socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0), name);

	must(bind(fd, address, length), name);
	must(listen(fd, 8), name);
	listeners[listener_count].name = name;
	return listeners[listener_count++].fd = fd;
}

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(address.sun_path, path);
	return address;
}

/* Connects to a listener and makes the connection a channel. */
static void add_connection(const char *name, int listener, int family, const void *address, socklen_t length)
{
	int client = must(socket(family, SOCK_STREAM, 0), name);

	must(connect(client, address, length), name);
	add_channel(name, client, must(accept(listener, NULL, NULL), name));
}

static void set_up_unix(const char *dir)
{
	struct sockaddr_un address;
	char path[256];
	int fd;

	add_pair("stream", SOCK_STREAM);
	add_pair("datagram", SOCK_DGRAM);
	add_pair("seqpacket", SOCK_SEQPACKET);
	address = unix_address("relative.sock");
	fd = add_listener("relative.sock", AF_UNIX, &address, sizeof(address));
	add_connection("accepted", fd, AF_UNIX, &address, sizeof(address));
	snprintf(path, sizeof(path), "%s/absolute.sock", dir);
	address = unix_address(path);
	add_listener("absolute.sock", AF_UNIX, &address, sizeof(address));
	address = unix_address("deleted.sock");
	add_listener("deleted.sock", AF_UNIX, &address, sizeof(address));
	must(unlink("deleted.sock"), "deleted.sock");
	address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	add_listener("abstract", AF_UNIX, &address,
		     offsetof(struct sockaddr_un, sun_path) + 1 +
			     snprintf(address.sun_path + 1, 64, "crimg-sockets-%d", getpid()));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, half), "half");
	must(shutdown(half[0], SHUT_WR), "half");
}

static void set_up_rights(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec data = { "file", 4 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fd;

	create_filled("passed", 'p', 64);
	fd = must(open("passed", O_RDONLY), "passed");
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, rights), "rights");
	must(sendmsg(rights[0], &message, 0), "passing a descriptor");
	close(fd);
}

static void set_up_inet(void)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_nl route = { .nl_family = AF_NETLINK };
	socklen_t length = sizeof(v4);
	int fd, connected;

	fd = add_listener("tcp", AF_INET, &v4, sizeof(v4));
	must(getsockname(fd, (struct sockaddr *)&v4, &length), "tcp");
	say("tcp port %d", ntohs(v4.sin_port));
	add_connection("connection", fd, AF_INET, &v4, sizeof(v4));
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6.sin6_addr);
	add_listener("tcp-mapped", AF_INET6, &v6, sizeof(v6));
	v4.sin_port = 0;
	udp = must(socket(AF_INET, SOCK_DGRAM, 0), "udp");
	must(bind(udp, (struct sockaddr *)&v4, sizeof(v4)), "udp");
	must(getsockname(udp, (struct sockaddr *)&udp_address, &length), "udp");
	connected = must(socket(AF_INET, SOCK_DGRAM, 0), "udp");
	must(connect(connected, (struct sockaddr *)&udp_address, sizeof(udp_address)), "udp");
	/* CRIU does not keep what is in a UDP queue, so this channel is empty between ticks. */
	add_channel("udp", udp, connected)->keeps_messages = 0;
	netlink = must(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), "netlink");
	must(bind(netlink, (struct sockaddr *)&route, sizeof(route)), "netlink");
	packet = must(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_LOOP)), "packet");
}

static void rotate(struct channel *c)
{
	int first = c->turns++ % 2 + 1;

	if (!c->keeps_messages) {
		send_message(c, 0, first);
		expect_message(c, 0, first);
		return;
	}
	for (int end = 0; end < 2; end++) {
		expect_message(c, end, first);
		send_message(c, end, first);
	}
}

static void expect_rights(void)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char text[8] = { 0 }, content[65];
	struct iovec data = { text, sizeof(text) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fd, holds = recvmsg(rights[1], &message, MSG_PEEK | MSG_DONTWAIT) == 4 && !strcmp(text, "file") && CMSG_FIRSTHDR(&message);

	expect(holds, "the message with a descriptor differs");
	if (!holds)
		return;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	expect(pread(fd, content, sizeof(content), 0) == 64 && content[0] == 'p', "the passed descriptor differs");
	close(fd);
}

static void serve(void)
{
	for (int i = 0; i < listener_count; i++) {
		int accepting = 0, client = accept(listeners[i].fd, NULL, NULL);
		socklen_t length = sizeof(accepting);

		getsockopt(listeners[i].fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length);
		expect(accepting, "%s does not listen", listeners[i].name);
		if (client < 0)
			continue;
		dprintf(client, "tick %ld\n", ticks);
		close(client);
		say("served %s", listeners[i].name);
	}
}

int main(int argc, char **argv)
{
	char byte;

	start(argc, argv, "log");
	set_up_unix(argv[1]);
	set_up_rights();
	set_up_inet();
	for (int i = 0; i < channel_count; i++)
		for (int end = 0; end < 2 && channels[i].keeps_messages; end++)
			for (int number = 1; number <= 2; number++)
				send_message(&channels[i], end, number);
	if (*failure)
		die(failure);
	say("ready");
	for (;;) {
		struct sockaddr_in now;
		struct sockaddr_nl route;
		struct sockaddr_ll link;
		socklen_t length = sizeof(now);

		for (int i = 0; i < channel_count; i++)
			rotate(&channels[i]);
		expect_rights();
		serve();
		expect(recv(half[1], &byte, 1, MSG_DONTWAIT) == 0, "the half-closed pair is open again");
		expect(send(half[0], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE, "the half-closed pair can be written");
		expect(getsockname(udp, (struct sockaddr *)&now, &length) == 0 && now.sin_port == udp_address.sin_port,
		       "udp has another port");
		length = sizeof(route);
		expect(getsockname(netlink, (struct sockaddr *)&route, &length) == 0 && route.nl_pid != 0, "netlink is not bound");
		length = sizeof(link);
		expect(getsockname(packet, (struct sockaddr *)&link, &length) == 0 && link.sll_protocol == htons(ETH_P_LOOP),
		       "packet has another protocol");
		end_tick();
	}
}
