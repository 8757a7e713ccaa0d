/*
 * What an image does not hold but tasks can do without: CPUs, I/O priority, timer slack, SCHED_RESET_ON_FORK, sealed memory,
 * a login uid, waits with timeouts, the credentials of the peers of unix sockets, the core dump of a zombie. The log has
 * what the host did not give as -1.
 *
 * log: log
 */
#include "program.h"
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE (3 << 13)
#define WAITERS 5
#define HOUR_MS 3600000

static int take_last_cpu(void)
{
	cpu_set_t all, one;
	int last = CPU_SETSIZE - 1;

	must(sched_getaffinity(0, sizeof(all), &all), "sched_getaffinity");
	while (last > 0 && !CPU_ISSET(last, &all))
		last--;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	must(sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
	return CPU_COUNT(&all) > 1 ? last : -1;
}

static int take_login_uid(void)
{
	int fd = open("/proc/self/loginuid", O_WRONLY);
	int result = fd < 0 ? -1 : (int)write(fd, "54321", 5);

	close(fd);
	return result;
}

static int dump_core(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	siginfo_t info = { 0 };
	pid_t child = must(fork(), "fork");

	if (!child) {
		setrlimit(RLIMIT_CORE, &unlimited);
		abort();
	}
	must(waitid(P_PID, child, &info, WEXITED | WNOWAIT), "waitid");
	return info.si_code == CLD_DUMPED ? child : -1;
}

int main(int argc, char **argv)
{
	struct sched_param none = { 0 };
	int pair[2];
	void *page;

	start(argc, argv, "log");
	say("cpu %d", take_last_cpu());
	say("ioprio %ld", syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE));
	must(prctl(PR_SET_TIMERSLACK, 12345), "PR_SET_TIMERSLACK");
	for (int i = 0; i < WAITERS; i++)
		if (!must(fork(), "fork")) {
			struct epoll_event event;
			int epoll = must(epoll_create1(0), "epoll_create1");

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				epoll_wait(epoll, &event, 1, HOUR_MS);
		}
	say("core %d", dump_core());
	must(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none), "sched_setscheduler");
	say("loginuid %d", take_login_uid());
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say("sealed %ld", syscall(SYS_mseal, page, 4096, 0));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	say("ready");
	for (;;)
		end_tick();
}
