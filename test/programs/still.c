/*
 * A process that waits, with a thread in each kind of wait: for ever and for an hour, by descriptors, clocks and futexes.
 * Nothing in it changes but what is left of its times, so two checkpoints of it can be compared.
 *
 * log: log
 * criu dump:
 * criu restore:
 */
#include "program.h"
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#define HOUR 3600
#define PAGE 4096L

static int pipe_ends[2], event_fd, epoll_fd;
static unsigned futex;
static char *shared;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void *sleeps(void *arg)
{
	struct timespec left = { HOUR, 0 };

	nanosleep(&left, &left);
	return arg;
}

static void *reads(void *arg)
{
	char byte;

	return read(pipe_ends[0], &byte, 1) < 0 ? arg : NULL;
}

static void *polls(void *arg)
{
	struct pollfd fd = { event_fd, POLLIN, 0 };

	poll(&fd, 1, HOUR * 1000);
	return arg;
}

static void *waits_for_events(void *arg)
{
	struct epoll_event event;

	epoll_wait(epoll_fd, &event, 1, -1);
	return arg;
}

static void *waits_timed(void *arg)
{
	struct timespec until = { HOUR, 0 };

	syscall(SYS_futex, &futex, FUTEX_WAIT_PRIVATE, 0, &until, NULL, 0);
	return arg;
}

static void *waits(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&never, &mutex);
	return arg;
}

static void *waits_for_signals(void *arg)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &signal);
	return arg;
}

int main(int argc, char **argv)
{
	static void *(*const kinds[])(void *) = { sleeps, reads, polls, waits_for_events, waits_timed, waits, waits_for_signals };
	struct itimerspec once = { { 0, 0 }, { HOUR, 0 } };
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 5 };
	struct flock range = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 4 };
	struct sigevent silent = { .sigev_notify = SIGEV_NONE };
	pthread_t thread;
	timer_t timer;
	char *memory;
	int file, timer_fd, unlinked;

	start(argc, argv, "log");
	must(pipe(pipe_ends), "pipe");
	event_fd = must(eventfd(0, 0), "eventfd");
	epoll_fd = must(epoll_create1(0), "epoll");
	must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event), "epoll");
	file = create("file", O_RDWR);
	must(ftruncate(file, 3 * PAGE), "file");
	must(fcntl(file, F_SETLK, &range), "F_SETLK");
	must(flock(must(open("file", O_RDWR), "file"), LOCK_SH | LOCK_NB), "flock");
	unlinked = create("unlinked", O_RDWR);
	must(pwrite(unlinked, "text", 4, 2 * PAGE), "unlinked");
	must(unlink("unlinked"), "unlinked");
	timer_fd = must(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd");
	must(timerfd_settime(timer_fd, 0, &once, NULL), "timerfd");
	must(timer_create(CLOCK_MONOTONIC, &silent, &timer), "timer");
	must(timer_settime(timer, 0, &once, NULL), "timer");
	shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memory = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(memory + 3 * PAGE, 'm', 2 * PAGE);
	memset(shared + PAGE, 's', PAGE);
	must(mprotect(memory + 4 * PAGE, PAGE, PROT_NONE), "mprotect");
	must(kill(getpid(), 0), "kill");
	if (must(fork(), "fork") == 0)
		for (;;)
			pause();
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (pthread_create(&thread, NULL, kinds[i], NULL))
			die("pthread_create");
	/* Until all of them wait. */
	sleep_ns(300000000);
	say("ready");
	for (;;)
		pause();
}
