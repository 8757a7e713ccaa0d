/*
 * Memory of every kind, in a parent and a child that see one another's writes: private and shared mappings of files, with
 * pages of their own and holes behind the end; shared anonymous memory, a memfd mapped by both and open in neither, System V
 * segments (one with a key, one removed already); a stack and a program break that go on growing; memory without access,
 * locked, with advice, droppable, of a terabyte without reserve, read-only with written pages; the vDSO, the auxiliary vector.
 *
 * log: log
 */
#include "program.h"
#include <elf.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PAGE 4096L
#define TERABYTE (1L << 40)
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif
#define MOST_AREAS 32

/* Shared memory of several kinds; parent and child count in each by turns. */
struct counters {
	volatile long parent, child;
};

static struct {
	const char *name;
	struct counters *at;
} both[8];
static int kinds;
static pid_t child;
static struct {
	char *at;
	long pages;
	char text[512];
} areas[MOST_AREAS];
static int nr_areas;
static char *private_file, *shared_file, *past_end, *no_access, *read_only, *sparse, *droppable, *heap;
static int keyed, removed;
static char auxv_at_start[1024];
static long auxv_bytes;
static sigjmp_buf back;

static void *map(long pages, int protection, int flags, int fd)
{
	void *at = mmap(NULL, pages * PAGE, protection, flags, fd, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static void fill(char *at, long pages, char first)
{
	for (long i = 0; i < pages; i++)
		memset(at + i * PAGE, first + i, PAGE);
}

static int holds(const char *at, long pages, char first)
{
	for (long i = 0; i < pages; i++)
		for (long j = 0; j < PAGE; j += 64)
			if (at[i * PAGE + j] != (char)(first + i))
				return 0;
	return 1;
}

/* Address range, permissions and VmFlags of what is mapped at AT, as smaps shows them. */
static void describe(char *at, char *text, size_t size)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	char line[512];
	unsigned long start, end;
	int inside = 0;

	*text = 0;
	while (smaps && fgets(line, sizeof(line), smaps)) {
		char permissions[8];

		if (sscanf(line, "%lx-%lx %7s", &start, &end, permissions) == 3) {
			inside = (unsigned long)at >= start && (unsigned long)at < end;
			if (inside)
				snprintf(text, size, "%lx-%lx %s", start, end, permissions);
		} else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(text + strlen(text), size - strlen(text), " %.*s", (int)strcspn(line + 9, "\n"), line + 9);
		else if (inside && strncmp(line, "Locked:", 7) == 0)
			snprintf(text + strlen(text), size - strlen(text), " %.*s", (int)strcspn(line, "\n"), line);
	}
	if (smaps)
		fclose(smaps);
}

/* Remembers how an area is described. */
static void *watch(void *at)
{
	areas[nr_areas++].at = at;
	return at;
}

static void *advised(int advice)
{
	/* Pages without access around it keep it from being merged with its neighbours. */
	char *at = map(4, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	must(mprotect(at + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE), "mprotect");
	fill(at + PAGE, 2, 'A');
	if (madvise(at + PAGE, 2 * PAGE, advice) < 0 && errno != EINVAL)
		die("madvise");
	return watch(at + PAGE);
}

static void share(const char *name, void *at)
{
	both[kinds].name = name;
	both[kinds++].at = at;
	watch(at);
}

static void *attach(int id)
{
	void *at = shmat(id, NULL, 0);

	if (at == (void *)-1)
		die("shmat");
	return at;
}

static void set_up_files(void)
{
	int fd;

	create_filled("data", 'd', 3 * PAGE);
	fd = must(open("data", O_RDWR), "data");
	private_file = watch(map(3, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd));
	memset(private_file + PAGE, 'P', PAGE);
	read_only = watch(map(3, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd));
	memset(read_only + 2 * PAGE, 'R', PAGE);
	must(mprotect(read_only, 3 * PAGE, PROT_READ), "mprotect");
	close(fd);
	create_filled("short", 's', 100);
	fd = must(open("short", O_RDONLY), "short");
	past_end = watch(map(4, PROT_READ, MAP_SHARED, fd));
	close(fd);
	create_filled("counted", 0, PAGE);
	fd = must(open("counted", O_RDWR), "counted");
	shared_file = map(1, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	share("the shared file", shared_file);
	close(fd);
}

static void set_up_shared(void)
{
	int fd = must(memfd_create("both", 0), "memfd");

	share("anonymous memory", map(5, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1));
	must(ftruncate(fd, 3 * PAGE), "memfd");
	share("the memfd", map(3, PROT_READ | PROT_WRITE, MAP_SHARED, fd));
	close(fd);
	keyed = must(shmget(getpid() + 0x5150000, 2 * PAGE, IPC_CREAT | IPC_EXCL | 0640), "shmget");
	share("the segment with a key", attach(keyed));
	removed = must(shmget(IPC_PRIVATE, 3 * PAGE, 0600), "shmget");
	share("the removed segment", attach(removed));
	must(shmctl(removed, IPC_RMID, NULL), "IPC_RMID");
	/* Only the child maps it read-only, at its own place. */
}

static void set_up_private(void)
{
	static const int advices[] = { MADV_DONTFORK, MADV_WIPEONFORK, MADV_DONTDUMP, MADV_MERGEABLE, MADV_HUGEPAGE,
				       MADV_NOHUGEPAGE, MADV_SEQUENTIAL, MADV_RANDOM };
	char *locked, *on_fault;

	for (unsigned i = 0; i < sizeof(advices) / sizeof(*advices); i++)
		advised(advices[i]);
	no_access = watch(map(2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
	fill(no_access, 2, 'n');
	must(mprotect(no_access, 2 * PAGE, PROT_NONE), "mprotect");
	locked = watch(map(2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
	must(mlock(locked, 2 * PAGE), "mlock");
	on_fault = watch(map(2, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1));
	must(mlock2(on_fault, 2 * PAGE, MLOCK_ONFAULT), "mlock2");
	sparse = watch(map(TERABYTE / PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1));
	memset(sparse + TERABYTE / 2, 't', PAGE);
	droppable = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_DROPPABLE, -1, 0);
	if (droppable != MAP_FAILED)
		watch(droppable);
	heap = sbrk(0);
	auxv_bytes = prctl(PR_GET_AUXV, auxv_at_start, sizeof(auxv_at_start), 0, 0);
	watch((void *)getauxval(AT_SYSINFO_EHDR));
}

static void on_fault(int signal)
{
	siglongjmp(back, signal);
}

static int faults(const char *at)
{
	int signal = sigsetjmp(back, 1);

	if (signal)
		return signal;
	(void)*(volatile const char *)at;
	return 0;
}

/* Uses STACK more bytes of stack. */
static long recurse(long stack)
{
	volatile char room[16384];

	room[0] = room[sizeof(room) - 1] = (char)stack;
	return stack < (long)sizeof(room) ? room[0] : recurse(stack - (long)sizeof(room)) + room[sizeof(room) - 1];
}

static void expect_areas(void)
{
	char text[512];

	for (int i = 0; i < nr_areas; i++) {
		describe(areas[i].at, text, sizeof(text));
		if (!*areas[i].text)
			strcpy(areas[i].text, text);
		expect(strcmp(text, areas[i].text) == 0, "area %d is \"%s\", not \"%s\"", i, text, areas[i].text);
	}
}

static void expect_contents(void)
{
	expect(private_file[0] == 'd' && private_file[PAGE] == 'P' && private_file[2 * PAGE] == 'd', "the private file differs");
	expect(read_only[0] == 'd' && read_only[2 * PAGE] == 'R', "the read-only file differs");
	expect(past_end[99] == 's' && past_end[100] == 0, "the short file differs");
	expect(faults(past_end + 2 * PAGE) == SIGBUS, "there is something behind the end of the short file");
	expect(faults(no_access) == SIGSEGV, "memory without access can be read");
	must(mprotect(no_access, 2 * PAGE, PROT_READ), "mprotect");
	expect(holds(no_access, 2, 'n'), "memory without access was lost");
	must(mprotect(no_access, 2 * PAGE, PROT_NONE), "mprotect");
	expect(holds(sparse + TERABYTE / 2, 1, 't') && sparse[0] == 0 && sparse[TERABYTE - 1] == 0, "the sparse area differs");
	if (droppable != MAP_FAILED)
		droppable[0] = 'x';
}

static void expect_growth(void)
{
	static char *last;
	struct timespec now;
	char auxv[1024];
	char *more = sbrk(PAGE);

	if (!last)
		last = heap;
	expect(more == last, "the program break was at %p, not at %p", (void *)more, (void *)last);
	last = more + PAGE;
	memset(more, 'h', PAGE);
	if (more > heap)
		expect(holds(more - PAGE, 1, 'h'), "the heap differs");
	recurse(20000 * (ticks % 300));
	expect(prctl(PR_GET_AUXV, auxv, sizeof(auxv), 0, 0) == auxv_bytes && memcmp(auxv, auxv_at_start, auxv_bytes) == 0,
	       "the auxiliary vector is another");
	expect(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec > 0, "the clock does not work");
}

static void expect_segment(int id, int key, unsigned mode, long pages)
{
	struct shmid_ds info = { 0 };

	if (id == removed)
		return;
	expect(shmctl(id, IPC_STAT, &info) == 0, "segment %d is gone: %s", id, strerror(errno));
	expect(info.shm_perm.__key == key && (info.shm_perm.mode & 0777) == mode && info.shm_segsz == (size_t)(pages * PAGE),
	       "segment %d has key %x, mode %o, %lu bytes", id, info.shm_perm.__key, info.shm_perm.mode, info.shm_segsz);
	expect(info.shm_nattch == 2, "segment %d is attached %lu times", id, info.shm_nattch);
}

/* The parent adds one whenever the child has followed, and the other way round. */
static void expect_sharing(int is_child)
{
	static long last[8], since[8];

	for (int i = 0; i < kinds; i++) {
		struct counters *at = both[i].at;
		long now = is_child ? at->parent : at->child;

		if (is_child) {
			if (at->child < at->parent)
				at->child++;
		} else if (at->parent == at->child)
			at->parent++;
		if (now != last[i] || !since[i]) {
			last[i] = now;
			since[i] = ticks + 1;
		}
		expect(ticks + 1 - since[i] < 40, "%s has not been counted in by the other side", both[i].name);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_fault };

	start(argc, argv, "log");
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	set_up_files();
	set_up_shared();
	child = must(fork(), "fork");
	if (!child) {
		int parent = getppid();

		role = "child";
		for (;;) {
			expect_sharing(1);
			if (getppid() != parent)
				_exit(0);
			end_tick();
		}
	}
	set_up_private();
	expect_areas();
	for (int i = 0; i < kinds; i++)
		while (both[i].at->child < 1) {
			expect_sharing(0);
			sleep_ns(5000000);
		}
	say("segment %d", keyed);
	say("ready");
	for (;;) {
		expect_areas();
		expect_contents();
		expect_growth();
		expect_sharing(0);
		expect_segment(keyed, getpid() + 0x5150000, 0640, 2);
		expect(waitpid(child, NULL, WNOHANG) == 0, "the child has ended");
		end_tick();
	}
}
