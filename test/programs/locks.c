/*
 * Every kind of file lock, each on a file of its own, checked by what /proc/self/fdinfo says of its descriptor.
 * A lease that is being broken is broken by a second process, that opens the file with O_NONBLOCK and so does
 * not wait: the lease stays in the breaking state for /proc/sys/fs/lease-break-time seconds, or longer if
 * nobody touches the file. The dump goes without build-ids, since criu would break the write leases itself by
 * opening the files to look for one.
 *
 * log: log
 * criu dump: --file-locks --file-validation filesize
 * criu restore: --file-locks
 */
#include "program.h"
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#define FILES 16

static struct {
	const char *name;
	int fd;
	char locks[256];
} files[FILES];
static int count;
static volatile sig_atomic_t breaks;

static void on_break(int signal)
{
	(void)signal;
	breaks++;
}

/* The locks of a descriptor without what may change over a restore: the number, the pid and the inode. */
static void locks_of(int fd, char *to, size_t size)
{
	char path[64], line[256], kind[16], mode[16], type[16], range_start[32], range_end[32];
	FILE *info;
	size_t used = 0;

	*to = 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "r");
	if (!info)
		die(path);
	while (fgets(line, sizeof(line), info)) {
		if (sscanf(line, "lock: %*d: %15s %15s %15s %*d %*s %31s %31s", kind, mode, type, range_start,
			   range_end) != 5)
			continue;
		used += snprintf(to + used, size - used, "%s%s %s %s %s-%s", used ? ", " : "", kind, mode, type,
				 range_start, range_end);
	}
	fclose(info);
}

static int hold(const char *name, int flags)
{
	create_filled(name, '.', 4096);
	files[count].name = name;
	return files[count++].fd = must(open(name, flags), name);
}

static void lock_range(int fd, int command, short type, off_t from, off_t length)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = length };

	must(fcntl(fd, command, &lock), "a lock of a range");
}

/* Another process opens NAME with FLAGS; the lease on it begins to break, and the open gives up at once. */
static void break_lease(const char *name, int flags)
{
	int status;
	pid_t child = must(fork(), "fork");

	if (!child)
		_exit(open(name, flags | O_NONBLOCK) < 0 && errno == EWOULDBLOCK ? 0 : 1);
	if (waitpid(child, &status, 0) != child || status) {
		errno = EINVAL;
		die("the lease did not begin to break");
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_break, .sa_flags = SA_RESTART };
	int fd;

	start(argc, argv, "log");
	sigaction(SIGIO, &action, NULL);

	fd = hold("posix", O_RDWR);
	lock_range(fd, F_SETLK, F_RDLCK, 0, 100);
	lock_range(fd, F_SETLK, F_WRLCK, 100, 100);
	lock_range(fd, F_SETLK, F_WRLCK, 4000, 0);
	fd = hold("ofd", O_RDWR);
	lock_range(fd, F_OFD_SETLK, F_RDLCK, 0, 10);
	lock_range(fd, F_OFD_SETLK, F_WRLCK, 10, 10);
	must(flock(hold("flock-shared", O_RDONLY), LOCK_SH), "flock-shared");
	must(flock(hold("flock-exclusive", O_RDWR), LOCK_EX), "flock-exclusive");
	must(fcntl(hold("lease-read", O_RDONLY), F_SETLEASE, F_RDLCK), "lease-read");
	must(fcntl(hold("lease-write", O_RDWR), F_SETLEASE, F_WRLCK), "lease-write");
	must(fcntl(hold("lease-read-to-none", O_RDONLY), F_SETLEASE, F_RDLCK), "lease-read-to-none");
	break_lease("lease-read-to-none", O_WRONLY);
	must(fcntl(hold("lease-write-to-read", O_RDWR), F_SETLEASE, F_WRLCK), "lease-write-to-read");
	break_lease("lease-write-to-read", O_RDONLY);
	must(fcntl(hold("lease-write-to-none", O_RDWR), F_SETLEASE, F_WRLCK), "lease-write-to-none");
	break_lease("lease-write-to-none", O_WRONLY);

	for (int i = 0; i < count; i++) {
		locks_of(files[i].fd, files[i].locks, sizeof(files[i].locks));
		say("%s: %s", files[i].name, files[i].locks);
	}
	say("ready");
	for (;;) {
		for (int i = 0; i < count; i++) {
			char now[256];

			locks_of(files[i].fd, now, sizeof(now));
			expect(!strcmp(now, files[i].locks), "%s has \"%s\"", files[i].name, now);
		}
		end_tick();
	}
}
