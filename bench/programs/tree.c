/* A tree of many tasks, three threads each, eight children a task: tree [TASKS]. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CHILDREN = 8, THREADS = 3, STACK = 64 << 10 };

static void *wait_forever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void add_threads(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	for (int i = 1; i < THREADS; i++)
		if (pthread_create(&thread, &attributes, wait_forever, NULL))
			exit(1);
}

int main(int argc, char **argv)
{
	int tasks = argc > 1 ? atoi(argv[1]) : 400;
	int *up = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int me = 0;
	for (int i = 0; i < CHILDREN; i++) {
		int child = me * CHILDREN + i + 1;
		if (child >= tasks)
			break;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			me = child;
			i = -1;
		}
	}
	add_threads();
	__atomic_add_fetch(up, 1, __ATOMIC_SEQ_CST);
	if (me == 0) {
		while (__atomic_load_n(up, __ATOMIC_SEQ_CST) < tasks)
			usleep(1000);
		puts("ready");
		fflush(stdout);
	}
	for (;;)
		pause();
}
