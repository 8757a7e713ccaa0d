/*
 * What the live programs have in common. Each is started as `program DIR`, makes DIR its working directory,
 * writes `ready` to its log once everything is set up, and then every 50 ms either `tick N ok` or
 * `tick N FAIL: what` with what it found changed from inside. No path is used again after `ready`, so the
 * program does not notice when DIR was moved between a checkpoint and a restore.
 * The head comment of each says where below DIR its log is, and which options criu needs for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 50000000

static int log_fd = -1;
static const char *role = "";
static long ticks;
static char failure[512];

/* Writes one line to the log in one write, so that lines of several processes never mix. */
static void say(const char *format, ...)
{
	char line[1024];
	va_list args;
	int used = snprintf(line, sizeof(line), "%s%s", role, *role ? " " : "");

	va_start(args, format);
	used += vsnprintf(line + used, sizeof(line) - 1 - used, format, args);
	va_end(args);
	if (used > (int)sizeof(line) - 2)
		used = sizeof(line) - 2;
	line[used++] = '\n';
	if (write(log_fd, line, used) != used)
		_exit(3);
}

/* Ends the program when it cannot be set up. */
static __attribute__((noreturn, unused)) void die(const char *what)
{
	int error = errno;

	if (log_fd >= 0)
		say("cannot set up: %s: %s", what, strerror(error));
	fprintf(stderr, "%s%s: %s\n", role, what, strerror(error));
	exit(2);
}

/* Set-up step: a negative result is an error that ends the program. */
static __attribute__((unused)) int must(int result, const char *what)
{
	if (result < 0)
		die(what);
	return result;
}

/* A check of the running tick; only the first that fails is told. */
static __attribute__((unused)) void expect(int holds, const char *format, ...)
{
	va_list args;

	if (holds || *failure)
		return;
	va_start(args, format);
	vsnprintf(failure, sizeof(failure), format, args);
	va_end(args);
}

static __attribute__((unused)) void sleep_ns(long ns)
{
	struct timespec left = { ns / 1000000000, ns % 1000000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Ends the tick: tells how it went and sleeps to the next. */
static __attribute__((unused)) void end_tick(void)
{
	ticks++;
	if (*failure)
		say("tick %ld FAIL: %s", ticks, failure);
	else
		say("tick %ld ok", ticks);
	*failure = 0;
	sleep_ns(TICK_NS);
}

static __attribute__((unused)) int create(const char *path, int flags)
{
	return must(open(path, flags | O_CREAT, 0644), path);
}

/* Makes a file of SIZE bytes, each FILL. */
static __attribute__((unused)) void create_filled(const char *path, char fill, size_t size)
{
	char block[256];
	int fd = create(path, O_WRONLY | O_TRUNC);

	memset(block, fill, sizeof(block));
	for (size_t done = 0, part; done < size; done += part) {
		part = size - done < sizeof(block) ? size - done : sizeof(block);
		if (write(fd, block, part) != (ssize_t)part)
			die(path);
	}
	close(fd);
}

/* First thing in every main: drops descriptors left open by the starter, then working directory and log. */
static __attribute__((unused)) void start(int argc, char **argv, const char *log_path)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		exit(2);
	}
	close_range(3, ~0U, 0);
	umask(022);
	must(chdir(argv[1]), argv[1]);
	if (strchr(log_path, '/')) {
		char dir[64];

		snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(log_path, '/') - log_path), log_path);
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			die(dir);
	}
	log_fd = create(log_path, O_WRONLY | O_APPEND);
}
