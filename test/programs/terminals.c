/*
 * Pseudo terminals in every state, both ends in the tree: one that gathers lines, with lines, half a line and an end of
 * file typed and output unread; one in packet mode, exclusive, with modes locked; one whose output is stopped; a slave
 * that was hung up, a master that was left, and one that nobody ever was at, locked. A child leads a session with a
 * terminal, open as /dev/tty too, in the foreground of which is the group of its own child.
 *
 * log: log
 * criu dump:
 * criu restore:
 */
#include "program.h"
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>

struct pair {
	int master, slave;
};

static struct pair lines, packet, stopped, hung_up, left, unused, session;

static struct pair open_pair(int flags, tcflag_t local)
{
	struct pair pair;
	struct termios modes;
	char path[32];
	int unlock = 0, number;

	pair.master = must(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK), "/dev/ptmx");
	must(ioctl(pair.master, TIOCSPTLCK, &unlock), "TIOCSPTLCK");
	must(ioctl(pair.master, TIOCGPTN, &number), "TIOCGPTN");
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	pair.slave = must(open(path, O_RDWR | O_NOCTTY | flags), path);
	must(tcgetattr(pair.slave, &modes), path);
	modes.c_lflag = local;
	modes.c_cc[VINTR] = 'q';
	must(tcsetattr(pair.slave, TCSANOW, &modes), path);
	return pair;
}

static int unread(int fd)
{
	struct pollfd request = { .fd = fd, .events = POLLIN };
	int count = -1;

	/* The kernel passes on what is on its way. */
	poll(&request, 1, 0);
	ioctl(fd, FIONREAD, &count);
	return count;
}

static void await_unread(int fd, int count)
{
	for (int tries = 0; tries < 2000 && unread(fd) < count; tries++)
		sleep_ns(1000000);
	expect(unread(fd) == count, "%d bytes are unread, not %d", unread(fd), count);
}

static void expect_read(int fd, const char *text)
{
	char bytes[64] = "";
	ssize_t got = read(fd, bytes, sizeof(bytes) - 1);

	expect(got == (ssize_t)strlen(text) && !strcmp(bytes, text), "\"%s\" is read, not \"%s\"", bytes, text);
}

static void type(int fd, const char *text)
{
	expect(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "the master takes no input");
}

static void fill_lines(void)
{
	type(lines.master, "one\ntwo\004thr");
	await_unread(lines.slave, 7);
	expect(write(lines.slave, "out\n", 4) == 4, "the terminal takes no output");
	await_unread(lines.master, 5);
}

static void empty_lines(void)
{
	expect_read(lines.slave, "one\n");
	expect_read(lines.slave, "two");
	expect(read(lines.slave, &(char){ 0 }, 1) < 0 && errno == EAGAIN, "half a line can be read");
	type(lines.master, "ee\n");
	await_unread(lines.slave, 6);
	expect_read(lines.slave, "three\n");
	expect_read(lines.master, "out\r\n");
}

static void set_up(void)
{
	struct winsize size = { .ws_row = 11, .ws_col = 222, .ws_xpixel = 3 };
	struct termios locked = { .c_lflag = ECHO };
	int on = 1;

	lines = open_pair(O_NONBLOCK, ICANON);
	fill_lines();
	packet = open_pair(O_NONBLOCK, 0);
	must(ioctl(packet.master, TIOCPKT, &on), "TIOCPKT");
	must(ioctl(packet.master, TIOCSWINSZ, &size), "TIOCSWINSZ");
	must(ioctl(packet.slave, TIOCEXCL, 0), "TIOCEXCL");
	must(ioctl(packet.slave, TIOCSLCKTRMIOS, &locked), "TIOCSLCKTRMIOS");
	stopped = open_pair(O_NONBLOCK, ICANON);
	type(stopped.master, "\023");
	hung_up = open_pair(O_NONBLOCK, ICANON);
	close(hung_up.master);
	left = open_pair(0, ICANON);
	close(left.slave);
	unused.master = must(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK), "/dev/ptmx");
	session = open_pair(0, ICANON);
}

static void expect_packet(void)
{
	struct winsize size = { 0 };
	struct termios modes = { 0 }, locked = { 0 };
	char bytes[8];
	int mode = 0, exclusive = 0;

	expect(ioctl(packet.master, TIOCGPKT, &mode) == 0 && mode, "the terminal is in packet mode no more");
	expect(ioctl(packet.slave, TIOCGEXCL, &exclusive) == 0 && exclusive, "the terminal is exclusive no more");
	expect(tcgetattr(packet.slave, &modes) == 0 && modes.c_cc[VINTR] == 'q' && !(modes.c_lflag & ICANON),
	       "the modes of the terminal have changed");
	expect(ioctl(packet.slave, TIOCGLCKTRMIOS, &locked) == 0 && locked.c_lflag == ECHO, "the modes are not locked");
	expect(ioctl(packet.slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 11 && size.ws_col == 222 && size.ws_xpixel == 3,
	       "the terminal has %d rows and %d columns", size.ws_row, size.ws_col);
	expect(write(packet.slave, "x", 1) == 1, "the terminal takes no output");
	await_unread(packet.master, 1);
	expect(read(packet.master, bytes, sizeof(bytes)) == 2 && bytes[0] == TIOCPKT_DATA && bytes[1] == 'x',
	       "no packet is read");
}

static void expect_stopped(void)
{
	char bytes[8];

	expect(write(stopped.slave, "x", 1) < 0 && errno == EAGAIN, "the output is not stopped");
	type(stopped.master, "\021");
	for (int tries = 0; tries < 2000 && write(stopped.slave, "x", 1) != 1; tries++)
		sleep_ns(1000000);
	await_unread(stopped.master, 1);
	expect(read(stopped.master, bytes, sizeof(bytes)) == 1, "the output does not go on");
	type(stopped.master, "\023");
	for (int tries = 0; tries < 2000 && write(stopped.slave, "", 0) == 0; tries++) {
		if (write(stopped.slave, "y", 1) < 0)
			break;
		await_unread(stopped.master, 1);
		expect(read(stopped.master, bytes, sizeof(bytes)) == 1, "the output does not stop");
	}
}

static void expect_ends(void)
{
	struct termios modes;
	char byte;
	int locked = 0;

	expect(read(hung_up.slave, &byte, 1) == 0, "the terminal that was hung up can be read");
	expect(tcgetattr(hung_up.slave, &modes) < 0 && errno == EIO, "the terminal that was hung up has modes");
	expect(read(left.master, &byte, 1) < 0 && errno == EIO, "somebody is at the terminal that was left");
	expect(read(unused.master, &byte, 1) < 0 && errno == EAGAIN, "somebody was at the terminal that was not used");
	expect(ioctl(unused.master, TIOCGPTLCK, &locked) == 0 && locked, "the terminal that was not used is unlocked");
}

static __attribute__((noreturn)) void lead(void)
{
	struct stat stat;
	int own;
	pid_t child;

	role = "leader";
	must(setsid(), "setsid");
	must(ioctl(session.slave, TIOCSCTTY, 0), "TIOCSCTTY");
	own = must(open("/dev/tty", O_RDWR | O_NONBLOCK), "/dev/tty");
	child = must(fork(), "fork");
	if (!child) {
		role = "member";
		must(setpgid(0, 0), "setpgid");
		signal(SIGTTOU, SIG_IGN);
		must(tcsetpgrp(own, getpid()), "tcsetpgrp");
		for (;;) {
			expect(tcgetpgrp(own) == getpid() && getpgrp() == getpid(), "the group is not in the foreground");
			end_tick();
		}
	}
	while (tcgetpgrp(own) != child)
		sleep_ns(1000000);
	say("has a terminal");
	for (;;) {
		expect(tcgetsid(session.slave) == getpid() && tcgetsid(own) == getpid(), "the terminal is another session's");
		expect(tcgetpgrp(session.slave) == child, "the group %d is in the foreground", (int)tcgetpgrp(session.slave));
		expect(fstat(own, &stat) == 0 && stat.st_rdev == makedev(5, 0), "/dev/tty is another file");
		expect(fcntl(own, F_GETFL) & O_NONBLOCK, "/dev/tty has lost its flags");
		expect(waitpid(child, NULL, WNOHANG) == 0, "the child is gone");
		expect(write(own, "tick\n", 5) == 5, "/dev/tty cannot be written");
		end_tick();
	}
}

int main(int argc, char **argv)
{
	char bytes[256];
	pid_t child;
	ssize_t got;

	start(argc, argv, "log");
	set_up();
	child = must(fork(), "fork");
	if (!child)
		lead();
	close(session.slave);
	say("ready");
	for (long tick = 1;; tick++) {
		expect(unread(lines.slave) == 7 && unread(lines.master) == 5, "%d and %d bytes are unread",
		       unread(lines.slave), unread(lines.master));
		if (tick % 3 == 0) {
			empty_lines();
			fill_lines();
		}
		expect_packet();
		expect_stopped();
		expect_ends();
		while ((got = read(session.master, bytes, sizeof(bytes))) > 0)
			expect(!memcmp(bytes, "tick\r\n", got < 6 ? got : 6), "\"%.*s\" comes from the child", (int)got, bytes);
		expect(waitpid(child, NULL, WNOHANG) == 0, "the child is gone");
		end_tick();
	}
}
