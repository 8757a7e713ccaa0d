/*
 * Threads, and what a process has besides files: two working threads and one asleep on a futex, each with a name
 * and a signal mask; an interval timer, POSIX timers that send signals or nothing, timerfds; signals blocked and
 * pending for the process and for one thread, with values; signalfd, eventfd and epoll over them; a sealed memfd,
 * shared anonymous memory, odd mappings; limits, alternate stack, seccomp filter, nice value, umask, subreaper.
 *
 * log: log
 * criu dump:
 * criu restore:
 */
#include "program.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#define QUEUED (SIGRTMIN + 3)
#define TIMER_SIGNAL (SIGRTMIN + 1)
#define PAGE 4096L

static volatile long worked[2], alarms, timer_signals, expirations;
static volatile int sleeper_pending;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_t threads[3];
static timer_t periodic, far_away;
static int ticking_fd, far_fd, signal_fd, event_fd, epoll_fd, memory_fd;
static char *shared, *sealed, *locked, *own_stack;
static __thread long own;

static void on_signal(int signal)
{
	if (signal == SIGALRM)
		alarms++;
	else
		timer_signals++;
}

static void name_thread(const char *name)
{
	prctl(PR_SET_NAME, name);
}

static __attribute__((noreturn)) void *work(void *arg)
{
	long me = (long)arg;

	name_thread(me ? "worker-b" : "worker-a");
	for (;;) {
		own++;
		worked[me] = own;
		sleep_ns(20000000);
	}
}

/* Sleeps for good, with SIGUSR1 pending for this thread alone. */
static __attribute__((noreturn)) void *sleep_on_futex(void *arg)
{
	sigset_t set;

	name_thread("sleeper");
	pthread_mutex_lock(&mutex);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_kill(pthread_self(), SIGUSR1);
	sigpending(&set);
	sleeper_pending = sigismember(&set, SIGUSR1);
	for (;;)
		pthread_cond_wait(&never, arg);
}

static void queue(int value)
{
	must(sigqueue(getpid(), QUEUED, (union sigval){ .sival_int = value }), "sigqueue");
}

static void set_up_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };
	stack_t stack = { .ss_size = 16 * PAGE };
	sigset_t blocked;

	stack.ss_sp = own_stack = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(sigaltstack(&stack, NULL), "sigaltstack");
	sigaction(SIGALRM, &action, NULL);
	sigaction(TIMER_SIGNAL, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigaddset(&blocked, QUEUED);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	must(kill(getpid(), SIGUSR2), "kill");
	queue(1);
	queue(2);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGHUP);
	signal_fd = must(signalfd(-1, &blocked, SFD_NONBLOCK), "signalfd");
}

static void set_up_timers(void)
{
	struct itimerval interval = { { 0, 70000 }, { 0, 70000 } }, hour = { { 0, 0 }, { 3600, 0 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = TIMER_SIGNAL }, none = { .sigev_notify = SIGEV_NONE };
	struct itimerspec often = { { 0, 60000000 }, { 0, 60000000 } }, once = { { 0, 0 }, { 7200, 0 } };

	must(setitimer(ITIMER_REAL, &interval, NULL), "ITIMER_REAL");
	must(setitimer(ITIMER_PROF, &hour, NULL), "ITIMER_PROF");
	must(timer_create(CLOCK_MONOTONIC, &event, &periodic), "timer_create");
	must(timer_settime(periodic, 0, &often, NULL), "timer_settime");
	must(timer_create(CLOCK_REALTIME, &none, &far_away), "timer_create");
	must(timer_settime(far_away, 0, &once, NULL), "timer_settime");
	ticking_fd = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), "timerfd");
	must(timerfd_settime(ticking_fd, 0, &often, NULL), "timerfd");
	far_fd = must(timerfd_create(CLOCK_REALTIME, 0), "timerfd");
	must(timerfd_settime(far_fd, 0, &once, NULL), "timerfd");
}

static void set_up_descriptors(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0x123456789abcdef0 };

	event_fd = must(eventfd(42, EFD_NONBLOCK), "eventfd");
	epoll_fd = must(epoll_create1(0), "epoll");
	must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event), "epoll");
	event = (struct epoll_event){ .events = EPOLLIN | EPOLLET, .data.fd = far_fd };
	must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, far_fd, &event), "epoll");
}

static void *map(int protection, int flags, int fd, long pages)
{
	void *at = mmap(NULL, pages * PAGE, protection, flags, fd, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static void set_up_memory(void)
{
	memory_fd = must(memfd_create("buffer", MFD_ALLOW_SEALING), "memfd");
	must(ftruncate(memory_fd, 2 * PAGE), "memfd");
	sealed = map(PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 2);
	must(fcntl(memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), "seals");
	shared = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 4);
	locked = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 2);
	must(mlock(locked, PAGE), "mlock");
	must(madvise(locked + PAGE, PAGE, MADV_DONTFORK), "madvise");
	must(mprotect(map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 3), PAGE, PROT_NONE), "mprotect");
	locked[0] = locked[PAGE] = 'l';
}

static void set_up_attributes(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog filter = { 1, &allow };

	must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 256, 512 }), "RLIMIT_NOFILE");
	must(setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }), "RLIMIT_CORE");
	must(setpriority(PRIO_PROCESS, 0, 5), "nice");
	umask(027);
	must(prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), "seccomp");
}

static void set_up_threads(void)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	if (pthread_create(&threads[0], &attributes, work, (void *)0) ||
	    pthread_create(&threads[1], &attributes, work, (void *)1) ||
	    pthread_create(&threads[2], &attributes, sleep_on_futex, &mutex))
		die("pthread_create");
	while (!sleeper_pending)
		sleep_ns(1000000);
}

/* A counter must move at least every second. */
static void expect_moving(const char *name, long now, long *last, long *last_tick)
{
	if (now != *last || *last_tick == 0) {
		*last = now;
		*last_tick = ticks + 1;
	}
	expect(ticks + 1 - *last_tick < 20, "%s has stood still at %ld for a second", name, now);
}

static void expect_counters(void)
{
	static const char *const names[] = { "worker-a", "worker-b", "ITIMER_REAL", "the POSIX timer", "the timerfd" };
	static long last[5], last_tick[5];
	const long now[] = { worked[0], worked[1], alarms, timer_signals, expirations };

	for (int i = 0; i < 5; i++)
		expect_moving(names[i], now[i], &last[i], &last_tick[i]);
}

static void expect_signals(void)
{
	struct timespec nothing = { 0, 0 };
	sigset_t set;
	siginfo_t info;
	int value = ticks % 2 + 1;

	sigpending(&set);
	expect(sigismember(&set, SIGUSR2), "SIGUSR2 is not pending");
	expect(!sigismember(&set, SIGUSR1), "SIGUSR1 is pending for the wrong thread");
	sigemptyset(&set);
	sigaddset(&set, QUEUED);
	expect(sigtimedwait(&set, &info, &nothing) == QUEUED && info.si_value.sival_int == value && info.si_code == SI_QUEUE,
	       "the queued signal has value %d, code %d, not value %d", info.si_value.sival_int, info.si_code, value);
	queue(value);
}

static void expect_timers(void)
{
	struct itimerspec left;
	struct itimerval hour;
	unsigned long long count;

	if (read(ticking_fd, &count, sizeof(count)) == sizeof(count))
		expirations += count;
	expect(timer_gettime(far_away, &left) == 0 && left.it_value.tv_sec > 7000 && left.it_value.tv_sec <= 7200,
	       "the far POSIX timer has %ld s left", (long)left.it_value.tv_sec);
	expect(timerfd_gettime(far_fd, &left) == 0 && left.it_value.tv_sec > 7000 && left.it_value.tv_sec <= 7200,
	       "the far timerfd has %ld s left", (long)left.it_value.tv_sec);
	expect(getitimer(ITIMER_PROF, &hour) == 0 && hour.it_value.tv_sec > 3500, "ITIMER_PROF has %ld s left",
	       (long)hour.it_value.tv_sec);
}

static void expect_descriptors(void)
{
	struct epoll_event event = { 0 };
	struct signalfd_siginfo info;
	unsigned long long count = 0;

	expect(epoll_wait(epoll_fd, &event, 1, 0) == 1 && event.data.u64 == 0x123456789abcdef0, "epoll gives %llx",
	       (unsigned long long)event.data.u64);
	expect(read(event_fd, &count, sizeof(count)) == sizeof(count) && count == 42, "eventfd gives %llu", count);
	count = 42;
	expect(write(event_fd, &count, sizeof(count)) == sizeof(count), "eventfd cannot be written");
	kill(getpid(), SIGHUP);
	expect(read(signal_fd, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGHUP, "signalfd does not give SIGHUP");
}

static void expect_memory(void)
{
	char expected = 'a' + ticks % 26, next = 'a' + (ticks + 1) % 26;

	expect(ticks == 0 || (shared[3 * PAGE] == expected && sealed[PAGE] == expected), "shared memory holds %c and %c, not %c",
	       shared[3 * PAGE], sealed[PAGE], expected);
	shared[3 * PAGE] = sealed[PAGE] = next;
	expect(locked[0] == 'l' && locked[PAGE] == 'l', "private memory differs");
	expect(fcntl(memory_fd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW), "memfd has seals %x", fcntl(memory_fd, F_GET_SEALS));
}

static void expect_attributes(void)
{
	struct rlimit limit = { 0 };
	stack_t stack = { 0 };
	int subreaper = 0;
	mode_t mask = umask(027);

	expect(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 256 && limit.rlim_max == 512, "RLIMIT_NOFILE is %lu",
	       (unsigned long)limit.rlim_cur);
	expect(sigaltstack(NULL, &stack) == 0 && stack.ss_sp == own_stack && stack.ss_size == (size_t)(16 * PAGE),
	       "the alternate stack is another");
	expect(getpriority(PRIO_PROCESS, 0) == 5, "nice is %d", getpriority(PRIO_PROCESS, 0));
	expect(mask == 027, "umask is %o", mask);
	expect(prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper == 1, "it is no subreaper");
	expect(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs is gone");
	expect(prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER, "the seccomp filter is gone");
}

int main(int argc, char **argv)
{
	start(argc, argv, "log");
	set_up_signals();
	set_up_timers();
	set_up_descriptors();
	set_up_memory();
	set_up_attributes();
	set_up_threads();
	say("ready");
	for (;;) {
		expect_counters();
		expect_signals();
		expect_timers();
		expect_descriptors();
		expect_memory();
		expect_attributes();
		end_tick();
	}
}
