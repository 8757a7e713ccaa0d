/*
 * Threads and children that wait in every kind of call, each of which must go on waiting as if nothing had been: with a
 * timeout of an hour or none, for a time of a clock, on pipes, timers, signals, children, semaphores and queues. On SIGUSR2
 * the main thread wakes them all, and each must have got what it waited for. Besides, timers of all kinds, an eventfd that is
 * a semaphore, an epoll instance in another one and one that watches a file of another process, signals queued with values,
 * and a thread that computes with all vector registers without a call.
 *
 * log: log
 */
#include "program.h"
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#define HOUR 3600
enum {
	SLEEP, SLEEP_UNTIL, POLL, POLL_TIMED, PPOLL, SELECT, PSELECT, FUTEX, FUTEX_TIMED, FUTEX_UNTIL, EPOLL, EPOLL_TIMED,
	MESSAGE, SEMAPHORE, PIPE, EVENT, CHILD, TIMED_SIGNAL, SIGNALED, PAUSE, SUSPENDED, WAITS
};
static const char *const names[WAITS] = {
	"nanosleep", "clock_nanosleep", "poll", "poll with a timeout", "ppoll", "select", "pselect", "futex", "futex with a timeout",
	"futex until a time", "epoll_wait", "epoll_wait with a timeout", "msgrcv", "semop", "read of a pipe", "read of an eventfd",
	"wait4", "sigtimedwait", "sigwaitinfo", "pause", "sigsuspend"
};

static struct {
	pthread_t thread;
	int fds[2], word;
	volatile int begun, over;
	volatile long result;
	volatile int error;
} waits[WAITS];
static int queue, semaphores, end_fds[2], count_fd, outer, inner, foreign, signal_fd, absolute_fd, cancelled_fd, boot_fd;
static pid_t child;
static timer_t of_thread, of_nobody, periodic;
static volatile int wake, handled[65], ordered[8], nr_ordered, told_thread;
static volatile long rounds, wrong;
static volatile pid_t timer_thread;

static long wait_in(int which)
{
	int *fds = waits[which].fds, *word = &waits[which].word;
	struct timespec hour = { HOUR, 0 }, until;
	struct timeval hour_of_select = { HOUR, 0 };
	struct pollfd polled = { fds[0], POLLIN, 0 };
	struct epoll_event event;
	struct sembuf down = { 0, -1, 0 };
	struct { long type; char text[8]; } message;
	unsigned long long value;
	sigset_t set;
	fd_set read_set;
	int status;

	sigemptyset(&set);
	FD_ZERO(&read_set);
	if (fds[0] > 0)
		FD_SET(fds[0], &read_set);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HOUR;
	switch (which) {
	case SLEEP:
		return syscall(SYS_nanosleep, &hour, NULL);
	case SLEEP_UNTIL:
		return -clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
	case POLL:
		return poll(&polled, 1, -1);
	case POLL_TIMED:
		return poll(&polled, 1, HOUR * 1000);
	case PPOLL:
		sigfillset(&set);
		return ppoll(&polled, 1, &hour, &set);
	case SELECT:
		return select(fds[0] + 1, &read_set, NULL, NULL, &hour_of_select);
	case PSELECT:
		sigfillset(&set);
		return pselect(fds[0] + 1, &read_set, NULL, NULL, NULL, &set);
	case FUTEX:
		return syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
	case FUTEX_TIMED:
		return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, &hour, NULL, 0);
	case FUTEX_UNTIL:
		return syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL, 0xffffffff);
	case EPOLL:
	case EPOLL_TIMED:
		return epoll_wait(fds[0], &event, 1, which == EPOLL ? -1 : HOUR * 1000);
	case MESSAGE:
		return msgrcv(queue, &message, sizeof(message.text), 5, 0);
	case SEMAPHORE:
		return semop(semaphores, &down, 1);
	case PIPE:
		return read(fds[0], &value, 1);
	case EVENT:
		return read(fds[0], &value, 8) == 8 ? (long)value : -1;
	case CHILD:
		return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -1;
	case TIMED_SIGNAL:
		sigaddset(&set, SIGRTMIN + 8);
		return sigtimedwait(&set, NULL, &hour);
	case SIGNALED:
		sigaddset(&set, SIGRTMIN + 9);
		return sigwaitinfo(&set, NULL);
	case PAUSE:
		return pause();
	default:
		sigfillset(&set);
		sigdelset(&set, SIGRTMIN + 10);
		return sigsuspend(&set);
	}
}

static void *waiter(void *arg)
{
	int which = (long)arg;

	waits[which].begun = gettid();
	waits[which].result = wait_in(which);
	waits[which].error = errno;
	waits[which].over = 1;
	return NULL;
}

static const long wanted[WAITS] = {
	[SLEEP] = -1, [SLEEP_UNTIL] = -EINTR, [POLL] = 1, [POLL_TIMED] = 1, [PPOLL] = 1, [SELECT] = 1, [PSELECT] = 1,
	[EPOLL] = 1, [EPOLL_TIMED] = 1, [MESSAGE] = 8, [PIPE] = 1, [EVENT] = 77, [CHILD] = 9, [PAUSE] = -1, [SUSPENDED] = -1,
};

static void set_up_fds(int which)
{
	struct epoll_event event = { .events = EPOLLIN };
	int *fds = waits[which].fds, pair[2];

	switch (which) {
	case EVENT:
		fds[0] = fds[1] = must(eventfd(0, 0), "eventfd");
		break;
	case EPOLL:
	case EPOLL_TIMED:
		must(pipe(pair), "pipe");
		fds[0] = must(epoll_create1(0), "epoll");
		fds[1] = pair[1];
		must(epoll_ctl(fds[0], EPOLL_CTL_ADD, pair[0], &event), "epoll");
		break;
	default:
		must(pipe(fds), "pipe");
	}
}

static void wake_up(int which)
{
	struct sembuf up = { 0, 1, 0 };
	struct { long type; char text[8]; } message = { 5, "message" };
	unsigned long long value = 77;

	switch (which) {
	case SLEEP:
	case SLEEP_UNTIL:
	case PAUSE:
		pthread_kill(waits[which].thread, SIGURG);
		break;
	case FUTEX:
	case FUTEX_TIMED:
	case FUTEX_UNTIL:
		syscall(SYS_futex, &waits[which].word, which == FUTEX_TIMED ? FUTEX_WAKE_PRIVATE : FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
		break;
	case MESSAGE:
		must(msgsnd(queue, &message, sizeof(message.text), 0), "msgsnd");
		break;
	case SEMAPHORE:
		must(semop(semaphores, &up, 1), "semop");
		break;
	case CHILD:
		must(write(end_fds[1], "e", 1), "pipe");
		break;
	case TIMED_SIGNAL:
	case SIGNALED:
	case SUSPENDED:
		pthread_kill(waits[which].thread, SIGRTMIN + 8 + (which == SIGNALED ? 1 : which == SUSPENDED ? 2 : 0));
		break;
	default:
		must(write(waits[which].fds[1], &value, which == EVENT ? 8 : 1), names[which]);
	}
}

static void on_signal(int signal)
{
	handled[signal]++;
	if (signal == SIGUSR2)
		wake = 1;
}

static void on_ordered(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (nr_ordered < 8)
		ordered[nr_ordered++] = info->si_value.sival_int;
}

static void on_timer(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (gettid() == timer_thread && info->si_code == SI_TIMER && info->si_value.sival_int == 0x1234)
		told_thread++;
}

static void *be_told(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	timer_thread = gettid();
	for (;;)
		sleep_ns(10000000);
	return arg;
}

/* Computes with what stands in all 16 vector registers, in one go of assembly: no call, no spill. */
static void *compute(void *arg)
{
	static float seed[8] __attribute__((aligned(32))) = { 1, 2, 3, 4, 5, 6, 7, 8 };
	float first[8] __attribute__((aligned(32))) = { 0 }, now[8] __attribute__((aligned(32)));

	for (;;) {
		long turns = 20000000;

		__asm__ volatile("vmovaps %2, %%ymm0\n"
				 "vmovaps %2, %%ymm15\n"
				 "vaddps %%ymm0, %%ymm0, %%ymm7\n"
				 "1: vaddps %%ymm7, %%ymm15, %%ymm15\n"
				 "vsubps %%ymm0, %%ymm15, %%ymm15\n"
				 "vmulps %%ymm0, %%ymm15, %%ymm3\n"
				 "vsqrtps %%ymm3, %%ymm15\n"
				 "dec %0\n"
				 "jnz 1b\n"
				 "vmovaps %%ymm15, %1\n"
				 : "+r"(turns), "=m"(now)
				 : "m"(seed)
				 : "xmm0", "xmm3", "xmm7", "xmm15", "cc");
		if (rounds && memcmp(first, now, sizeof(now)))
			wrong++;
		memcpy(first, now, sizeof(now));
		rounds++;
	}
	return arg;
}

static void set_up_timers(void)
{
	struct itimerspec often = { { 0, 30000000 }, { 0, 30000000 } }, hour = { { 0, 0 }, { HOUR, 0 } };
	struct itimerval interval = { { 0, 40000 }, { 0, 40000 } };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 0x1234 };
	struct itimerspec until = { { 0, 0 }, { 0, 0 } };

	event._sigev_un._tid = timer_thread;
	must(timer_create(CLOCK_MONOTONIC, &event, &of_thread), "SIGEV_THREAD_ID");
	must(timer_settime(of_thread, 0, &often, NULL), "timer_settime");
	event = (struct sigevent){ .sigev_notify = SIGEV_NONE };
	must(timer_create(CLOCK_REALTIME, &event, &periodic), "timer_create");
	must(timer_create(CLOCK_BOOTTIME, &event, &of_nobody), "SIGEV_NONE");
	must(timer_delete(periodic), "timer_delete");
	must(timer_settime(of_nobody, 0, &hour, NULL), "timer_settime");
	must(setitimer(ITIMER_REAL, &interval, NULL), "ITIMER_REAL");
	must(setitimer(ITIMER_VIRTUAL, &interval, NULL), "ITIMER_VIRTUAL");
	must(setitimer(ITIMER_PROF, &interval, NULL), "ITIMER_PROF");
	clock_gettime(CLOCK_REALTIME, &until.it_value);
	until.it_value.tv_sec += HOUR;
	absolute_fd = must(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK), "timerfd");
	must(timerfd_settime(absolute_fd, TFD_TIMER_ABSTIME, &until, NULL), "timerfd");
	cancelled_fd = must(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK), "timerfd");
	must(timerfd_settime(cancelled_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &until, NULL), "timerfd");
	boot_fd = must(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK), "timerfd");
	must(timerfd_settime(boot_fd, 0, &hour, NULL), "timerfd");
}

static void set_up_signals(void)
{
	static const int plain[] = { SIGALRM, SIGVTALRM, SIGPROF, SIGURG, SIGUSR2, SIGTRAP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t set;

	for (unsigned i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		sigaction(plain[i], &action, NULL);
	/* It ends calls that are not begun again. */
	action.sa_flags = 0;
	sigaction(SIGURG, &action, NULL);
	sigaction(SIGRTMIN + 10, &action, NULL);
	action.sa_flags = SA_SIGINFO | SA_RESTART;
	action.sa_sigaction = on_ordered;
	sigfillset(&action.sa_mask);
	sigaction(SIGRTMIN + 5, &action, NULL);
	sigaction(SIGRTMIN + 6, &action, NULL);
	action.sa_sigaction = on_timer;
	sigaction(SIGRTMIN + 1, &action, NULL);
	signal(SIGWINCH, SIG_IGN);
	sigfillset(&set);
	sigdelset(&set, SIGURG);
	/* Threads inherit this mask. */
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 6);
	signal_fd = must(signalfd(-1, &set, SFD_NONBLOCK), "signalfd");
	for (int value = 1; value <= 3; value++) {
		must(sigqueue(getpid(), SIGRTMIN + 6, (union sigval){ .sival_int = value + 3 }), "sigqueue");
		must(sigqueue(getpid(), SIGRTMIN + 5, (union sigval){ .sival_int = value }), "sigqueue");
	}
}

static void set_up_files(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 5 };
	int fd, ready[2];
	char byte;

	must(pipe(end_fds), "pipe");
	count_fd = must(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK), "eventfd");
	inner = must(epoll_create1(0), "epoll");
	outer = must(epoll_create1(EPOLL_CLOEXEC), "epoll");
	must(epoll_ctl(inner, EPOLL_CTL_ADD, count_fd, &event), "epoll");
	event.data.u64 = 6;
	event.events = EPOLLIN | EPOLLET;
	must(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event), "epoll");
	/* Watched by an instance here, and open in the child alone. */
	foreign = must(epoll_create1(0), "epoll");
	fd = must(eventfd(1, 0), "eventfd");
	event = (struct epoll_event){ .events = EPOLLIN, .data.u64 = 7 };
	must(epoll_ctl(foreign, EPOLL_CTL_ADD, fd, &event), "epoll");
	must(pipe(ready), "pipe");
	child = must(fork(), "fork");
	if (!child) {
		close(end_fds[1]);
		if (write(ready[1], "r", 1) != 1 || read(end_fds[0], &byte, 1) < 0)
			_exit(3);
		_exit(9);
	}
	close(end_fds[0]);
	close(fd);
	if (read(ready[0], &byte, 1) != 1)
		die("the child");
	close(ready[0]);
	close(ready[1]);
}

static void expect_waiting(void)
{
	for (int i = 0; i < WAITS; i++)
		expect(!waits[i].over, "%s gave %ld, %s", names[i], waits[i].result, strerror(waits[i].error));
}

static void expect_timers(void)
{
	static long last[5], since[5];
	const long now[] = { handled[SIGALRM], handled[SIGVTALRM], handled[SIGPROF], told_thread, rounds };
	static const char *const what[] = { "ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF", "the timer of a thread", "computing" };
	struct itimerspec left = { { 0, 0 }, { 0, 0 } };
	unsigned long long count;
	const int fds[] = { absolute_fd, cancelled_fd, boot_fd };

	for (int i = 0; i < 5; i++) {
		if (now[i] != last[i] || !since[i]) {
			last[i] = now[i];
			since[i] = ticks + 1;
		}
		expect(ticks + 1 - since[i] < 60, "%s stands still at %ld", what[i], now[i]);
	}
	expect(wrong == 0, "vector registers were changed");
	for (int i = 0; i < 3; i++) {
		timerfd_gettime(fds[i], &left);
		expect(left.it_value.tv_sec > HOUR - 300 && left.it_value.tv_sec <= HOUR, "timerfd %d has %ld s left", i,
		       (long)left.it_value.tv_sec);
		expect(read(fds[i], &count, 8) < 0 && errno == EAGAIN, "timerfd %d can be read: %s", i, strerror(errno));
	}
	timer_gettime(of_nobody, &left);
	expect(left.it_value.tv_sec > HOUR - 300 && left.it_value.tv_sec <= HOUR, "the timer without signal has %ld s left",
	       (long)left.it_value.tv_sec);
	expect(of_thread == (timer_t)0 && of_nobody == (timer_t)2, "ids of timers are others");
}

static void expect_files(void)
{
	struct epoll_event event = { 0 };
	unsigned long long count = 0;

	expect(epoll_wait(inner, &event, 1, 0) == 1 && event.data.u64 == 5, "the inner epoll gives %d", (int)event.data.u64);
	expect(epoll_wait(foreign, &event, 1, 0) == 1 && event.data.u64 == 7, "the file of the child is not watched");
	for (int i = 0; i < 3; i++)
		expect(read(count_fd, &count, 8) == 8 && count == 1, "the semaphore gives %llu", count);
	expect(read(count_fd, &count, 8) < 0 && errno == EAGAIN, "the semaphore gives more");
	count = 3;
	expect(write(count_fd, &count, 8) == 8, "the semaphore cannot be written");
	/* That was an edge. */
	event.data.u64 = 0;
	expect(epoll_wait(outer, &event, 1, 0) == 1 && event.data.u64 == 6, "the outer epoll gives %d", (int)event.data.u64);
}

static void expect_actions(void)
{
	struct sigaction action = { 0 };
	sigset_t set;

	sigaction(SIGTRAP, NULL, &action);
	expect(action.sa_handler == on_signal && (action.sa_flags & SA_RESTART), "the action for SIGTRAP is another");
	sigaction(SIGWINCH, NULL, &action);
	expect(action.sa_handler == SIG_IGN, "SIGWINCH is not ignored");
	sigprocmask(SIG_BLOCK, NULL, &set);
	expect(sigismember(&set, SIGTRAP) && sigismember(&set, SIGRTMIN + 5) && !sigismember(&set, SIGALRM), "other signals are blocked");
	sigpending(&set);
	expect(sigismember(&set, SIGRTMIN + 5) && sigismember(&set, SIGRTMIN + 6), "queued signals are gone");
}

/* The end: what was queued comes in order, and everybody wakes. */
static void finish(void)
{
	/* The first with the lower number, each in its order; signalfd has read one. */
	static const int order[] = { 1, 2, 3, 5, 6 };
	sigset_t set;
	struct signalfd_siginfo info[4] = { { 0 } };
	ssize_t got = read(signal_fd, info, sizeof(*info));

	expect(got == sizeof(*info) && info[0].ssi_int == 4, "signalfd gives %d", info[0].ssi_int);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 5);
	sigaddset(&set, SIGRTMIN + 6);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (int i = 0; i < 5; i++)
		expect(nr_ordered == 5 && ordered[i] == order[i], "signal %d of %d had value %d", i, nr_ordered, ordered[i]);
	for (int i = 0; i < WAITS; i++)
		wake_up(i);
	for (int i = 0; i < WAITS; i++) {
		for (int turn = 0; turn < 1000 && !waits[i].over; turn++)
			sleep_ns(10000000);
		expect(waits[i].over, "%s did not wake", names[i]);
		if (i == TIMED_SIGNAL || i == SIGNALED)
			expect(waits[i].result == SIGRTMIN + (i == SIGNALED ? 9 : 8), "%s gave %ld", names[i], waits[i].result);
		else
			expect(waits[i].result == wanted[i], "%s gave %ld, not %ld (%s)", names[i], waits[i].result, wanted[i],
			       strerror(waits[i].error));
	}
	msgctl(queue, IPC_RMID, NULL);
	semctl(semaphores, 0, IPC_RMID);
	say("%s", *failure ? failure : "all woke");
	exit(0);
}

int main(int argc, char **argv)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t set;

	start(argc, argv, "log");
	queue = must(msgget(IPC_PRIVATE, 0600), "msgget");
	semaphores = must(semget(IPC_PRIVATE, 1, 0600), "semget");
	set_up_signals();
	set_up_files();
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	if (pthread_create(&thread, &attributes, be_told, NULL) || pthread_create(&thread, &attributes, compute, NULL))
		die("pthread_create");
	while (!timer_thread)
		sleep_ns(1000000);
	set_up_timers();
	for (long i = 0; i < WAITS; i++) {
		set_up_fds(i);
		if (pthread_create(&waits[i].thread, &attributes, waiter, (void *)i))
			die("pthread_create");
	}
	for (int i = 0; i < WAITS; i++)
		while (!waits[i].begun)
			sleep_ns(1000000);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGVTALRM);
	sigaddset(&set, SIGPROF);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sleep_ns(50000000);
	say("ready");
	while (!wake) {
		expect_waiting();
		expect_timers();
		expect_files();
		expect_actions();
		end_tick();
	}
	finish();
}
