/*
 * Watches directories and a file with inotify: numbers with gaps between them, a watch of what a symbolic link is, one
 * for a single kind of event. Device files, files of /proc and directories are open as well. No path is used again after
 * `ready`: what is watched is reached by descriptors of the directories.
 *
 * log: log
 * criu dump:
 * criu restore:
 */
#include "program.h"
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/mman.h>

static int watch, first, second, file, null, zero, full, random_fd, urandom, self, sealed;
static int wd_first, wd_second, wd_file, wd_link;

static void set_up(void)
{
	must(mkdir("first", 0755), "first");
	must(mkdir("second", 0755), "second");
	file = create("first/file", O_RDWR);
	must(symlink("second", "link"), "link");
	first = must(open("first", O_RDONLY | O_DIRECTORY), "first");
	second = must(open("second", O_RDONLY | O_DIRECTORY), "second");
	watch = must(inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "inotify");
	/* The number 1 is given and taken back, 3 as well. */
	inotify_rm_watch(watch, must(inotify_add_watch(watch, "/", IN_ALL_EVENTS), "/"));
	wd_first = must(inotify_add_watch(watch, "first", IN_CREATE | IN_DELETE), "first");
	inotify_rm_watch(watch, must(inotify_add_watch(watch, "/", IN_ALL_EVENTS), "/"));
	wd_file = must(inotify_add_watch(watch, "first/file", IN_MODIFY | IN_ATTRIB), "first/file");
	wd_link = must(inotify_add_watch(watch, "link", IN_ATTRIB | IN_DONT_FOLLOW), "link");
	wd_second = must(inotify_add_watch(watch, "second", IN_CREATE | IN_ONESHOT), "second");
	while (read(watch, (char[4096]){ 0 }, 4096) > 0)
		;
	null = must(open("/dev/null", O_RDWR), "/dev/null");
	zero = must(open("/dev/zero", O_RDONLY), "/dev/zero");
	full = must(open("/dev/full", O_WRONLY), "/dev/full");
	random_fd = must(open("/dev/random", O_RDONLY | O_NONBLOCK), "/dev/random");
	urandom = must(open("/dev/urandom", O_RDONLY), "/dev/urandom");
	self = must(open("/proc/self/status", O_RDONLY), "/proc/self/status");
	sealed = must(memfd_create("sealed", MFD_ALLOW_SEALING), "memfd");
	must(write(sealed, "seal", 4), "memfd");
	must(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), "seals");
}

/* The next event is this one; nothing else happened. */
static void expect_event(int wd, uint32_t mask, const char *name)
{
	char bytes[512] __attribute__((aligned(8)));
	struct inotify_event *event = (struct inotify_event *)bytes;
	/* A name takes 16 bytes; what comes behind is not read yet. */
	ssize_t got = read(watch, bytes, sizeof(*event) + (*name ? 16 : 0));

	expect(got == (ssize_t)(sizeof(*event) + event->len), "%zd bytes of events are read", got);
	expect(got > 0 && event->wd == wd && event->mask == mask, "watch %d tells 0x%x, not %d 0x%x", event->wd, event->mask,
	       wd, mask);
	expect(!strcmp(event->len ? event->name : "", name), "the event names \"%s\"", event->name);
}

static void expect_watches(void)
{
	expect(read(watch, (char[512]){ 0 }, 512) < 0 && errno == EAGAIN, "there are events that nothing caused");
	close(must(openat(first, "new", O_CREAT | O_WRONLY, 0644), "new"));
	expect_event(wd_first, IN_CREATE, "new");
	unlinkat(first, "new", 0);
	expect_event(wd_first, IN_DELETE, "new");
	expect(pwrite(file, "x", 1, 0) == 1, "the file cannot be written");
	expect_event(wd_file, IN_MODIFY, "");
}

/* Events for a single kind come once. */
static void expect_once(void)
{
	close(must(openat(second, "once", O_CREAT | O_WRONLY, 0644), "once"));
	expect_event(wd_second, IN_CREATE, "once");
	expect_event(wd_second, IN_IGNORED, "");
	expect(inotify_rm_watch(watch, wd_second) < 0, "the watch is not gone");
	unlinkat(second, "once", 0);
}

static void expect_files(void)
{
	char bytes[64] = "x", line[16] = "";

	expect(write(null, bytes, 8) == 8 && read(null, bytes, 8) == 0, "/dev/null is another file");
	expect(read(zero, bytes, 8) == 8 && !bytes[0] && !bytes[7], "/dev/zero is another file");
	expect(write(full, bytes, 8) < 0 && errno == ENOSPC, "/dev/full is another file");
	expect(read(random_fd, bytes, 8) > 0 && read(urandom, bytes, 8) == 8, "there are no random numbers");
	expect(pread(self, line, 5, 0) == 5 && !strncmp(line, "Name:", 5), "/proc/self/status cannot be read");
	expect(fcntl(sealed, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), "the seals are 0x%x",
	       fcntl(sealed, F_GET_SEALS));
	expect(pread(sealed, bytes, 4, 0) == 4 && !memcmp(bytes, "seal", 4), "the memory file holds something else");
}

int main(int argc, char **argv)
{
	start(argc, argv, "log");
	set_up();
	say("ready");
	for (long tick = 1;; tick++) {
		expect_watches();
		expect_files();
		if (tick == 40)
			expect_once();
		end_tick();
	}
}
