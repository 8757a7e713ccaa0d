/*
 * A small service as they are found everywhere: a configuration file read half, a data file written record by
 * record at the file offset, an append-only log, and a working directory among its files.
 *   DIR/etc/logger.conf  read-only, offset behind the first line
 *   DIR/data/records     read-write, 32-byte records, offset behind the last
 *   DIR/log/messages     append-only
 *   DIR/run              working directory
 *
 * log: log/messages
 * criu dump:
 * criu restore:
 */
#include "program.h"

static const char first_line[] = "interval_ms = 50\n";
static const char second_line[] = "title = a small service\n";

int main(int argc, char **argv)
{
	char text[64];
	int config, records;
	off_t end = 0;

	start(argc, argv, "log/messages");
	if (mkdir("etc", 0755) || mkdir("data", 0755) || mkdir("run", 0755))
		die("a directory for a fresh start");
	config = create("etc/logger.conf", O_WRONLY | O_EXCL);
	must(write(config, first_line, strlen(first_line)), "etc/logger.conf");
	must(write(config, second_line, strlen(second_line)), "etc/logger.conf");
	close(config);
	config = must(open("etc/logger.conf", O_RDONLY), "etc/logger.conf");
	must(read(config, text, strlen(first_line)), "etc/logger.conf");
	records = create("data/records", O_RDWR | O_EXCL);
	must(chdir("run"), "run");

	say("ready");
	for (;;) {
		char record[33], back[33] = "";

		expect(lseek(config, 0, SEEK_CUR) == (off_t)strlen(first_line), "offset of etc/logger.conf is %ld",
		       (long)lseek(config, 0, SEEK_CUR));
		expect(pread(config, text, sizeof(text), strlen(first_line)) == (ssize_t)strlen(second_line) &&
			       !memcmp(text, second_line, strlen(second_line)),
		       "etc/logger.conf does not read as before");
		expect(lseek(records, 0, SEEK_CUR) == end, "offset of data/records is %ld, not %ld",
		       (long)lseek(records, 0, SEEK_CUR), (long)end);
		if (end)
			expect(pread(records, back, 32, end - 32) == 32 && !memcmp(back, "record ", 7) &&
				       atol(back + 7) == ticks,
			       "last of data/records is \"%s\"", back);
		snprintf(record, sizeof(record), "record %-24ld\n", ticks + 1);
		expect(write(records, record, 32) == 32, "data/records cannot be written: %s", strerror(errno));
		end += 32;
		end_tick();
	}
}
