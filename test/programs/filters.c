/*
 * Seccomp filters that single threads have for themselves: one is killed, with all others, by the calls that a checkpoint
 * would make in it, another one gets EPERM from them; the leader has none. All go on counting.
 *
 * log: log
 */
#include "program.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define THREADS 2

static const unsigned actions[THREADS] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ERRNO | EPERM };
static volatile long counts[THREADS];
static volatile int filtered;

/* Forbids the calls that ask a thread for its state, and those that map memory. */
static void filter(unsigned action)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sigaltstack, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, action),
	};
	struct sock_fprog whole = { sizeof(program) / sizeof(*program), program };

	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole), "seccomp");
}

static __attribute__((noreturn)) void *count(void *number)
{
	int i = *(const int *)number;

	filter(actions[i]);
	__sync_fetch_and_add(&filtered, 1);
	for (;;) {
		/* The filter is still there. */
		if (i == 0 || (syscall(SYS_sigaltstack, NULL, NULL) < 0 && errno == EPERM))
			counts[i]++;
		sleep_ns(TICK_NS / 5);
	}
}

static int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int c, lines = 0;

	while (maps && (c = fgetc(maps)) != EOF)
		lines += c == '\n';
	if (maps)
		fclose(maps);
	return lines;
}

int main(int argc, char **argv)
{
	static const int numbers[THREADS] = { 0, 1 };
	long last[THREADS] = { 0 };
	pthread_t thread;
	int areas, now;

	start(argc, argv, "log");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, count, (void *)&numbers[i]) != 0)
			die("pthread_create");
	while (filtered < THREADS)
		sleep_ns(TICK_NS);
	mappings();
	areas = mappings();
	say("ready");
	for (;;) {
		now = mappings();
		expect(now == areas, "%d mappings, not %d", now, areas);
		for (int i = 0; i < THREADS; i++) {
			expect(ticks == 0 || counts[i] > last[i], "thread %d stands still", i);
			last[i] = counts[i];
		}
		end_tick();
	}
}
