/*
 * An epoll instance that watches two files by one number: the first was closed under it, and lives on under another one,
 * which is not watched.
 *
 * log: log
 */
#include "program.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int epoll;

static void watch(int fd, unsigned data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = data };

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/* Which of the two are ready: the sum of their data. */
static unsigned ready(void)
{
	struct epoll_event events[4];
	int count = epoll_wait(epoll, events, 4, 0);
	unsigned sum = 0;

	for (int i = 0; i < count; i++)
		sum += events[i].data.u32;
	return sum;
}

static void expect_ready(int fd, unsigned data)
{
	eventfd_t value;

	expect(eventfd_write(fd, 1) == 0 && ready() == data, "descriptor %d does not wake its watch %u", fd, data);
	expect(eventfd_read(fd, &value) == 0 && ready() == 0, "descriptor %d stays ready", fd);
}

int main(int argc, char **argv)
{
	int first, second, number;

	start(argc, argv, "log");
	epoll = must(epoll_create1(0), "epoll");
	number = must(eventfd(0, 0), "eventfd");
	watch(number, 1);
	first = must(dup(number), "dup");
	close(number);
	second = must(eventfd(0, 0), "eventfd");
	if (second != number)
		die("the number is not given again");
	watch(second, 2);
	say("ready");
	for (;;) {
		expect_ready(first, 1);
		expect_ready(second, 2);
		end_tick();
	}
}
