/*
 * More memory than is read in one piece: 160 MiB in one area, and 40,000 pages of another each of which is alone. Every
 * word says where it stands.
 *
 * log: log
 */
#include "program.h"
#include <stdint.h>
#include <sys/mman.h>

#define WORDS (160L * 1024 * 1024 / 8)
#define LONELY 40000L
#define PAGE 4096L

int main(int argc, char **argv)
{
	uint64_t *whole, *scattered;

	start(argc, argv, "log");
	whole = mmap(NULL, WORDS * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	scattered = mmap(NULL, LONELY * 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (whole == MAP_FAILED || scattered == MAP_FAILED)
		die("memory");
	for (long i = 0; i < WORDS; i++)
		whole[i] = ~i;
	for (long i = 0; i < LONELY; i++)
		scattered[i * 2 * PAGE / 8] = i + 1;
	say("ready");
	for (;;) {
		for (long i = 0; i < WORDS; i++)
			expect(whole[i] == (uint64_t)~i, "word %ld is 0x%lx", i, whole[i]);
		for (long i = 0; i < LONELY; i++)
			expect(scattered[i * 2 * PAGE / 8] == (uint64_t)i + 1, "lonely page %ld is of another", i);
		end_tick();
	}
}
