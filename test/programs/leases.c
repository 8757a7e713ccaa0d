/*
 * Leases that are being broken, and others beside them: a read lease that a writer breaks, a write lease that a
 * reader breaks and one that a writer breaks; a broken one in a duplicated descriptor and in a child; one whose
 * taker has closed it so that only its child holds it; two read leases on one file with a descriptor that has none;
 * and a child that sleeps in open(2) until the lease on a file of its own is gone. Each break sent its signal before
 * `ready`: from then on none may come.
 *
 * log: log
 */
#include "program.h"
#include <signal.h>
#include <sys/wait.h>

static volatile sig_atomic_t signals, signal_fd = -1;

static void on_break(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	signals++;
	signal_fd = info->si_fd;
}

static int lease(const char *name, int flags, int type)
{
	int fd;

	create_filled(name, 'l', 4096);
	fd = must(open(name, flags), name);
	must(fcntl(fd, F_SETLEASE, type), name);
	must(fcntl(fd, F_SETSIG, SIGRTMIN), name);
	return fd;
}

static int broken(const char *name, int flags, int type, int breaker)
{
	int fd = lease(name, flags, type);
	int before = signals;

	if (open(name, breaker | O_NONBLOCK) >= 0 || errno != EWOULDBLOCK)
		die("the lease does not break");
	if (signals != before + 1 || signal_fd != fd)
		die("the holder of a lease was not told");
	return fd;
}

static void expect_lease(const char *name, int fd, int type)
{
	int now = fcntl(fd, F_GETLEASE);

	expect(now == type, "%s has a lease of type %d, not %d", name, now, type);
}

static pid_t child_with(const char *name, int fd)
{
	pid_t child = must(fork(), "fork");

	if (child)
		return child;
	role = name;
	for (;;) {
		expect_lease(name, fd, F_UNLCK);
		expect(signals == 0, "%d signals came", (int)signals);
		end_tick();
	}
}

static void wait_to_write(const char *name)
{
	int fd;

	role = "waiter";
	fd = open(name, O_WRONLY);
	say(fd >= 0 ? "opened" : "did not open");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = on_break, .sa_flags = SA_SIGINFO | SA_RESTART };
	int read_to_none, write_to_read, write_to_none, twice, duplicate, passed_on, held, first, second, none;
	pid_t children[3];

	start(argc, argv, "log");
	sigaction(SIGRTMIN, &action, NULL);
	read_to_none = broken("read-to-none", O_RDONLY, F_RDLCK, O_WRONLY);
	write_to_read = broken("write-to-read", O_WRONLY, F_WRLCK, O_RDONLY);
	write_to_none = broken("write-to-none", O_WRONLY, F_WRLCK, O_WRONLY);
	twice = broken("twice", O_RDWR, F_WRLCK, O_WRONLY);
	passed_on = broken("passed-on", O_RDWR, F_WRLCK, O_WRONLY);
	signals = 0;
	children[0] = child_with("twice", twice);
	duplicate = must(dup(twice), "dup");
	children[1] = child_with("passed-on", passed_on);
	close(passed_on);
	first = lease("two", O_RDONLY, F_RDLCK);
	second = must(open("two", O_RDONLY), "two");
	must(fcntl(second, F_SETLEASE, F_RDLCK), "two");
	must(fcntl(second, F_SETSIG, SIGRTMIN), "two");
	none = must(open("two", O_RDONLY), "two");
	held = lease("waited-for", O_RDONLY, F_RDLCK);
	children[2] = must(fork(), "fork");
	if (!children[2])
		wait_to_write("waited-for");
	while (signals == 0)
		sleep_ns(1000000);
	say("ready");
	for (;;) {
		expect(signals == 1, "%d signals came", (int)signals - 1);
		expect_lease("read-to-none", read_to_none, F_UNLCK);
		expect_lease("write-to-read", write_to_read, F_RDLCK);
		expect_lease("write-to-none", write_to_none, F_UNLCK);
		expect_lease("twice", twice, F_UNLCK);
		expect_lease("its duplicate", duplicate, F_UNLCK);
		expect_lease("two, first", first, F_RDLCK);
		expect_lease("two, second", second, F_RDLCK);
		expect_lease("two, without", none, F_UNLCK);
		expect_lease("waited-for", held, F_UNLCK);
		for (int i = 0; i < 3; i++)
			expect(waitpid(children[i], NULL, WNOHANG) == 0, "child %d has ended", i);
		end_tick();
	}
}
