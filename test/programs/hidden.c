/*
 * A program that runs from a memory file: it copies itself into one and executes that, so that its program has no path.
 *
 * log: log
 * criu dump:
 * criu restore:
 */
#include "program.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

static void run_from_memory(char **argv)
{
	int self = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "open of the program");
	int memory = must(memfd_create("hidden", MFD_CLOEXEC), "memfd_create");
	struct stat stat;

	must(fstat(self, &stat), "fstat");
	must(sendfile(memory, self, NULL, stat.st_size) == stat.st_size ? 0 : -1, "sendfile");
	fexecve(memory, argv, (char *[]){ "IN_MEMORY=1", NULL });
	die("fexecve");
}

int main(int argc, char **argv)
{
	if (!getenv("IN_MEMORY"))
		run_from_memory(argv);
	start(argc, argv, "log");
	say("ready");
	for (;;)
		end_tick();
}
