/* One mapping of contiguous pages with contents: 1 GiB, or as many MiB as asked. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1024) << 20;
	unsigned long *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < size / sizeof(*area); i++)
		area[i] = i * 0x9e3779b97f4a7c15ul;
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
