/* Every second page of 2 GiB is touched: 262,144 pagemap entries of one page each, 1 GiB of pages. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 262144;
	size_t size = pages * 2 * 4096;
	char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED || madvise(area, size, MADV_NOHUGEPAGE))
		return 1;
	for (unsigned long i = 0; i < pages; i++)
		*(unsigned long *)(area + i * 2 * 4096) = i + 1;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
