/*
 * What a process can hold after its name is gone: regular files (small; opened twice; with two names; sparse and
 * larger than criu's ghost limit; never named), a file in a deleted directory, a file with another name left,
 * a fifo with data in it, directories as descriptor and as working directory, a symbolic link, a device, and a
 * mapping without descriptor. --link-remap is for the file that has another name left.
 *
 * log: log
 * criu dump: --link-remap
 * criu restore:
 */
#include "program.h"
#include <sys/mman.h>
#include <sys/sysmacros.h>

#define SPARSE_SIZE (64L << 20)

static const long sparse_data[] = { 0, 5 << 20, SPARSE_SIZE - 4096 };
static int small, again, twin, sparse, unnamed, orphan, linked, fifo, directory, link_itself, device;
static char *mapped;
static off_t written;

static void unlink_all(const char *first, ...)
{
	va_list names;

	va_start(names, first);
	for (const char *name = first; name; name = va_arg(names, const char *))
		must(unlink(name), name);
	va_end(names);
}

static int open_filled(const char *name, char fill, size_t size)
{
	create_filled(name, fill, size);
	return must(open(name, O_RDWR), name);
}

static void set_up(void)
{
	int fd;

	small = open_filled("small", 's', 100);
	again = must(open("small", O_RDONLY), "small");
	must(lseek(again, 40, SEEK_SET), "small");
	twin = open_filled("twin", 't', 300);
	must(link("twin", "other-twin"), "other-twin");
	fd = must(open("other-twin", O_RDONLY), "other-twin");
	sparse = create("sparse", O_RDWR);
	must(ftruncate(sparse, SPARSE_SIZE), "sparse");
	for (size_t i = 0; i < sizeof(sparse_data) / sizeof(*sparse_data); i++)
		must(pwrite(sparse, "sparse", 6, sparse_data[i]), "sparse");
	unnamed = must(open(".", O_TMPFILE | O_RDWR, 0600), "a file without a name");
	must(write(unnamed, "unnamed", 7), "a file without a name");
	linked = open_filled("linked", 'l', 200);
	must(link("linked", "kept"), "kept");
	must(mkfifo("fifo", 0644), "fifo");
	fifo = must(open("fifo", O_RDWR | O_NONBLOCK), "fifo");
	must(write(fifo, "in flight", 9), "fifo");
	must(mkdir("directory", 0755), "directory");
	directory = must(open("directory", O_RDONLY | O_DIRECTORY), "directory");
	must(mkdir("cwd", 0755), "cwd");
	must(symlink("nowhere", "link"), "link");
	link_itself = must(open("link", O_PATH | O_NOFOLLOW), "link");
	must(mknod("device", S_IFCHR | 0600, makedev(1, 5)), "device");
	device = must(open("device", O_RDONLY), "device");
	fd = open_filled("mapped", 'm', 8192);
	mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		die("mapped");
	close(fd);
	must(mkdir("gone", 0755), "gone");
	orphan = open_filled("gone/orphan", 'o', 150);

	unlink_all("small", "twin", "other-twin", "sparse", "linked", "fifo", "link", "device", "mapped",
		   "gone/orphan", NULL);
	must(rmdir("gone"), "gone");
	must(rmdir("directory"), "directory");
	must(chdir("cwd"), "cwd");
	must(rmdir("../cwd"), "cwd");
}

static struct stat status_of(int fd)
{
	struct stat st = { 0 };

	fstat(fd, &st);
	return st;
}

/* SIZE bytes, all FILL, with so many names left. */
static void expect_file(const char *name, int fd, char fill, off_t size, nlink_t names)
{
	struct stat st = status_of(fd);
	char block[512];
	ssize_t got = pread(fd, block, sizeof(block), 0);

	expect(S_ISREG(st.st_mode) && st.st_size == size, "%s has size %ld", name, (long)st.st_size);
	expect(st.st_nlink == names, "%s has %d names, not %d", name, (int)st.st_nlink, (int)names);
	expect(got == size && block[0] == fill && block[size - 1] == fill, "%s does not read as before", name);
}

static void expect_type(const char *name, int fd, mode_t type)
{
	struct stat st = status_of(fd);

	expect((st.st_mode & S_IFMT) == type, "%s has mode %o", name, st.st_mode);
}

int main(int argc, char **argv)
{
	struct stat st;
	char text[16];

	start(argc, argv, "log");
	set_up();
	say("ready");
	for (;;) {
		expect_file("small", small, 's', 100, 0);
		expect(lseek(small, 0, SEEK_CUR) == written, "offset of small is %ld", (long)lseek(small, 0, SEEK_CUR));
		written = (written + 1) % 100;
		expect(pwrite(small, "s", 1, written) == 1 && lseek(small, written, SEEK_SET) == written,
		       "small cannot be written");
		expect(lseek(again, 0, SEEK_CUR) == 40, "offset of small, opened again, is %ld",
		       (long)lseek(again, 0, SEEK_CUR));
		expect_file("twin", twin, 't', 300, 0);
		st = status_of(sparse);
		expect(st.st_size == SPARSE_SIZE, "sparse has size %ld", (long)st.st_size);
		expect(st.st_blocks < 1024, "sparse takes %ld blocks", (long)st.st_blocks);
		for (size_t i = 0; i < sizeof(sparse_data) / sizeof(*sparse_data); i++)
			expect(pread(sparse, text, 6, sparse_data[i]) == 6 && !memcmp(text, "sparse", 6),
			       "sparse differs at %ld", sparse_data[i]);
		expect(pread(unnamed, text, 7, 0) == 7 && !memcmp(text, "unnamed", 7), "the unnamed file differs");
		expect_file("gone/orphan", orphan, 'o', 150, 0);
		expect_file("linked", linked, 'l', 200, 1);
		expect_type("fifo", fifo, S_IFIFO);
		expect(read(fifo, text, 16) == 9 && !memcmp(text, "in flight", 9), "the data in the fifo differs");
		expect(write(fifo, "in flight", 9) == 9, "the fifo cannot be written");
		expect_type("directory", directory, S_IFDIR);
		expect(stat(".", &st) == 0 && S_ISDIR(st.st_mode), "the working directory is none");
		expect(open("new", O_CREAT | O_WRONLY, 0600) < 0 && errno == ENOENT, "the working directory is not deleted");
		expect(readlinkat(link_itself, "", text, 16) == 7 && !memcmp(text, "nowhere", 7), "the link differs");
		expect(read(device, text, 4) == 4 && !memcmp(text, "\0\0\0\0", 4), "the device does not give zeros");
		for (int i = 0; i < 8192; i += 4096)
			expect(mapped[i] == (char)('m' + ticks % 7), "mapped has %c at %d", mapped[i], i);
		mapped[0] = mapped[4096] = 'm' + (ticks + 1) % 7;
		end_tick();
	}
}
