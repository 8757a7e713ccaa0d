/*
 * What an image could hold and no host restore: a listener whose path another one is bound to by now, one whose directory is
 * gone, and a task that has unmapped its vDSO.
 *
 * log: log
 */
#include "program.h"
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

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
	unmap_vdso();
	say("ready");
	for (;;)
		end_tick();
}
