/*
 * The only program of a container: it listens on TCP port 8080 and tells who connects its tick, host name and variable
 * GREETING; it appends its ticks to /log, to /data/ticks and to its standard output, and has deleted /etc/motd. Made for
 * container engines, so it has no directory of its own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(8080) };
	int log = open("/log", O_CREAT | O_WRONLY | O_APPEND, 0644);
	int ticks = open("/data/ticks", O_CREAT | O_WRONLY | O_APPEND, 0644);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	unlink("/etc/motd");
	if (log < 0 || ticks < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 5))
		return 2;
	for (long i = 0;; i++) {
		int peer = accept(listener, NULL, NULL);
		dprintf(log, "%ld\n", i);
		dprintf(ticks, "%ld\n", i);
		dprintf(1, "tick %ld\n", i);
		if (peer >= 0) {
			char host[65] = "";
			gethostname(host, sizeof(host) - 1);
			dprintf(peer, "tick %ld of %s: %s\n", i, host, getenv("GREETING"));
			close(peer);
		}
		usleep(200000);
	}
}
