/*
 * One process with something of everything, its threads and a child, all of it checked at each tick from inside.
 * Threads: a ring of three that hands a token on under a mutex, one in timed waits, one that sleeps and looks at the
 * clock, one that waits in read(2), one in epoll_wait(2) without a timeout, one that computes with all registers of
 * the processor. The child shares memory, an open file and pipes, and computes the same numbers as its parent. The
 * numbers are a chaotic sequence: one lost bit shows in all that follow. `state` holds how far it is, and its bits.
 *
 * log: log
 * criu dump:
 * criu restore:
 */
#include "program.h"
#include <immintrin.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#define QUEUED (SIGRTMIN + 3)
#define TIMER_SIGNAL (SIGRTMIN + 1)
#define PAGE 4096L
#define RING 3
#define STEPS 1000
#define HEAP_NODES 200
#define IN_PIPE 100

static struct {
	volatile long asked, answered;
	volatile double x;
	char pages[4 * PAGE];
} *shared;

static volatile long alarms, timer_signals, hand_overs, timed_waits, sleeps, reads, waits, rounds, expirations;
static volatile const char *volatile thread_failure;
static int data_pipe[2], to_child[2], from_child[2], work_pipe[2], pair[2], unlinked, journal, dup_fd, record_locked, flocked, ofd_locked,
	leased, event_fd, wake_fd, epoll_fd, thread_epoll, signal_fd, ticking_fd, far_fd, state_fd;
static timer_t periodic, far_away;
static char *own_stack, *none, *read_only, *file_private, *file_shared, *anonymous;
static double x = 0.3;

static struct node {
	struct node *next;
	long value;
	char fill[100];
} *heap;

static void fail(const char *what)
{
	if (!thread_failure)
		thread_failure = what;
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* ---- threads */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, timed_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER, never = PTHREAD_COND_INITIALIZER;
static int turn;

static void *ring(void *arg)
{
	long me = (long)arg;

	for (;;) {
		pthread_mutex_lock(&mutex);
		while (turn != me)
			pthread_cond_wait(&turn_changed, &mutex);
		turn = (turn + 1) % RING;
		hand_overs++;
		pthread_cond_broadcast(&turn_changed);
		pthread_mutex_unlock(&mutex);
		sleep_ns(1000000);
	}
	return NULL;
}

static void *wait_timed(void *arg)
{
	struct timespec until;

	for (;;) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 15000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_mutex_lock(&timed_mutex);
		if (pthread_cond_timedwait(&never, &timed_mutex, &until) != ETIMEDOUT)
			fail("a timed wait ended otherwise than by its time");
		pthread_mutex_unlock(&timed_mutex);
		timed_waits++;
	}
	return arg;
}

static void *sleep_long(void *arg)
{
	for (;;) {
		struct timespec request = { 0, 60000000 };
		long long before = now_ns();

		if (nanosleep(&request, sleeps % 2 ? &request : NULL) < 0)
			fail(errno == EINTR ? "a sleep was interrupted" : "a sleep failed");
		else if (now_ns() - before < 60000000)
			fail("a sleep was cut short");
		sleeps++;
	}
	return arg;
}

static void *read_pipe(void *arg)
{
	for (long expected = 0;; expected++) {
		long got = -1;
		ssize_t n = read(work_pipe[0], &got, sizeof(got));

		if (n != sizeof(got))
			fail(n < 0 && errno == EINTR ? "a read was interrupted" : "a read gave less than was written");
		else if (got != expected)
			fail("a read gave something else than was written");
		reads++;
	}
	return arg;
}

static void *wait_epoll(void *arg)
{
	for (;;) {
		struct epoll_event event = { 0 };
		int n = epoll_wait(thread_epoll, &event, 1, -1);
		unsigned long long count;

		/* Any stop may do that, signal(7), so it is told and no failure. */
		if (n < 0 && errno == EINTR)
			say("epoll_wait was interrupted");
		else if (n != 1 || event.data.u64 != 77)
			fail("epoll_wait gave something else");
		else if (read(wake_fd, &count, sizeof(count)) != sizeof(count))
			fail("the eventfd was not readable");
		waits++;
	}
	return arg;
}

#define LOAD(n) "vmovdqu " #n "*32(%[in]), %%ymm" #n "\n"
#define STORE(n) "vmovdqu %%ymm" #n ", " #n "*32(%[out])\n"
#define ALL(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11) do(12) do(13) do(14) do(15)

/* Holds a pattern in all vector registers, and counts in others, for some milliseconds without a call. */
static __attribute__((target("avx2"))) void *compute(void *arg)
{
	static unsigned char in[16 * 32], out[16 * 32];
	unsigned control = _mm_getcsr();

	for (;;) {
		unsigned long left = 3000000, r8 = 0x8888888888888888;

		for (unsigned i = 0; i < sizeof(in); i++)
			in[i] = i * 7 + rounds;
		asm volatile(ALL(LOAD) "1: add $1, %[r8]\n dec %[left]\n jnz 1b\n" ALL(STORE)
			     : [left] "+r"(left), [r8] "+r"(r8)
			     : [in] "r"(in), [out] "r"(out)
			     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
		if (memcmp(in, out, sizeof(in)) || r8 != 0x8888888888888888 + 3000000)
			fail("the registers of the processor differ");
		if (_mm_getcsr() != control)
			fail("the control word of SSE differs");
		rounds++;
		sleep_ns(5000000);
	}
	return arg;
}

static void begin(void *(*run)(void *), long arg)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	if (pthread_create(&thread, &attributes, run, (void *)arg))
		die("pthread_create");
}

/* ---- the child */

static void step(double *at)
{
	for (int i = 0; i < STEPS; i++)
		*at = 3.9 * *at * (1 - *at);
}

static __attribute__((noreturn)) void answer(void)
{
	long number;

	role = "child";
	while (read(to_child[0], &number, sizeof(number)) == sizeof(number)) {
		step(&x);
		shared->x = x;
		shared->answered = number;
		if (write(journal, "c", 1) != 1 || write(from_child[1], &number, sizeof(number)) != sizeof(number))
			_exit(4);
	}
	_exit(0);
}

/* ---- signals and timers */

static void on_signal(int signal)
{
	if (signal == SIGALRM)
		alarms++;
	else
		timer_signals++;
}

static void queue(int value)
{
	must(sigqueue(getpid(), QUEUED, (union sigval){ .sival_int = value }), "sigqueue");
}

static void block(int how, int one, int other, int third)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, one);
	sigaddset(&set, other);
	sigaddset(&set, third);
	must(sigprocmask(how, &set, NULL), "sigprocmask");
}

static void set_up_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };
	stack_t stack = { .ss_size = 16 * PAGE };
	sigset_t hup;

	stack.ss_sp = own_stack = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(sigaltstack(&stack, NULL), "sigaltstack");
	sigaction(SIGALRM, &action, NULL);
	sigaction(TIMER_SIGNAL, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	block(SIG_BLOCK, QUEUED, SIGHUP, SIGUSR2);
	must(kill(getpid(), SIGUSR2), "kill");
	queue(1);
	queue(2);
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	signal_fd = must(signalfd(-1, &hup, SFD_NONBLOCK), "signalfd");
}

static void set_up_timers(void)
{
	struct itimerval interval = { { 0, 70000 }, { 0, 70000 } }, hour = { { 0, 0 }, { 3600, 0 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = TIMER_SIGNAL }, silent = { .sigev_notify = SIGEV_NONE };
	struct itimerspec often = { { 0, 60000000 }, { 0, 60000000 } }, once = { { 0, 0 }, { 7200, 0 } };

	must(setitimer(ITIMER_REAL, &interval, NULL), "ITIMER_REAL");
	must(setitimer(ITIMER_VIRTUAL, &hour, NULL), "ITIMER_VIRTUAL");
	must(setitimer(ITIMER_PROF, &hour, NULL), "ITIMER_PROF");
	must(timer_create(CLOCK_MONOTONIC, &event, &periodic), "timer_create");
	must(timer_settime(periodic, 0, &often, NULL), "timer_settime");
	must(timer_create(CLOCK_REALTIME, &silent, &far_away), "timer_create");
	must(timer_settime(far_away, 0, &once, NULL), "timer_settime");
	ticking_fd = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), "timerfd");
	must(timerfd_settime(ticking_fd, 0, &often, NULL), "timerfd");
	far_fd = must(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC), "timerfd");
	must(timerfd_settime(far_fd, 0, &once, NULL), "timerfd");
}

/* ---- memory and files */

static void *map(int protection, int flags, int fd, long pages)
{
	void *at = mmap(NULL, pages * PAGE, protection, flags, fd, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static void set_up_memory(void)
{
	int fd;

	create_filled("mapped", 'm', 4 * PAGE);
	fd = must(open("mapped", O_RDWR), "mapped");
	shared = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 8);
	anonymous = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 64);
	none = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 3);
	memset(none, 'n', 3 * PAGE);
	must(mprotect(none, 3 * PAGE, PROT_NONE), "mprotect");
	read_only = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 2);
	memset(read_only, 'r', 2 * PAGE);
	must(mprotect(read_only, 2 * PAGE, PROT_READ), "mprotect");
	file_private = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4);
	file_private[PAGE] = 'p';
	file_shared = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4);
	close(fd);
	for (long i = 0; i < HEAP_NODES; i++) {
		struct node *node = malloc(sizeof(*node) + i * 16);

		node->value = i;
		node->next = heap;
		heap = node;
	}
}

static void set_up_files(void)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20 };
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0x123456789abcdef0 }, wake = { .events = EPOLLIN, .data.u64 = 77 };

	must(pipe2(data_pipe, O_NONBLOCK), "pipe");
	for (long i = 0; i < IN_PIPE; i++)
		must(write(data_pipe[1], &i, sizeof(i)), "pipe");
	must(pipe(to_child) | pipe(from_child) | pipe(work_pipe), "pipe");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	must(write(pair[0], "waiting", 7), "socketpair");
	unlinked = create("unlinked", O_RDWR);
	must(unlink("unlinked"), "unlink");
	journal = create("journal", O_WRONLY | O_APPEND);
	state_fd = create("state", O_RDWR);
	dup_fd = must(fcntl(state_fd, F_DUPFD_CLOEXEC, 60), "dup");
	create_filled("posix", '.', PAGE);
	create_filled("flock", '.', PAGE);
	create_filled("ofd", '.', PAGE);
	create_filled("lease", '.', PAGE);
	record_locked = must(open("posix", O_RDWR), "posix");
	must(fcntl(record_locked, F_SETLK, &whole), "F_SETLK");
	flocked = must(open("flock", O_RDWR), "flock");
	must(flock(flocked, LOCK_EX | LOCK_NB), "flock");
	ofd_locked = must(open("ofd", O_RDWR), "ofd");
	must(fcntl(ofd_locked, F_OFD_SETLK, &whole), "F_OFD_SETLK");
	leased = must(open("lease", O_RDONLY), "lease");
	must(fcntl(leased, F_SETLEASE, F_RDLCK), "F_SETLEASE");
	event_fd = must(eventfd(42, EFD_NONBLOCK), "eventfd");
	wake_fd = must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
	epoll_fd = must(epoll_create1(0), "epoll");
	must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event), "epoll");
	thread_epoll = must(epoll_create1(EPOLL_CLOEXEC), "epoll");
	must(epoll_ctl(thread_epoll, EPOLL_CTL_ADD, wake_fd, &wake), "epoll");
}

/* ---- what each tick looks at */

static void expect_moving(const char *name, long now, long *last, long *last_tick)
{
	if (now != *last || *last_tick == 0) {
		*last = now;
		*last_tick = ticks + 1;
	}
	expect(ticks + 1 - *last_tick < 40, "%s has stood still at %ld for two seconds", name, now);
}

static void expect_counters(void)
{
	static const char *const names[] = { "ITIMER_REAL", "the POSIX timer", "the ring of threads", "timed waits", "sleeps",
					     "reads", "epoll_wait", "computing", "the timerfd" };
	static long last[9], last_tick[9];
	const long now[] = { alarms, timer_signals, hand_overs, timed_waits, sleeps, reads, waits, rounds, expirations };

	for (int i = 0; i < 9; i++)
		expect_moving(names[i], now[i], &last[i], &last_tick[i]);
	expect(!thread_failure, "%s", (const char *)thread_failure);
}

static void expect_signals(void)
{
	struct timespec nothing = { 0, 0 };
	sigset_t set;
	siginfo_t info = { 0 };
	stack_t stack = { 0 };
	struct sigaction action = { 0 };
	int value = ticks % 2 + 1;

	sigpending(&set);
	expect(sigismember(&set, SIGUSR2) && !sigismember(&set, SIGIO), "other signals are pending");
	sigemptyset(&set);
	sigaddset(&set, QUEUED);
	expect(sigtimedwait(&set, &info, &nothing) == QUEUED && info.si_value.sival_int == value && info.si_code == SI_QUEUE,
	       "the queued signal has value %d, not %d", info.si_value.sival_int, value);
	queue(value);
	expect(sigaltstack(NULL, &stack) == 0 && stack.ss_sp == own_stack && stack.ss_size == (size_t)(16 * PAGE),
	       "the alternate stack is another");
	expect(sigaction(SIGALRM, NULL, &action) == 0 && action.sa_handler == on_signal && action.sa_flags & SA_ONSTACK,
	       "the handler of SIGALRM is another");
	sigprocmask(SIG_BLOCK, NULL, &set);
	expect(sigismember(&set, SIGHUP) && sigismember(&set, QUEUED) && !sigismember(&set, SIGALRM) && !sigismember(&set, SIGINT),
	       "other signals are blocked");
}

static void expect_timers(void)
{
	struct itimerspec left = { 0 };
	struct itimerval hour = { 0 };
	unsigned long long count;

	if (read(ticking_fd, &count, sizeof(count)) == sizeof(count))
		expirations += count;
	expect(timer_gettime(far_away, &left) == 0 && left.it_value.tv_sec > 6000 && left.it_value.tv_sec <= 7200,
	       "the far POSIX timer has %ld s left", (long)left.it_value.tv_sec);
	expect(timerfd_gettime(far_fd, &left) == 0 && left.it_value.tv_sec > 6000 && left.it_value.tv_sec <= 7200,
	       "the far timerfd has %ld s left", (long)left.it_value.tv_sec);
	expect(getitimer(ITIMER_PROF, &hour) == 0 && hour.it_value.tv_sec > 3000, "ITIMER_PROF has %ld s left",
	       (long)hour.it_value.tv_sec);
	expect(getitimer(ITIMER_VIRTUAL, &hour) == 0 && hour.it_value.tv_sec > 3000, "ITIMER_VIRTUAL has %ld s left",
	       (long)hour.it_value.tv_sec);
}

static int has_lock(int fd, const char *what)
{
	char path[64], text[2048] = { 0 };
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	if (info < 0 || read(info, text, sizeof(text) - 1) < 0)
		return 0;
	close(info);
	return strstr(text, what) != NULL;
}

static void expect_files(void)
{
	struct epoll_event event = { 0 };
	struct signalfd_siginfo info;
	unsigned long long count = 0;
	long number = -1, back = -1;
	struct stat stat = { 0 };
	char text[8] = { 0 };

	expect(read(data_pipe[0], &number, sizeof(number)) == sizeof(number) && number == ticks, "the pipe holds %ld, not %ld", number,
	       ticks);
	number = ticks + IN_PIPE;
	expect(write(data_pipe[1], &number, sizeof(number)) == sizeof(number), "the pipe is full");
	expect(pwrite(unlinked, &ticks, sizeof(ticks), 3 * PAGE) == sizeof(ticks) && fstat(unlinked, &stat) == 0 && stat.st_nlink == 0,
	       "the unlinked file has %ld names", (long)stat.st_nlink);
	expect(pread(unlinked, &back, sizeof(back), 2 * PAGE) >= 0 && (ticks == 0 || back == ticks - 1), "the unlinked file holds %ld", back);
	expect(pwrite(unlinked, &ticks, sizeof(ticks), 2 * PAGE) == sizeof(ticks), "the unlinked file cannot be written");
	expect(read(pair[1], text, 7) == 7 && !memcmp(text, "waiting", 7), "the socket holds \"%s\"", text);
	expect(write(pair[0], "waiting", 7) == 7, "the socket cannot be written");
	expect(has_lock(record_locked, "POSIX  ADVISORY  WRITE"), "the POSIX lock is gone");
	expect(has_lock(flocked, "FLOCK  ADVISORY  WRITE"), "the flock is gone");
	expect(has_lock(ofd_locked, "OFDLCK ADVISORY  WRITE"), "the OFD lock is gone");
	expect(fcntl(leased, F_GETLEASE) == F_RDLCK && has_lock(leased, "LEASE  ACTIVE"), "the lease is gone");
	expect(fcntl(dup_fd, F_GETFD) == FD_CLOEXEC && fcntl(state_fd, F_GETFD) == 0, "FD_CLOEXEC differs");
	expect(lseek(dup_fd, 0, SEEK_CUR) == ticks, "a duplicate has the offset %ld", (long)lseek(dup_fd, 0, SEEK_CUR));
	lseek(state_fd, ticks + 1, SEEK_SET);
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
	long nodes = 0;

	for (struct node *node = heap; node; node = node->next, nodes++)
		expect(node->value == HEAP_NODES - 1 - nodes, "the heap is damaged at node %ld", nodes);
	expect(nodes == HEAP_NODES, "the heap holds %ld nodes", nodes);
	for (long page = 0; page < 64; page++) {
		expect(ticks == 0 || anonymous[page * PAGE + page] == expected, "anonymous page %ld differs", page);
		anonymous[page * PAGE + page] = next;
	}
	expect(ticks == 0 || (shared->pages[PAGE] == expected && file_shared[2 * PAGE] == expected), "shared memory differs");
	shared->pages[PAGE] = file_shared[2 * PAGE] = next;
	expect(file_private[PAGE] == 'p' && file_private[0] == 'm' && file_private[2 * PAGE] == file_shared[2 * PAGE], "a private mapping differs");
	expect(read_only[PAGE + 1] == 'r' && must(mprotect(none, 3 * PAGE, PROT_READ), "mprotect") == 0 && none[2 * PAGE] == 'n',
	       "protected memory differs");
	must(mprotect(none, 3 * PAGE, PROT_NONE), "mprotect");
}

static void expect_work(void)
{
	unsigned long long one = 1;
	struct {
		long ticks;
		double x;
	} state = { ticks + 1, 0 };
	long number = ticks, back = -1;

	expect(write(work_pipe[1], &number, sizeof(number)) == sizeof(number), "the pipe of the thread is full");
	expect(write(wake_fd, &one, sizeof(one)) == sizeof(one), "the eventfd of the thread cannot be written");
	shared->asked = number;
	expect(write(to_child[1], &number, sizeof(number)) == sizeof(number), "the child cannot be asked");
	step(&x);
	expect(read(from_child[0], &back, sizeof(back)) == sizeof(back) && back == number && shared->answered == number,
	       "the child answers %ld, not %ld", back, number);
	state.x = x;
	expect(!memcmp(&state.x, (const void *)&shared->x, sizeof(state.x)), "the child computes %a, not %a", shared->x, x);
	expect(pwrite(state_fd, &state, sizeof(state), 0) == sizeof(state), "the state cannot be written");
}

int main(int argc, char **argv)
{
	start(argc, argv, "log");
	set_up_memory();
	set_up_files();
	if (must(fork(), "fork") == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer();
	}
	set_up_signals();
	set_up_timers();
	/* A handler in another thread would end its calls: the signals of timers are for this one. */
	block(SIG_BLOCK, SIGALRM, TIMER_SIGNAL, SIGIO);
	for (long i = 0; i < RING; i++)
		begin(ring, i);
	begin(wait_timed, 0);
	begin(sleep_long, 0);
	begin(read_pipe, 0);
	begin(wait_epoll, 0);
	if (__builtin_cpu_supports("avx2"))
		begin(compute, 0);
	block(SIG_UNBLOCK, SIGALRM, TIMER_SIGNAL, SIGIO);
	say("ready");
	for (;;) {
		expect_counters();
		expect_signals();
		expect_timers();
		expect_files();
		expect_memory();
		expect_work();
		end_tick();
	}
}
