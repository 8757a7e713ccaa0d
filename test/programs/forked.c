/*
 * A parent and three children that it forked once it had filled 16 MiB: they share these pages until one of them writes.
 *
 * log: log
 */
#include "program.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define CHILDREN 3
#define BYTES (16 << 20)

int main(int argc, char **argv)
{
	char *memory;

	start(argc, argv, "log");
	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	for (long i = 0; i < BYTES; i += 4096)
		*(long *)(memory + i) = i + 1;
	for (int i = 0; i < CHILDREN; i++) {
		pid_t child = must(fork(), "fork");

		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		say("child %d", child);
	}
	say("ready");
	for (;;) {
		for (long i = 0; i < BYTES; i += 4096)
			expect(*(long *)(memory + i) == i + 1, "page %ld differs", i / 4096);
		end_tick();
	}
}
