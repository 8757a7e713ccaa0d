/* Two tasks with half of the files each, every file open for writing with one POSIX lock: fds DIR [FILES]. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

static int hold(const char *dir, unsigned long first, unsigned long count)
{
	for (unsigned long i = first; i < first + count; i++) {
		char path[4096];
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };
		snprintf(path, sizeof(path), "%s/%02lx/file-%06lu", dir, i & 0xff, i);
		int fd = open(path, O_RDWR | O_CREAT, 0644);
		if (fd < 0 || write(fd, path, 64) != 64 || fcntl(fd, F_SETLK, &lock))
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long files = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000;
	struct rlimit limit;
	int ends[2];
	char byte;
	if (argc < 2 || getrlimit(RLIMIT_NOFILE, &limit))
		return 1;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) || pipe(ends))
		return 1;
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		if (hold(argv[1], files / 2, files - files / 2) || write(ends[1], "", 1) != 1)
			return 1;
		close(ends[1]);
		for (;;)
			pause();
	}
	close(ends[1]);
	if (hold(argv[1], 0, files / 2) || read(ends[0], &byte, 1) != 1)
		return 1;
	close(ends[0]);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
