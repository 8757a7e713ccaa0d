/*
 * What an image could hold and no host restore: a listener whose path another one is bound to by now, one whose directory is
 * gone, files of /proc of a task that has ended and of a thread, and a task that has unmapped its vDSO.
 *
 * log: log
 */
#include "program.h"
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static int listen_at(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0), path);

	if (!getcwd(name.sun_path, sizeof(name.sun_path) - 16))
		die("getcwd");
	strcat(name.sun_path, "/");
	strcat(name.sun_path, path);
	must(bind(fd, (struct sockaddr *)&name, sizeof(name)), path);
	must(listen(fd, 1), path);
	return fd;
}

static int open_proc(const char *format, int id)
{
	char path[64];

	snprintf(path, sizeof(path), format, id);
	return must(open(path, O_RDONLY), path);
}

static int open_ended(void)
{
	int fd, ends[2];
	pid_t child;

	must(pipe(ends), "pipe");
	child = must(fork(), "fork");
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &child, 1) < 0);
	}
	fd = open_proc("/proc/%d/stat", child);
	close(ends[0]);
	close(ends[1]);
	must(waitpid(child, NULL, 0), "waitpid");
	return fd;
}

static __attribute__((noreturn)) void *wait_on(void *id)
{
	*(volatile int *)id = gettid();
	for (;;)
		pause();
}

static int open_thread(void)
{
	static volatile int id;
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_on, (void *)&id) != 0)
		die("pthread_create");
	while (!id)
		sleep_ns(TICK_NS / 10);
	return open_proc("/proc/self/task/%d/stat", id);
}

static void unmap_vdso(void)
{
	char *vdso = (char *)getauxval(AT_SYSINFO_EHDR);
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned long start = 0, end = 0;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && (char *)start == vdso)
			break;
	if (maps)
		fclose(maps);
	if ((char *)start == vdso)
		must(munmap(vdso, end - start), "vDSO");
}

int main(int argc, char **argv)
{
	start(argc, argv, "log");
	say("replaced %d", listen_at("sock"));
	must(unlink("sock"), "unlink");
	listen_at("sock");
	must(mkdir("gone", 0755), "gone");
	say("homeless %d", listen_at("gone/s"));
	must(unlink("gone/s"), "unlink");
	must(rmdir("gone"), "rmdir");
	say("ended %d", open_ended());
	say("thread %d", open_thread());
	unmap_vdso();
	say("ready");
	for (;;)
		end_tick();
}
