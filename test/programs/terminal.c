/*
 * A pseudo terminal with both ends in the tree: the parent has the master, the child leads a session whose
 * controlling terminal is the slave, in raw mode with a size of its own and unread input. The parent also watches a
 * directory with inotify, where an event waits, and owns the signals of a socket (F_SETOWN, F_SETSIG, O_ASYNC).
 *
 * log: log
 * criu dump:
 * criu restore:
 */
#include "program.h"
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

static const char unread[] = "unread input";
static const struct winsize size = { .ws_row = 33, .ws_col = 101 };
static int master, slave, watch, pair[2];
static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
	(void)signal;
	signals++;
}

static void set_up_terminal(void)
{
	struct termios settings;
	int unlock = 0, number;
	char path[32];

	master = must(open("/dev/ptmx", O_RDWR | O_NOCTTY), "/dev/ptmx");
	must(ioctl(master, TIOCSPTLCK, &unlock), "/dev/ptmx");
	must(ioctl(master, TIOCGPTN, &number), "/dev/ptmx");
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	slave = must(open(path, O_RDWR | O_NOCTTY), path);
	must(tcgetattr(slave, &settings), path);
	cfmakeraw(&settings);
	settings.c_cc[VMIN] = 3;
	must(tcsetattr(slave, TCSANOW, &settings), path);
	must(ioctl(master, TIOCSWINSZ, &size), path);
	must(write(master, unread, strlen(unread)), "/dev/ptmx");
	for (int waiting = 0; waiting < (int)strlen(unread); sleep_ns(1000000))
		must(ioctl(slave, FIONREAD, &waiting), path);
}

static void live_on_terminal(void)
{
	struct termios settings = { 0 };
	struct winsize now = { 0 };
	int waiting = 0;

	role = "child";
	close(master);
	close(watch);
	must(setsid(), "setsid");
	must(ioctl(slave, TIOCSCTTY, 0), "TIOCSCTTY");
	say("has a terminal");
	for (;;) {
		expect(tcgetattr(slave, &settings) == 0 && !(settings.c_lflag & (ICANON | ECHO)) && settings.c_cc[VMIN] == 3,
		       "the terminal is not raw");
		expect(ioctl(slave, TIOCGWINSZ, &now) == 0 && now.ws_row == size.ws_row && now.ws_col == size.ws_col,
		       "the terminal has %d rows and %d columns", now.ws_row, now.ws_col);
		expect(tcgetsid(slave) == getpid() && tcgetpgrp(slave) == getpid(), "the terminal is another session's");
		expect(ioctl(slave, FIONREAD, &waiting) == 0 && waiting == (int)strlen(unread), "%d bytes are unread", waiting);
		expect(write(slave, "to the master\n", 14) == 14, "the terminal cannot be written");
		end_tick();
	}
}

static void set_up_watch(void)
{
	must(mkdir("watched", 0755), "watched");
	watch = must(inotify_init1(IN_NONBLOCK), "inotify");
	must(inotify_add_watch(watch, "watched", IN_CREATE | IN_DELETE), "watched");
}

static void set_up_owner(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGRTMIN + 5, &action, NULL);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	must(fcntl(pair[0], F_SETOWN, getpid()), "F_SETOWN");
	must(fcntl(pair[0], F_SETSIG, SIGRTMIN + 5), "F_SETSIG");
	must(fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK), "O_ASYNC");
}

static void expect_owner(void)
{
	int before = signals;
	char byte;

	expect(fcntl(pair[0], F_GETOWN) == getpid() && fcntl(pair[0], F_GETSIG) == SIGRTMIN + 5, "the socket's owner is %d",
	       fcntl(pair[0], F_GETOWN));
	expect(write(pair[1], "x", 1) == 1, "the socket cannot be written");
	expect(signals > before, "data on the socket sends no signal");
	expect(read(pair[0], &byte, 1) == 1, "the socket cannot be read");
}

/* A file appears in the watched directory, whose descriptor names it, and goes. */
static void expect_watch(int directory)
{
	char events[1024];
	struct inotify_event *event = (struct inotify_event *)events;
	int fd = openat(directory, "new", O_CREAT | O_WRONLY, 0644);

	expect(fd >= 0, "the watched directory takes no file: %s", strerror(errno));
	close(fd);
	expect(read(watch, events, sizeof(events)) > 0 && event->mask == IN_CREATE && !strcmp(event->name, "new"),
	       "the new file gives no event");
	unlinkat(directory, "new", 0);
	expect(read(watch, events, sizeof(events)) > 0 && event->mask == IN_DELETE, "the deleted file gives no event");
}

int main(int argc, char **argv)
{
	char text[64];
	int directory;
	pid_t child;

	start(argc, argv, "log");
	set_up_terminal();
	set_up_watch();
	set_up_owner();
	directory = must(open("watched", O_RDONLY | O_DIRECTORY), "watched");
	child = must(fork(), "fork");
	if (!child)
		live_on_terminal();
	close(slave);
	say("ready");
	for (;;) {
		ssize_t got = read(master, text, 14);

		expect(got == 14 && !memcmp(text, "to the master\n", 14), "the child wrote \"%.*s\"", (int)got, text);
		expect(waitpid(child, NULL, WNOHANG) == 0, "the child is gone");
		expect_watch(directory);
		expect_owner();
		end_tick();
	}
}
