/*
 * What no image can hold: an io_uring, a pidfd, a context of io_setup(2), a userfaultfd, a ring of a packet socket that is
 * closed, where the host gives them, memory that may not become executable; and a child that shares its parent's working directory.
 *
 * log: log
 */
#include "program.h"
#include <linux/aio_abi.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#define PR_MDWE_REFUSE_EXEC_GAIN 1

/* Maps the ring of a packet socket that nothing has open any more. */
static long map_ring(void)
{
	struct tpacket_req ring = { 4096, 1, 2048, 2 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	void *at;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) < 0)
		return -1;
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return at == MAP_FAILED ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct io_uring_params params = { 0 };
	aio_context_t context = 0;
	pid_t child;

	start(argc, argv, "log");
	say("io_uring %ld", syscall(SYS_io_uring_setup, 1, &params));
	say("pidfd %ld", syscall(SYS_pidfd_open, getpid(), 0));
	say("userfaultfd %ld", syscall(SYS_userfaultfd, 0));
	say("ring %ld", map_ring());
	say("aio %d", (int)syscall(SYS_io_setup, 1, &context));
	child = must(syscall(SYS_clone, CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL), "clone");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	say("mdwe %d", prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0));
	say("child %d", child);
	say("ready");
	for (;;)
		end_tick();
}
