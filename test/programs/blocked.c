/*
 * Waits for locks: the parent holds a POSIX, an OFD and a flock lock, and shares one more flock lock with its
 * children; a child each waits for one of the first three, and says so when it gets it. With SIGUSR1 the parent lets
 * go. It checks with every tick that nobody got a lock before, and that each child still waits.
 *
 * log: log
 */
#include "program.h"
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define KINDS 3

static const char *const names[KINDS] = { "posix", "ofd", "flock" };
static int fds[KINDS];
static volatile int *got;
static volatile sig_atomic_t release;

static void on_release(int signal)
{
	(void)signal;
	release = 1;
}

static int lock(int kind, int fd, short type, int wait)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20 };

	if (kind == 2)
		return flock(fd, (type == F_WRLCK ? LOCK_EX : LOCK_UN) | (wait ? 0 : LOCK_NB));
	if (kind == 1)
		return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
	return fcntl(fd, wait ? F_SETLKW : F_SETLK, &range);
}

static void wait_for(int kind)
{
	/* A lock belongs to the open file or to the process: this is another of both. */
	int fd = open(names[kind], O_RDWR);

	if (fd < 0 || lock(kind, fd, F_WRLCK, 1) < 0)
		_exit(1);
	got[kind] = 1;
	say("got %s", names[kind]);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_release };
	pid_t children[KINDS];
	int shared;

	start(argc, argv, "log");
	sigaction(SIGUSR1, &action, NULL);
	got = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared = create("shared", O_RDWR);
	must(flock(shared, LOCK_SH), "shared");
	for (int i = 0; i < KINDS; i++) {
		create_filled(names[i], '.', 100);
		fds[i] = must(open(names[i], O_RDWR), names[i]);
		must(lock(i, fds[i], F_WRLCK, 0), names[i]);
	}
	for (int i = 0; i < KINDS; i++) {
		children[i] = must(fork(), "fork");
		if (!children[i]) {
			role = names[i];
			for (int j = 0; j < KINDS; j++)
				close(fds[j]);
			wait_for(i);
		}
	}
	say("ready");
	for (;;) {
		if (release)
			for (int i = 0; i < KINDS; i++)
				lock(i, fds[i], F_UNLCK, 0);
		for (int i = 0; i < KINDS; i++) {
			expect(release || !got[i], "somebody got the %s lock", names[i]);
			expect(waitpid(children[i], NULL, WNOHANG) == 0, "who waited for the %s lock has ended", names[i]);
		}
		end_tick();
	}
}
