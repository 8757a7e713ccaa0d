/*
 * Guard pages of MADV_GUARD_INSTALL: in the middle of anonymous memory, across two areas with other permissions, in locked
 * memory, in a private and a shared mapping of a file, in shared anonymous memory, and below the stacks of threads, as C
 * libraries put them there. Each goes on faulting, and what is beside it keeps its contents.
 *
 * log: log
 */
#include "program.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#define PAGE 4096L
#define PAGES 8
#define THREADS 3
#define STACK (64 * PAGE)
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Areas of PAGES pages, each filled with its letter but for the pages from FIRST to LAST, which are guards. */
static struct {
	const char *name;
	char *at;
	int first, last;
} areas[16];
static int nr_areas;
static char *stacks[THREADS];
static volatile long counts[THREADS];
static sigjmp_buf back;

static void guard(char *at, long size)
{
	must(madvise(at, size, MADV_GUARD_INSTALL), "MADV_GUARD_INSTALL");
}

static char *map(long size, int flags, int fd)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static char *add(const char *name, int flags, int fd, int first, int last)
{
	char *at = map(PAGES * PAGE, flags, fd);

	memset(at, 'a' + nr_areas, PAGES * PAGE);
	guard(at + first * PAGE, (last - first + 1) * PAGE);
	areas[nr_areas].name = name;
	areas[nr_areas].at = at;
	areas[nr_areas].first = first;
	areas[nr_areas++].last = last;
	return at;
}

static void on_fault(int signal)
{
	siglongjmp(back, signal);
}

static int faults(char *at)
{
	int signal = sigsetjmp(back, 1);

	if (signal)
		return signal == SIGSEGV;
	(void)*(volatile char *)at;
	return 0;
}

static void *count(void *own)
{
	volatile char room[16 * PAGE];

	for (;;) {
		room[0] = room[sizeof(room) - 1] = 's';
		++*(volatile long *)own;
		sleep_ns(TICK_NS / 5);
	}
	return NULL;
}

static void set_up(void)
{
	int private = MAP_PRIVATE | MAP_ANONYMOUS;
	char *at;
	int fd;

	add("the middle", private, -1, 3, 4);
	add("the first page", private, -1, 0, 0);
	add("the last page", private, -1, PAGES - 1, PAGES - 1);
	at = add("two areas", private, -1, 3, 4);
	must(mprotect(at, 4 * PAGE, PROT_READ), "mprotect");
	at = add("locked memory", private, -1, 2, 3);
	/* The pages that it cannot fault in are told, and it is locked all the same. */
	if (mlock(at, PAGES * PAGE) < 0 && errno != ENOMEM && errno != EFAULT)
		die("mlock");
	create_filled("data", 'd', PAGES * PAGE);
	fd = must(open("data", O_RDWR), "data");
	if (madvise(map(PAGES * PAGE, MAP_SHARED, fd), PAGE, MADV_GUARD_INSTALL) == 0) {
		/* Linux 6.15. */
		add("a private file", MAP_PRIVATE, fd, 1, 2);
		add("a shared file", MAP_SHARED, fd, 5, 6);
		add("shared memory", MAP_SHARED | MAP_ANONYMOUS, -1, 4, 4);
	}
	close(fd);
}

static void start_threads(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	for (int i = 0; i < THREADS; i++) {
		stacks[i] = map(STACK, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1);
		guard(stacks[i], PAGE);
		pthread_attr_setstack(&attributes, stacks[i] + PAGE, STACK - PAGE);
		if (pthread_create(&thread, &attributes, count, (void *)&counts[i]) != 0)
			die("pthread_create");
	}
}

static void expect_area(int i)
{
	for (int page = 0; page < PAGES; page++) {
		char *at = areas[i].at + page * PAGE;
		char want = 'a' + i;

		if (page >= areas[i].first && page <= areas[i].last)
			expect(faults(at) && faults(at + PAGE - 1), "%s: page %d is no guard page", areas[i].name, page);
		else if (faults(at))
			expect(0, "%s: page %d faults", areas[i].name, page);
		else
			expect(at[0] == want && at[PAGE - 1] == want, "%s: page %d has %d", areas[i].name, page, at[0]);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_fault };
	long last[THREADS] = { 0 };

	start(argc, argv, "log");
	sigaction(SIGSEGV, &action, NULL);
	set_up();
	start_threads();
	say("ready");
	for (;;) {
		for (int i = 0; i < nr_areas; i++)
			expect_area(i);
		for (int i = 0; i < THREADS; i++) {
			expect(faults(stacks[i]), "stack %d has no guard page", i);
			expect(ticks == 0 || counts[i] > last[i], "thread %d stands still", i);
			last[i] = counts[i];
		}
		end_tick();
	}
}
