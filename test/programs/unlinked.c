/*
 * What all ways to keep deleted files can keep: a file with another name left, written through its descriptor with
 * every tick; one that never had a name, which can still be linked; private and shared mappings without a descriptor
 * of a file with another name left; a fifo with another name left and data in it; a directory that is gone, with a
 * second descriptor of it.
 *
 * log: log
 */
#include "program.h"
#include <sys/mman.h>

static int shared, unnamed, fifo, directory, again;
static char *private_map, *shared_map;

static char *map(int fd, int flags)
{
	char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (at == MAP_FAILED)
		die("mapped");
	return at;
}

static void set_up(void)
{
	int fd;

	create_filled("a", 'a', 64);
	shared = must(open("a", O_RDWR), "a");
	must(link("a", "b"), "b");
	unnamed = must(open(".", O_TMPFILE | O_RDWR | O_APPEND, 0640), "a file without a name");
	must(write(unnamed, "unnamed", 7), "a file without a name");
	create_filled("mapped", 'm', 8192);
	must(link("mapped", "mapped-b"), "mapped-b");
	fd = must(open("mapped", O_RDWR), "mapped");
	private_map = map(fd, MAP_PRIVATE);
	shared_map = map(fd, MAP_SHARED);
	close(fd);
	private_map[4096] = 'p';
	must(mkfifo("fifo", 0600), "fifo");
	must(link("fifo", "fifo-b"), "fifo-b");
	fifo = must(open("fifo", O_RDWR | O_NONBLOCK), "fifo");
	must(write(fifo, "in flight", 9), "fifo");
	must(mkdir("directory", 0751), "directory");
	directory = must(open("directory", O_RDONLY | O_DIRECTORY), "directory");
	again = must(open("directory", O_PATH | O_DIRECTORY), "directory");
	must(unlink("a"), "a");
	must(unlink("mapped"), "mapped");
	must(unlink("fifo"), "fifo");
	must(rmdir("directory"), "directory");
}

static ino_t inode_of(int fd)
{
	struct stat st = { 0 };

	fstat(fd, &st);
	return st.st_ino;
}

int main(int argc, char **argv)
{
	struct stat st;
	char text[65] = "";

	start(argc, argv, "log");
	set_up();
	say("ready");
	for (;;) {
		snprintf(text, sizeof(text), "tick %ld\n", ticks + 1);
		expect(pwrite(shared, text, strlen(text), 0) == (ssize_t)strlen(text), "a cannot be written");
		expect(fcntl(unnamed, F_GETFL) & O_APPEND, "the unnamed file is not opened for appending");
		expect(pread(unnamed, text, 64, 0) == 7 && !memcmp(text, "unnamed", 7), "the unnamed file differs");
		expect(fstat(unnamed, &st) == 0 && (st.st_mode & 07777) == 0640 && st.st_nlink == 0,
		       "the unnamed file has mode %o and %d names", st.st_mode & 07777, (int)st.st_nlink);
		expect(private_map[0] == 'm' && private_map[4096] == 'p', "the private mapping differs");
		expect(shared_map[4096] == (char)('a' + ticks % 26) || ticks == 0, "the shared mapping differs");
		shared_map[4096] = 'a' + (ticks + 1) % 26;
		expect(read(fifo, text, 16) == 9 && !memcmp(text, "in flight", 9), "the data in the fifo differs");
		expect(write(fifo, "in flight", 9) == 9, "the fifo cannot be written");
		expect(inode_of(directory) == inode_of(again) && inode_of(directory) != 0,
		       "the descriptors of the directory lead to two");
		expect(fstat(directory, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0751 &&
			       st.st_nlink == 0,
		       "the directory has mode %o and %d names", st.st_mode, (int)st.st_nlink);
		expect(openat(directory, "new", O_CREAT | O_WRONLY, 0600) < 0 && errno == ENOENT,
		       "the directory is not deleted");
		end_tick();
	}
}
