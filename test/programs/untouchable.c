/*
 * Processes that no call may be made in from outside: one traced by its parent, one that waits for its child in vfork(2), one
 * in namespaces of its own, one whose thread has descriptors and a working directory of its own, one whose first thread has
 * ended. The root names them in its log.
 *
 * log: log
 */
#include "program.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static int ready[2];

static void tell(void)
{
	if (write(ready[1], "r", 1) != 1)
		_exit(3);
}

static void wait_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void *separate(void *arg)
{
	must(unshare(CLONE_FILES | CLONE_FS), "unshare");
	tell();
	wait_for_ever();
	return arg;
}

static void *outlive(void *arg)
{
	sleep_ns(50000000);
	tell();
	wait_for_ever();
	return arg;
}

static void be_traced(void)
{
	must(ptrace(PTRACE_TRACEME, 0, 0, 0), "PTRACE_TRACEME");
	tell();
	wait_for_ever();
}

static void be_in_vfork(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (vfork() == 0) {
		tell();
		wait_for_ever();
	}
	_exit(0);
}

static void be_elsewhere(void)
{
	must(unshare(CLONE_NEWUTS | CLONE_NEWIPC), "unshare");
	tell();
	wait_for_ever();
}

static void be_separate(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, separate, NULL))
		die("pthread_create");
	wait_for_ever();
}

static void be_outlived(void)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pthread_create(&thread, NULL, outlive, NULL))
		die("pthread_create");
	pthread_exit(NULL);
}

static void begin(const char *name, void (*be)(void))
{
	char byte;
	pid_t pid = must(fork(), "fork");

	if (!pid) {
		be();
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		die(name);
	say("%s %d", name, pid);
}

int main(int argc, char **argv)
{
	start(argc, argv, "log");
	must(pipe(ready), "pipe");
	begin("traced", be_traced);
	begin("vfork", be_in_vfork);
	begin("elsewhere", be_elsewhere);
	begin("separate", be_separate);
	begin("outlived", be_outlived);
	say("ready");
	for (;;)
		end_tick();
}
